"""The raw-socket server under abuse, in a process of its own: input without end, and many clients at once."""

import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import pytest

MIB = 1 << 20
GIB = 1 << 30
DEADLINE_S = 60.0

SERVER = """
import resource, sys
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

def data_size():
    fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return {name: int(fields[name].split()[0]) * 1024 for name in ("VmData", "VmHWM")}

with SimulatedAppliance(NullPlane()) as appliance:
    print(appliance.serve_scpi()[1], flush=True)
    for _ in sys.stdin:
        limit = data_size()["VmData"] + int(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))
        print(data_size()["VmHWM"], flush=True)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Served:
    """A server process whose data may grow by so much and no more: the kernel refuses the rest."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address = ("127.0.0.1", int(process.stdout.readline()))

    def peak_rss(self) -> int:
        """Most bytes that were ever resident; limits growth from the first call on."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Keep the server from running."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def connect(self) -> Iterator["Client"]:
        with socket.create_connection(self.address, timeout=DEADLINE_S) as sock, sock.makefile("rb") as lines:
            yield Client(sock, lines)


class Client:
    def __init__(self, sock: socket.socket, lines) -> None:
        self.sock = sock
        self._lines = lines

    def ask(self, message: str) -> str:
        self.sock.sendall(f"{message}\n".encode())
        return self.answer()

    def answer(self) -> str:
        return self._lines.readline().decode().rstrip("\n")

    def flood(self, content: bytes, size: int) -> None:
        piece = memoryview(content * (MIB // len(content)))
        while size:
            self.sock.sendall(piece[:size])
            size -= min(size, len(piece))


@pytest.fixture
def served() -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(48 * MIB)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield Served(process)
        process.stdin.close()


ENDLESS = {
    "line": (b"", b"x", GIB, b"\n"),
    "block": (b"PATH1:AB:COND #9999999999", b"*RST\n", 999_999_999, b"\n"),
    "blocks in one line": (b"", b"#15abcde,", 16 * MIB, b"\n"),
    "quotes": (b"", b"'\"", 8 * MIB, b"\n"),
    "units": (b"", b";*RST", 16 * MIB, b"\n"),
}
"""What begins a message, what it is filled with, up to which size, and what ends it."""


@pytest.mark.parametrize("kind", ENDLESS)
def test_input_without_end_is_refused_in_bounded_memory_and_the_connection_lives(served: Served, kind: str) -> None:
    begin, content, size, end = ENDLESS[kind]
    with served.connect() as client:
        assert client.ask("*CLS;:PATH1:AB:DEL:MEAN 5;:SYST:ERR:CODE?") == "0"
        before = served.peak_rss()
        client.sock.sendall(begin)
        client.flood(content, size)
        client.sock.sendall(end)
        grown = served.peak_rss() - before
        assert client.ask("SYST:ERR:CODE?;CODE?") == "-363;0"
        assert client.ask("STAT:OPER:COND?") == "512", "the delay is staged still: no *RST was executed"
    assert grown < 4 * MIB


FEW_DESCRIPTORS = """
import resource, sys
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

with SimulatedAppliance(NullPlane()) as appliance:
    print(appliance.serve_scpi()[1], flush=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
    sys.stdin.read()
"""


def test_server_without_descriptors_goes_on_serving_and_recovers() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", FEW_DESCRIPTORS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process, ExitStack() as opened:
        served = Served(process)
        first = opened.enter_context(served.connect())
        assert first.ask("*OPC?") == "1"
        with ExitStack() as crowd:
            for _ in range(60):
                crowd.enter_context(served.connect())
            assert first.ask("*OPC?") == "1"
        assert opened.enter_context(served.connect()).ask("*OPC?") == "1"
        assert first.ask("*OPC?") == "1"
        process.stdin.close()


def test_a_block_header_that_lies_is_refused_and_the_connection_lives(served: Served) -> None:
    with served.connect() as client:
        assert client.ask("*CLS;:SYST:ERR:CODE?") == "0"
        before = served.peak_rss()
        client.sock.sendall(b"PATH1:AB:COND #9999999999\n")
        with served.connect() as other:
            deadline = time.monotonic() + DEADLINE_S
            while other.ask("SYST:ERR:CODE?") != "-363":
                assert time.monotonic() < deadline
        time.sleep(1.2)  # longer than Personality.block_pause_ns
        assert client.ask("*IDN?").startswith("impairlab,")
        assert served.peak_rss() - before < 4 * MIB


def test_answers_nobody_reads_are_bounded(served: Served) -> None:
    with served.connect() as client:
        assert client.ask("*OPC?") == "1"
        before = served.peak_rss()
        client.sock.sendall(b"SYST:HELP:HEAD?" + b";HEAD?" * 9_000 + b"\n")
        with served.connect() as other:
            assert other.ask("*OPC?") == "1"
            for _ in range(20):
                assert other.ask("*OPC?") == "1"
            assert served.peak_rss() - before < 8 * MIB


def test_sixty_four_clients_at_once_are_served_alike(served: Served) -> None:
    """63 clients send without a pause, one asks and waits: all are served, and the one is not kept waiting."""
    stop = Event()
    counts = [0] * 63

    def hammer(number: int) -> None:
        with served.connect() as client:
            batch = b"*OPC?\n" * 200
            while not stop.is_set():
                client.sock.sendall(batch)
                got = 0
                while got < 400:
                    got += len(client.sock.recv(65_536))
                counts[number] += 200

    threads = [Thread(target=hammer, args=(number,)) for number in range(63)]
    with served.connect() as polite:
        for thread in threads:
            thread.start()
        try:
            deadline = time.monotonic() + DEADLINE_S
            while not all(counts):
                assert time.monotonic() < deadline, "somebody is not served at all"
                time.sleep(0.01)
            waits = []
            before = list(counts)
            for _ in range(20):
                began = time.monotonic()
                assert polite.ask("*OPC?") == "1"
                waits.append(time.monotonic() - began)
            shares = [after - earlier for after, earlier in zip(counts, before, strict=True)]
        finally:
            stop.set()
            for thread in threads:
                thread.join(DEADLINE_S)
    assert max(waits) < 2.0
    assert min(shares) > 0
    assert max(shares) <= 4 * statistics.median(shares), (min(shares), max(shares))


def test_client_that_sends_very_much_at_once_has_no_longer_turn_than_others(served: Served) -> None:
    """The register that one sets 20 000 times tells the others, who ask meanwhile, how many were executed before."""
    count = 20_000
    commands = b"".join(b"*ESE %d\n" % (255 * number // count) for number in range(count))
    with ExitStack() as opened:
        first, greedy, last = (opened.enter_context(served.connect()) for _ in range(3))
        for client in (last, greedy, first):
            assert client.ask("*ESE 0;*OPC?") == "1"
        with served.stopped():
            for client in (first, greedy, last):  # the order in which the server is told of them is the system's
                client.sock.sendall(commands if client is greedy else b"*ESE?\n")
        values = [int(client.answer()) for client in (first, last)]
        assert max(values) < 255 // 10
        assert greedy.ask("*ESE?") == "254"
