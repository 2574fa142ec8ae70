"""The entries of a simulated CMW, told over its socket, and packets in namespaces that show them."""

import socket
import subprocess
import sys

import pytest

from impairlab.sim_hardware.cmw import SimulatedCmw
from impairlab.sim_hardware.planes.netns import NetnsPlane

pytestmark = pytest.mark.netns

# Sends back what it gets on two ports until it is told to end.
ECHO = """
import selectors, socket, sys
chosen = selectors.DefaultSelector()
for _ in range(2):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((sys.argv[1], 0))
    chosen.register(s, selectors.EVENT_READ)
    print(s.getsockname()[1], flush=True)
while True:
    for key, _ in chosen.select(60):
        key.fileobj.sendto(*key.fileobj.recvfrom(2048))
"""
# Prints the least round trip of ten in milliseconds.
ASKER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], int(sys.argv[2])))
s.settimeout(20)
took = []
for _ in range(10):
    begin = time.monotonic()
    s.send(b"x" * 100)
    s.recv(2048)
    took.append(1e3 * (time.monotonic() - begin))
print(min(took))
"""


def round_trip_ms(plane: NetnsPlane, port: str) -> float:
    command = plane.command_in("client", [sys.executable, "-S", "-c", ASKER, plane.server_address, port])
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_packets_of_the_address_and_port_are_late_and_others_are_not():
    if obstacle := NetnsPlane.available():
        pytest.skip(obstacle)
    with NetnsPlane(seed=3) as plane, SimulatedCmw(plane) as cmw:
        command = plane.command_in("server", [sys.executable, "-S", "-c", ECHO, plane.server_address])
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as echo:
            assert echo.stdout is not None
            try:
                late, prompt = (echo.stdout.readline().strip() for _ in range(2))
                _tell(cmw, f'IPADdress "{plane.server_address}"', f"PRANge {late},{late}", "DELay 40", "ENABle ON")
                assert round_trip_ms(plane, late) >= 80
                assert round_trip_ms(plane, prompt) < 80
            finally:
                echo.terminate()


def _tell(cmw: SimulatedCmw, *settings: str) -> None:
    host, _, port = cmw.address.removeprefix("tcp://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as sock, sock.makefile("rb") as lines:
        for setting in settings:
            sock.sendall(f"CONFigure:DATA:MEASurement1:NIMPairments1:{setting};:SYSTem:ERRor?\n".encode("ascii"))
            assert lines.readline() == b'0,"No error"\n'
