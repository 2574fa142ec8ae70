"""Servers in processes of their own: a responder that does next to nothing, and the simulated appliance.

Run with "responder" or "appliance": prints its port and serves until standard input ends.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import NamedTuple

NO_ERROR = b'0,"No error"\n'


class Served(NamedTuple):
    """Where a server listens, and its process."""

    host: str
    port: int
    pid: int


@contextmanager
def server(kind: str) -> Iterator[Served]:
    """Start a server and keep it on one core and the caller on another.

    Left to the scheduler, some connections find both on one core and some do not, which changes the figures by half.
    """
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # what is started now inherits it
    process = subprocess.Popen([sys.executable, __file__, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    os.sched_setaffinity(0, {max(cores)})
    with process:
        try:
            yield Served("127.0.0.1", int(process.stdout.readline()), process.pid)
        finally:
            process.stdin.close()
            os.sched_setaffinity(0, cores)


def serve_responder() -> None:
    """Answer every line that holds a question mark with "no error"."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    Thread(target=accept, args=(listener,), daemon=True).start()
    sys.stdin.read()


def accept(listener: socket.socket) -> None:
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Thread(target=respond, args=(sock,), daemon=True).start()


def respond(sock: socket.socket) -> None:
    rest = b""
    while content := sock.recv(65_536):
        *lines, rest = (rest + content).split(b"\n")
        for line in lines:
            if b"?" in line:
                sock.sendall(NO_ERROR)


def serve_appliance() -> None:
    """Serve the reference dialect on a data plane without packets."""
    from impairlab.sim_hardware.appliance import SimulatedAppliance
    from impairlab.sim_hardware.planes import NullPlane

    with SimulatedAppliance(NullPlane()) as appliance:
        print(appliance.serve_scpi()[1], flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    {"responder": serve_responder, "appliance": serve_appliance}[sys.argv[1]]()
