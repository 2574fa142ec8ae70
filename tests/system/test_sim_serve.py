"""`impairlab sim serve` as a user starts it: a process, a socket, packets."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import pyvisa

from impairlab.controller.cli.app import run_command
from impairlab.drivers import connect
from impairlab.drivers.links.address import open_link
from impairlab.sim_hardware.dialects import SIMULATORS
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


MAP = {"mapName": "wan", "format": "impairlab-1",
       "links": [{"from": 0, "to": 1, "disruptors": [{"name": "A", "type": "PacketDelayDisruptor"}]},
                 {"from": 1, "to": 0, "disruptors": [{"name": "B", "type": "PacketDelayDisruptor"}]}]}  # fmt: skip


@pytest.mark.parametrize("dialect", SIMULATORS)
def test_it_serves_the_dialect_of_a_vendor(dialect, tmp_path):
    (tmp_path / "wan.json").write_text(json.dumps(MAP))
    settings = {"calnex-sne": f"?user=admin&auth=bearer&upload={tmp_path}/wan.json"}
    with served("--plane", "null", "--dialect", dialect) as ready:
        assert ready["driver"] == dialect
        with connect(ready["address"] + settings.get(dialect, ""), ready["driver"]) as box:
            assert box.snapshot().entries


def test_a_dialect_refuses_what_only_the_reference_appliance_can(capsys):
    assert run_command(["sim", "serve", "--dialect", "xena-chimera", "--hislip", "0", "--serial", "X"]) == 2
    assert "only the dialect 'scpi' has --hislip, --serial; 'xena-chimera' has not" in capsys.readouterr().err


def test_connections_are_capped_and_the_idle_one_is_closed():
    with served("--plane", "null", "--max-connections", "1", "--idle-close", "0.5") as ready:
        host, _, port = ready["address"].removeprefix("tcp://").partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as first:
            first.sendall(b"*OPC?\n")
            assert first.recv(10) == b"1\n"
            with socket.create_connection((host, int(port)), timeout=5) as second:
                assert second.recv(10) == b""
            assert first.recv(10) == b""


def test_it_serves_hislip_too_where_asked():
    with served("--plane", "null", "--hislip", "0") as ready:
        manager = pyvisa.ResourceManager("@py")
        with closing(manager), closing(manager.open_resource(ready["hislip"])) as box:
            assert box.query("*IDN?") == "impairlab,IL-8,SIM0001,1.0\n"


def test_it_serves_a_serial_line_too_where_asked(tmp_path):
    with served("--plane", "null", "--tty", str(tmp_path / "console"), "--baud", "115200") as ready:
        assert ready["serial"] == f"serial://{tmp_path}/console?baud=115200"
        with open_link(ready["serial"]) as link:
            assert link.query("*IDN?") == "impairlab,IL-8,SIM0001,1.0"
    assert not (tmp_path / "console").is_symlink()


def test_it_serves_vxi11_too_where_asked():
    with served("--plane", "null", "--vxi11", "--portmapper-port", "0") as ready:
        assert re.fullmatch(r"TCPIP::127\.0\.0\.1,\d+::inst0::INSTR", ready["vxi11"])
        manager = pyvisa.ResourceManager("@py")
        with closing(manager), closing(manager.open_resource(ready["vxi11"])) as box:
            assert box.query("*IDN?") == "impairlab,IL-8,SIM0001,1.0\n"


def test_a_port_mapper_that_cannot_be_is_one_message():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = ["--plane", "null", "--vxi11", "--portmapper-port", port]
        refused = subprocess.run([*COMMAND, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert refused.returncode == 5
    told = f"cannot listen for VXI-11 on 127.0.0.1:0, port mapper at {port}: Address already in use\n"
    assert refused.stderr == told


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


@pytest.fixture
def http_service():
    """A web server in this process; yields HOST:PORT."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_a_relay_delays_what_clients_ask_of_the_service(http_service):
    with served("--plane", "relay", "--to", http_service) as ready:
        assert ready["service"] == http_service
        assert ask(ready["address"], "PATH1:AB:DELay:MEAN 80 MS;STAT ON;:PATH1:AB:APPLy;*OPC?") == "1"
        begin = time.monotonic()
        with urllib.request.urlopen(f"http://{ready['client_address']}/", timeout=10) as answer:
            assert answer.read() == b"ok"
        assert 0.080 <= time.monotonic() - begin < 1


def test_a_relay_says_in_words_where_clients_connect(http_service):
    command = [*COMMAND, "--plane", "relay", "--to", http_service]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        line = process.stdout.readline()
        process.stdin.close()
    assert re.fullmatch(rf"clients connect to 127\.0\.0\.1:\d+ and reach {re.escape(http_service)}\n", line)


def test_a_relay_to_nowhere_is_one_message_and_no_traceback():
    with closing(socket.create_server(("127.0.0.1", 0))) as placeholder:
        port = placeholder.getsockname()[1]
    command = [*COMMAND, "--plane", "relay", "--to", f"127.0.0.1:{port}"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert run.returncode == 3
    assert run.stderr == f"path 1 leads to no service: 127.0.0.1:{port}: Connection refused\n"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--plane", "relay"), "--plane relay needs --to HOST:PORT"),
        (("--plane", "null", "--to", "127.0.0.1:80"), "--to belongs to --plane relay"),
        (("--plane", "relay", "--to", "80"), "'80' is not HOST:PORT"),
        (("--plane", "relay", "--to", "localhost:99999"), "'localhost:99999' is not HOST:PORT"),
    ],
)
def test_a_target_where_it_does_not_belong_is_a_usage_error(options, complaint, capsys):
    assert run_command(["sim", "serve", *options]) == 2
    assert complaint in capsys.readouterr().err
