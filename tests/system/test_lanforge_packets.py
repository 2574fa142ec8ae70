"""WanLinks of a simulated LANforge ICE, told over its socket, and packets in namespaces that show them."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from impairlab.sim_hardware.lanforge import SimulatedLanforge
from impairlab.sim_hardware.planes.netns import NetnsPlane

pytestmark = pytest.mark.netns

PROMPT = b"default@btbits>> "

# Sends back what it gets until it is told to end.
ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1], flush=True)
while True:
    s.sendto(*s.recvfrom(2048))
"""
# Prints how many of so many packets came back, and the least round trip in milliseconds.
ASKER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], int(sys.argv[2])))
s.settimeout(float(sys.argv[4]))
took = []
for _ in range(int(sys.argv[3])):
    begin = time.monotonic()
    s.send(b"x" * 100)
    try:
        s.recv(2048)
    except TimeoutError:
        continue
    took.append(1e3 * (time.monotonic() - begin))
print(len(took), min(took, default=0))
"""


@contextmanager
def echoing(plane: NetnsPlane) -> Iterator[str]:
    command = plane.command_in("server", [sys.executable, "-S", "-c", ECHO, plane.server_address])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as echo:
        assert echo.stdout is not None
        try:
            yield echo.stdout.readline().strip()
        finally:
            echo.terminate()


def asked(plane: NetnsPlane, port: str, count: int, patience_s: float) -> tuple[int, float]:
    arguments = [plane.server_address, port, str(count), str(patience_s)]
    command = plane.command_in("client", [sys.executable, "-S", "-c", ASKER, *arguments])
    came, least_ms = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(came), float(least_ms)


def told(lanforge: SimulatedLanforge, line: str) -> str:
    with socket.create_connection(lanforge.endpoint, timeout=20) as sock:
        heard = b""
        for said in ("", "set_flag brief 0", line):
            sock.sendall(f"{said}\n".encode("ascii"))
        while heard.count(PROMPT) < 4:
            heard += sock.recv(4096)
    answer = heard.split(PROMPT)[3].decode()
    assert f" >>RSLT: 0  Cmd: {line}" in answer
    return answer


def test_packets_suffer_what_an_endpoint_is_set_to():
    if obstacle := NetnsPlane.available():
        pytest.skip(obstacle)
    with NetnsPlane(seed=3) as plane, SimulatedLanforge(plane, wanlinks=["t1"]) as lanforge, echoing(plane) as port:
        told(lanforge, "set_wanlink_info t1-A NA 40")
        came, least_ms = asked(plane, port, 5, 20)
        assert (came, least_ms >= 40) == (5, True)

        told(
            lanforge,
            f"add_wanpath t1-B wp1 NA 60 NA NA NA NA NA {plane.server_address} 255.255.255.255 0.0.0.0 0.0.0.0",
        )
        came, least_ms = asked(plane, port, 5, 20)
        assert (came, least_ms >= 100) == (5, True)

        told(lanforge, "clear_endp_counters t1-A")
        told(lanforge, "set_wanlink_info t1-A NA NA NA NA NA 1000000")
        assert asked(plane, port, 5, 0.05) == (0, 0)
        dropped = next(line for line in told(lanforge, "nc_show_endpoint t1-A").splitlines() if "Rx Dropped" in line)
        assert int(dropped.split("Total:")[1].split()[0]) >= 5

        told(lanforge, "set_wanlink_info t1-A NA NA NA NA NA 0")
        told(lanforge, "set_cx_state all t1 STOPPED")
        assert asked(plane, port, 5, 0.05) == (0, 0)
        told(lanforge, "set_cx_state all t1 RUNNING")
        assert asked(plane, port, 5, 20)[0] == 5
