"""One scenario file on every simulated box: the packets agree where the box can do it, and the check says why not."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import pytest

from impairlab.controller.plan.documents import RunRecord, read_run
from impairlab.drivers import Conditions, delay, loss
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.chimera import SimulatedChimera
from impairlab.sim_hardware.cmw import SimulatedCmw
from impairlab.sim_hardware.itrinegy import SimulatedNeOne
from impairlab.sim_hardware.lanforge import SimulatedLanforge
from impairlab.sim_hardware.netropy import SimulatedNetropy
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.planes.netns import NetnsPlane
from impairlab.sim_hardware.sne import SimulatedSne

pytestmark = pytest.mark.netns

MS = 1_000_000
IMPAIRLAB = [sys.executable, "-c", "from impairlab.controller.cli import main; main()"]
WANTED = Conditions.of(delay("40 ms"), loss("10 %"))
SIGMAS = 4.4
"""An interval that a right loss leaves once in 100 000 times."""

SCENARIO = """\
scenario: slow-and-lossy
needs: {wan: [delay.constant, loss.random]}
phases:
  - calm: {for: 300 ms}
  - rough: {for: 2 s, wan: {b-a: {delay: 40 ms, loss: 10 %}}}
  - after: {for: 300 ms}
"""

DEMANDING = """\
scenario: demanding
needs: {wan: []}
phases:
  - law: {for: 1 s, wan: {b-a: {delay: {distribution: gamma, mean: 40 ms, spread: 20 ms}}}}
  - fades: {for: 1 s, wan: {b-a: {loss: {model: gilbert-elliott, to_bad: 1 %, to_good: 30 %}}}}
  - regular: {for: 1 s, wan: {b-a: {loss: {model: periodic, every: 100}}}}
"""
IN_THE_FILE = {"gamma": 4, "gilbert-elliott": 5, "periodic": 6}
"""Which line asks for what."""

# Sends numbered datagrams, one a millisecond, until its input ends; prints when each was sent.
SENDER = """
import json, select, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent = []
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.001)[0]:
    sent.append(time.monotonic_ns())
    s.sendto(b"%d" % (len(sent) - 1), (sys.argv[1], int(sys.argv[2])))
print(json.dumps(sent))
"""

# Prints its port; after its input ends and nothing has come for a second, when each number arrived.
RECEIVER = """
import json, select, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1], flush=True)
got, ends = [], [sys.stdin]
while ready := select.select([s, *ends], [], [], None if ends else 1)[0]:
    if s in ready:
        got.append((int(s.recv(64)), time.monotonic_ns()))
    else:
        ends = []
print(json.dumps(got))
"""


@dataclass(frozen=True)
class Box:
    """A kind of simulated box.

    Attributes:
        driver: That it is driven with.
        serve: Serves one on a plane, given a folder for files; yields its address.
        cannot: What of the demanding scenario it has no words for.
        path: What it calls its first path.
    """

    driver: str
    serve: Callable[[Plane, Path], AbstractContextManager[str]]
    cannot: frozenset[str]
    path: str = "1"


@contextmanager
def scpi(plane: Plane, folder: Path) -> Iterator[str]:
    del folder
    with SimulatedAppliance(plane) as simulator:
        yield "tcp://{}:{}".format(*simulator.serve_scpi())


@contextmanager
def chimera(plane: Plane, folder: Path) -> Iterator[str]:
    del folder
    with SimulatedChimera(plane) as simulator:
        yield simulator.address


@contextmanager
def cmw(plane: Plane, folder: Path) -> Iterator[str]:
    del folder
    with SimulatedCmw(plane) as simulator:
        yield f"{simulator.address}?paths=2-1&time_unit=ms"  # entry 1, which takes all packets, is that of b-a


@contextmanager
def netropy(plane: Plane, folder: Path) -> Iterator[str]:
    del folder
    with SimulatedNetropy(plane) as simulator:
        yield f"{simulator.address}&line=10Gbps"


@contextmanager
def lanforge(plane: Plane, folder: Path) -> Iterator[str]:
    del folder
    with SimulatedLanforge(plane) as simulator:
        yield f"{simulator.address}&line=1Gbps"


@contextmanager
def ne_one(plane: Plane, folder: Path) -> Iterator[str]:
    del folder
    with SimulatedNeOne(plane) as simulator:
        yield simulator.address


@contextmanager
def attero(plane: Plane, folder: Path) -> Iterator[str]:
    del folder
    with SimulatedAttero(plane) as simulator:
        yield simulator.address


@contextmanager
def sne(plane: Plane, folder: Path) -> Iterator[str]:
    disruptors = [{"name": kind, "type": kind} for kind in ("PacketDelayDisruptor", "PacketDropDisruptor")]
    links = [{"from": port, "to": 1 - port, "disruptors": disruptors} for port in (0, 1)]
    wan = folder / "wan.json"
    wan.write_text(json.dumps({"mapName": "wan", "format": "impairlab-1", "links": links}))
    with SimulatedSne(plane) as simulator:
        yield f"{simulator.address}?user=admin&auth=bearer&upload={wan}"


BOXES = [
    Box("scpi", scpi, frozenset()),
    Box("xena-chimera", chimera, frozenset({"periodic"})),
    Box("calnex-sne", sne, frozenset({"gamma"})),
    Box("apposite-netropy", netropy, frozenset({"gamma"})),
    Box("itrinegy-ne1", ne_one, frozenset({"gamma", "gilbert-elliott", "periodic"})),
    Box("lanforge-ice", lanforge, frozenset({"gamma", "gilbert-elliott", "periodic"}), path="wl1"),
    Box("calnex-attero100g", attero, frozenset({"gamma", "gilbert-elliott", "periodic"})),
    Box("rs-cmw", cmw, frozenset({"gamma", "gilbert-elliott", "periodic"}), path="2-1"),
]


@pytest.fixture(params=BOXES, ids=lambda box: box.driver)
def box(request: pytest.FixtureRequest) -> Box:
    return request.param


@pytest.fixture
def plane(box: Box, tmp_path: Path) -> Iterator[NetnsPlane]:
    if reason := NetnsPlane.available():
        pytest.skip(reason)
    with NetnsPlane(seed=11) as made, box.serve(made, tmp_path) as address:
        rack = {"appliances": {"box": {"driver": box.driver, "address": address, "paths": {"wan": box.path}}}}
        (tmp_path / "rack.yaml").write_text(json.dumps(rack))
        yield made


def impairlab(verb: str, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "scenario.yaml").write_text(text)
    command = [*IMPAIRLAB, verb, "scenario.yaml", "--on", "wan=box:wan"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


@contextmanager
def datagrams(plane: NetnsPlane) -> Iterator[list[tuple[int, int | None]]]:
    """Send datagrams from b to a meanwhile; then the list says when each was sent and how long it took, if at all."""
    seen: list[tuple[int, int | None]] = []
    with python_in(plane, "client", RECEIVER, plane.address("client", "1")) as receiver:
        port = receiver.stdout.readline().strip()
        with python_in(plane, "server", SENDER, plane.address("client", "1"), port) as sender:
            assert sender.stdout.readline() == "ready\n"
            yield seen
            sent = json.loads(sender.communicate(timeout=30)[0])
        arrived = dict(json.loads(receiver.communicate(timeout=30)[0]))
    seen += [(at, arrived[number] - at if number in arrived else None) for number, at in enumerate(sent)]


def times_of(record: RunRecord) -> tuple[int, int]:
    """Return when the rough phase had begun for sure, and when its end may have begun."""
    steps = {event.phase: event for event in record.events if event.event == "step" and event.label == "phase"}
    begun = steps["rough"].acknowledged_ns
    assert begun is not None
    return begun, steps["after"].sent_ns


def python_in(plane: NetnsPlane, end: str, script: str, *arguments: str) -> subprocess.Popen[str]:
    command = plane.command_in(end, [sys.executable, "-S", "-c", script, *arguments])
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_the_packets_suffer_what_the_scenario_says(box: Box, plane: NetnsPlane, tmp_path: Path, calm_median) -> None:
    with datagrams(plane) as seen:
        done = impairlab("run", SCENARIO, tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout
    [folder] = (tmp_path / "runs").iterdir()
    begun, ended = times_of(read_run(folder / "documents.jsonl"))
    rough = [took for at, took in seen if begun + MS <= at <= ended - MS]
    calm = [took for at, took in seen if at <= begun - 50 * MS]
    took_ms = [took / MS for took in rough if took is not None]
    assert len(calm) > 20 < len(took_ms)
    assert None not in calm
    assert min(took_ms) >= 40
    assert calm_median(took_ms) < 42
    assert calm_median([took / MS for took in calm]) < 2
    share = (len(rough) - len(took_ms)) / len(rough)
    assert abs(share - 0.1) <= SIGMAS * sqrt(0.09 / len(rough)), f"{len(rough) - len(took_ms)} of {len(rough)} lost"


def test_what_a_box_cannot_do_is_refused_with_every_violation(box: Box, plane: NetnsPlane, tmp_path: Path) -> None:
    del plane
    done = impairlab("check", DEMANDING, tmp_path)
    assert done.returncode == (2 if box.cannot else 0), done.stderr
    for word, line in IN_THE_FILE.items():
        told = [each for each in done.stderr.splitlines() if f"scenario.yaml:{line}:" in each]
        assert bool(told) is (word in box.cannot), f"{word}: {done.stderr}"
        assert all("; legal: " in each for each in told)
