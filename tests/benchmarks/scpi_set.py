"""A SCPI set with an error check over loopback: the driver's link, a bare socket, and PyVISA-py, on one server.

The link and the bare socket make the same exchange: one line that sets a delay and asks for the error, one line back.
PyVISA-py does it as people write it, a `write` and then a `query` of the error, and for comparison as that one line.
PyVISA-py leaves Nagle's algorithm on: its second line waits for the server's delayed acknowledgement of the first
(40 ms on Linux), which is most of what the first comparison shows; the second shows the cost of the code.

Each has a connection of its own to one server in a process of its own. Two servers: one that does next to nothing, so
that the client's own cost shows, and the simulated appliance, which parses and stages what it is told. Turns are short
and connections are made anew several times, so that neither the load of the machine nor a thread's luck decides.
"""

import socket
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyvisa
from figures import Figure, Rates, median_ratio, rates
from servers import NO_ERROR, server

from impairlab.drivers.links.tcp import TcpLink

MS = 1_000_000
CONNECTIONS = 5

SET = ":PATH1:AB:DEL:MEAN 0.045"
ASK = ":SYST:ERR?"
ONE_LINE = f"{SET};{ASK}"
OK = NO_ERROR.decode().rstrip()


def measure() -> Iterator[Figure]:
    for kind, name in (("responder", "minimal server"), ("appliance", "simulated appliance")):
        with server(kind) as (host, port, _):
            quick: Rates = {}
            slow: Rates = {}
            for _ in range(CONNECTIONS):
                with contenders(host, port) as each:
                    rates({name: each[name] for name in ("link", "socket", "visa line")}, 60, 2 * MS, quick)
                    rates({name: each[name] for name in ("link", "visa")}, 4, 20 * MS, slow)
        yield compared(f"set and check, link : bare socket ({name})", quick, "socket", 0.8)
        yield compared(f"set and check, link : PyVISA-py ({name})", slow, "visa", 5)
        yield compared(f"the same, PyVISA-py in one line ({name})", quick, "visa line", None)


def compared(what: str, measured: Rates, other: str, target: float | None) -> Figure:
    ours, theirs = measured["link"], measured[other]
    beside = f"{statistics.median(ours):.0f}/s : {statistics.median(theirs):.0f}/s"
    return Figure(what, median_ratio(ours, theirs), "x", target, beside)


@contextmanager
def contenders(host: str, port: int) -> Iterator[dict[str, Callable[[], None]]]:
    message = f"{ONE_LINE}\n".encode()

    def by_link() -> None:
        assert link.exchange(ONE_LINE).reply == OK

    def by_socket() -> None:
        sock.sendall(message)
        reply = sock.recv(65_536)
        while not reply.endswith(b"\n"):
            reply += sock.recv(65_536)
        assert reply == NO_ERROR

    def by_visa() -> None:
        visa.write(SET)
        assert visa.query(ASK) == OK

    def by_visa_in_one_line() -> None:
        assert visa.query(ONE_LINE) == OK

    with TcpLink(host, port) as link, socket.create_connection((host, port)) as sock, resource(host, port) as visa:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield {"link": by_link, "socket": by_socket, "visa": by_visa, "visa line": by_visa_in_one_line}


@contextmanager
def resource(host: str, port: int) -> Iterator[pyvisa.resources.MessageBasedResource]:
    manager = pyvisa.ResourceManager("@py")
    opened = manager.open_resource(
        f"TCPIP::{host}::{port}::SOCKET", read_termination="\n", write_termination="\n", timeout=5000
    )
    try:
        yield opened
    finally:
        opened.close()
        manager.close()
