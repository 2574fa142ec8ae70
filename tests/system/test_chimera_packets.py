"""Clients program the simulated Chimera over the wire, and packets that really cross show it."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from xoa_driver import testers

from impairlab.sim_hardware.chimera import SimulatedChimera
from impairlab.sim_hardware.planes.netns import NetnsPlane

pytestmark = pytest.mark.netns

MS = 1_000_000
COUNT = 300

SENDER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(int(sys.argv[3])):
    s.sendto(b"%d %d" % (n, time.monotonic_ns()), (sys.argv[1], int(sys.argv[2])))
    time.sleep(0.0005)
"""

# Prints its port, then after the last datagram or so many seconds of silence a JSON list of [number, one-way time].
RECEIVER = """
import json, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1], flush=True)
got = []
s.settimeout(10)
try:
    while len(got) < int(sys.argv[2]):
        number, sent = s.recv(64).split()
        got.append((int(number), time.monotonic_ns() - int(sent)))
        s.settimeout(float(sys.argv[3]))
except TimeoutError:
    pass
print(json.dumps(got))
"""

ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1], flush=True)
for _ in range(5):
    s.sendto(*s.recvfrom(64))
"""

ASK = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
for _ in range(5):
    begun = time.monotonic_ns()
    s.sendto(b"ping", (sys.argv[1], int(sys.argv[2])))
    s.recv(64)
    print(time.monotonic_ns() - begun)
"""


class Console:
    """A raw socket at the text port."""

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("tcp://").split(":")
        self._socket = socket.create_connection((host, int(port)), 10)
        self._stream = self._socket.makefile("rw", newline="\n")
        self.ok('C_LOGON "xena"', 'C_OWNER "test"')
        for number in (0, 1):
            self.ok(f"0/{number} P_RESERVATION RESERVE", f"0/{number} P_RESET", f"0/{number} P_EMULATE ON",
                    f"0/{number} PE_CLEAR")  # fmt: skip

    def ask(self, line: str) -> str:
        self._stream.write(f"{line}\n")
        self._stream.flush()
        return self._stream.readline().removesuffix("\n")

    def ok(self, *lines: str) -> None:
        for line in lines:
            assert self.ask(line) == "<OK>", line

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


@pytest.fixture(scope="module")
def plane() -> Iterator[NetnsPlane]:
    reason = NetnsPlane.available()
    if reason:
        pytest.skip(reason)
    with NetnsPlane(seed=7) as made:
        yield made


@pytest.fixture(scope="module")
def chimera(plane: NetnsPlane) -> Iterator[SimulatedChimera]:
    with SimulatedChimera(plane) as made:
        yield made


@pytest.fixture
def console(chimera: SimulatedChimera) -> Iterator[Console]:
    made = Console(chimera.address)
    yield made
    made.close()


def python_in(plane: NetnsPlane, end: str, script: str, *arguments: object) -> subprocess.Popen[str]:
    command = plane.command_in(end, [sys.executable, "-S", "-c", script, *map(str, arguments)])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


class Stream:
    """Datagrams from one end to the other; the port is known before they are sent."""

    def __init__(self, plane: NetnsPlane, to_end: str = "server", count: int = COUNT, patience_s: float = 1) -> None:
        self._plane, self._to_end, self._count = plane, to_end, count
        self._address = plane.address(to_end, "1")
        self._receiver = python_in(plane, to_end, RECEIVER, self._address, count, patience_s)
        self.port = int(self._receiver.stdout.readline())

    def cross(self) -> dict[int, float]:
        """Send them; return how many milliseconds each took that arrived, by its number."""
        from_end = "client" if self._to_end == "server" else "server"
        with self._receiver, python_in(self._plane, from_end, SENDER, self._address, self.port, self._count):
            return {number: took / MS for number, took in json.loads(self._receiver.stdout.read())}


def cross(plane: NetnsPlane, to_end: str = "server", count: int = COUNT) -> dict[int, float]:
    return Stream(plane, to_end, count).cross()


def test_delay_and_loss_of_a_port_impair_what_it_receives(plane: NetnsPlane, console: Console) -> None:
    console.ok("0/0 PED_CONST [0,2] 20000000", "0/0 PED_ENABLE [0,2] ON", "0/0 PED_FIXED [0,0] 100000",
               "0/0 PED_ENABLE [0,0] ON")  # fmt: skip
    there = cross(plane)
    assert len(there) == COUNT * 9 // 10
    assert min(there.values()) >= 20
    assert console.ask("0/0 PE_DROPTOTAL ?") == "0/0  PE_DROPTOTAL  30 30 0 0 100000 100000 0 0"
    assert console.ask("0/0 PE_FLOWLATENCYTOTAL [0] ?") == "0/0  PE_FLOWLATENCYTOTAL  [0]  270 900000"
    assert console.ask("0/0 PR_FLOWTOTAL [0] ?").endswith(" 300")
    back = cross(plane, "client")
    assert len(back) == COUNT
    assert console.ask("0/1 PE_DROPTOTAL ?") == "0/1  PE_DROPTOTAL  0 0 0 0 0 0 0 0"


def test_there_and_back_takes_the_delays_of_both_ports(plane: NetnsPlane, console: Console) -> None:
    for port in (0, 1):
        console.ok(f"0/{port} PED_CONST [0,2] 15000000", f"0/{port} PED_ENABLE [0,2] ON")
    with python_in(plane, "server", ECHO, plane.server_address) as echo:
        port = echo.stdout.readline().strip()
        with python_in(plane, "client", ASK, plane.server_address, port) as asking:
            times = [int(line) / MS for line in asking.stdout]
    assert len(times) == 5
    assert min(times) >= 30


def test_a_filter_tells_flows_apart_once_it_is_applied(plane: NetnsPlane, console: Console) -> None:
    marked, other = Stream(plane), Stream(plane)
    console.ok("0/0 PED_RANDOM [1,0] 1000000", "0/0 PED_ENABLE [1,0] ON", "0/0 PEF_INIT [1]",
               "0/0 PEF_UDPSETTINGS [1,0] AND INCLUDE", f"0/0 PEF_UDPDESTPORT [1,0] ON {marked.port} 0xFFFF",
               "0/0 PEF_ENABLE [1,0] ON")  # fmt: skip
    assert len(cross(plane, count=20)) == 20
    console.ok("0/0 PEF_APPLY [1]")
    assert len(other.cross()) == COUNT
    console.ok("0/0 PED_OFF [1,0]", "0/0 PED_FIXED [1,0] 500000", "0/0 PED_ENABLE [1,0] ON")
    assert len(marked.cross()) == COUNT // 2


def test_a_burst_is_lost_once(plane: NetnsPlane, console: Console) -> None:
    console.ok("0/0 PED_FIXEDBURST [0,0] 7", "0/0 PED_SCHEDULE [0,0] 1 0", "0/0 PED_ENABLE [0,0] ON")
    assert console.ask("0/0 PED_ONESHOTSTATUS [0,0] ?").endswith(" 0")
    assert sorted(cross(plane)) == list(range(7, COUNT))
    assert console.ask("0/0 PED_ONESHOTSTATUS [0,0] ?").endswith(" 1")
    assert len(cross(plane)) == COUNT


def test_every_tenth_packet_is_misordered_the_last_has_nothing_to_fall_behind(
    plane: NetnsPlane, console: Console
) -> None:
    console.ok("0/0 PE_MISORDER [0] 3", "0/0 PED_FIXED [0,1] 100000", "0/0 PED_ENABLE [0,1] ON")
    order = list(Stream(plane, patience_s=5).cross())
    assert sorted(order) == list(range(COUNT))
    late = [number for place, number in enumerate(order) if number < max(order[: place + 1])]
    assert late == list(range(9, COUNT - 1, 10))
    assert console.ask("0/0 PE_MISTOTAL ?") == "0/0  PE_MISTOTAL  29 96666"


def test_the_vendors_client_impairs_them_too(plane: NetnsPlane, chimera: SimulatedChimera) -> None:
    async def program() -> None:
        host, port = chimera.binary_address
        client = await testers.L23Tester(host, "test", "xena", port)
        try:
            first = client.modules.obtain(0).ports.obtain(0)
            await first.reservation.set_reserve()
            await first.reset.set()
            await first.emulate.set_on()
            flow = first.emulation.flows[0].impairment_distribution
            await flow.latency_jitter_type_config.constant_delay.set(delay=25 * MS)
            await flow.latency_jitter_type_config.enable.set_on()
            await flow.drop_type_config.fixed_rate.set(probability=200_000)
            await flow.drop_type_config.enable.set_on()
        finally:
            await client.session.logoff()
            await asyncio.sleep(0)  # its transport closes in the next round of the loop

    asyncio.run(program())
    there = cross(plane)
    assert len(there) == COUNT * 8 // 10
    assert min(there.values()) >= 25
