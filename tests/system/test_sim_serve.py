"""`impairlab sim serve` as a user starts it: a process, a socket, packets."""

import json
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from impairlab.sim_hardware.planes.netns import NetnsPlane

COMMAND = [sys.executable, "-c", "from impairlab.controller.cli import main; main()", "sim", "serve", "--port", "0"]


@contextmanager
def served(*options):
    with subprocess.Popen(
        [*COMMAND, "--json", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(10) == 0


def ask(address, message):
    host, _, port = address.removeprefix("tcp://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(message.encode() + b"\n")
        return connection.makefile().readline().strip()


def test_it_serves_scpi_and_ends_with_its_standard_input():
    with served("--plane", "null", "--serial", "RACK7") as ready:
        assert ask(ready["address"], "*IDN?") == "impairlab,IL-8,RACK7,1.0"


def test_a_taken_port_is_one_message_and_no_traceback():
    with served("--plane", "null") as ready:
        port = ready["address"].rpartition(":")[2]
        second = subprocess.run(
            [*COMMAND[:-2], "--plane", "null", "--port", port], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    assert second.returncode == 5
    assert second.stderr == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.netns
def test_what_is_programmed_delays_packets():
    if reason := NetnsPlane.available():
        pytest.skip(reason)
    echo = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('', 7)); print(flush=True)\n"
    echo += "d, a = s.recvfrom(9); s.sendto(d, a)"
    client = (
        "import socket, sys, time; s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(5); t = time.monotonic()\n"
        "s.sendto(b'x', (sys.argv[1], 7)); s.recv(9); print(time.monotonic() - t)"
    )
    with served() as ready:
        stations, addresses = ready["stations"], ready["addresses"]
        with subprocess.Popen(
            [*stations["server"], sys.executable, "-c", echo], stdout=subprocess.PIPE, text=True
        ) as server:
            server.stdout.readline()
            assert ask(ready["address"], "PATH1:AB:DELay:MEAN 80 MS;STAT ON;:PATH1:AB:APPLy;*OPC?") == "1"
            command = [*stations["client"], sys.executable, "-c", client, addresses["server"]]
            seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert 0.080 <= seconds < 0.160
