"""The pytest plug-in as a user has it: processes, workers, an installed entry point, packets."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.inference import serve_inference
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.planes.netns import NetnsPlane

pytest_plugins = ("pytester",)

MODULE = "impairlab.controller.pytest_plugin"
PLUGIN = ("-p", "no:impairlab", "-p", MODULE, "-W", "error", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "pytest"
HEAVY = (
    "pydantic",
    "rich",
    "httpx",
    "ruamel.yaml",
    "paramiko",
    "pyvisa",
    "impairlab.drivers",
    "impairlab.sim_hardware",
)


@dataclass
class Lab:
    """An appliance of this process, and the rack file that leads there."""

    plane: NullPlane
    rack: Path

    def programmed(self) -> list[str]:
        entries = self.plane.programs[-1].entries if self.plane.programs else ()
        return [f"{entry.target}: {entry.conditions}" for entry in entries if not entry.conditions.is_neutral]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    plane = NullPlane()
    with SimulatedAppliance(plane, serial="LAB1") as appliance:
        host, port = appliance.serve_scpi()
        file = tmp_path / "rack.yaml"
        file.write_text(f"appliances:\n  wan-1: {{driver: scpi, address: 'tcp://{host}:{port}'}}\n")
        yield Lab(plane, file)


@pytest.fixture
def rack_file(lab: Lab) -> Path:
    return lab.rack


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_tests_that_want_no_appliance_import_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
import sys
def test_unrelated():
    assert [name for name in {HEAVY!r} if name in sys.modules] == []
"""
    )
    result = pytester.runpytest_subprocess(*PLUGIN, "-p", "no:anyio")
    result.assert_outcomes(passed=1)


def test_everything_is_listed_with_what_it_is_for(pytester: pytest.Pytester) -> None:
    fixtures = pytester.runpytest_subprocess(*PLUGIN, "--fixtures").stdout.str()
    for name in ("rack [[]session scope]", "box", "path", "run", "stations [[]session scope]"):
        head = f"impairlab_{name}".replace("[[]", "[")
        assert f"\n{head} -- " in fixtures
    assert "no docstring available" not in fixtures.partition("impairlab_")[2].partition("fixtures defined from")[0]
    markers = pytester.runpytest_subprocess(*PLUGIN, "--markers").stdout
    markers.fnmatch_lines(["@pytest.mark.impairlab_needs(*): skip *", "@pytest.mark.impairlab_scenario(*): run *"])
    options = pytester.runpytest_subprocess(*PLUGIN, "--help").stdout
    options.fnmatch_lines(
        ["network impairment:", *(f"*--impairlab-{name}*" for name in ("rack", "runs", "sim", "wait"))]
    )


def test_every_fixture_and_option_has_the_prefix(pytester: pytest.Pytester, rack_file: Path) -> None:
    fixtures = pytester.runpytest_subprocess(*PLUGIN, "--fixtures").stdout.str().partition(f"from {MODULE}")[2]
    own = re.findall(r"^(\w+)(?: \[.*\])? -- ", fixtures.partition("fixtures defined from")[0], flags=re.MULTILINE)
    assert len(own) == 5
    assert all(name.startswith("impairlab_") for name in own)
    group = pytester.runpytest_subprocess(*PLUGIN, "--help").stdout.str().partition("network impairment:\n")[2]
    options = re.findall(r"^  (-\S+)", group.partition("\n\n")[0], flags=re.MULTILINE)
    assert len(options) == 6
    assert all(option.startswith("--impairlab-") for option in options)


def test_the_header_names_the_rack_only_where_one_is_given(pytester: pytest.Pytester, rack_file: Path) -> None:
    given = pytester.runpytest_subprocess(*PLUGIN, "--collect-only", "--impairlab-rack", str(rack_file))
    given.stdout.fnmatch_lines([f"impairlab: rack {rack_file}"])
    pytester.runpytest_subprocess(*PLUGIN, "--collect-only").stdout.no_fnmatch_line("*impairlab*rack*")


def test_each_worker_has_a_simulated_rack_and_sections_travel(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import os, pytest
from impairlab.drivers import delay
@pytest.mark.parametrize("number", range(4))
def test_it(impairlab_box, impairlab_path, number):
    assert impairlab_box.identity.serial == "SIM-" + os.environ["PYTEST_XDIST_WORKER"]
    impairlab_path.apply(delay(f"{number} ms"), direction="a-b")
    assert number % 2
"""
    )
    result = pytester.runpytest_subprocess(*PLUGIN, "-n2", "--impairlab-sim", "null")
    result.assert_outcomes(passed=2, failed=2)
    text = result.stdout.str()
    assert text.count("- impairlab timeline -") == 2
    result.stdout.fnmatch_lines_random(["*s  sim-1 path 1 a-b: delay 0 s", "*s  sim-1 path 1 a-b: delay 2 ms"])


def test_workers_take_turns_with_one_rack(pytester: pytest.Pytester, rack_file: Path) -> None:
    pytester.makepyfile(
        """
import pytest, time
from impairlab.drivers import delay
@pytest.mark.parametrize("number", range(1, 7))
def test_it(impairlab_path, number):
    assert impairlab_path.a_to_b.read().is_neutral
    with impairlab_path.impaired(delay(f"{number} ms")):
        time.sleep(0.02)
        assert str(impairlab_path.a_to_b.read()) == f"delay {number} ms"
@pytest.mark.parametrize("number", range(2))
@pytest.mark.impairlab_scenario("brief.yaml")
def test_scenario(impairlab_run, number):
    assert impairlab_run.wait().outcome == "success"
"""
    )
    pytester.path.joinpath("brief.yaml").write_text(
        "scenario: brief\nneeds: {wan: []}\nphases:\n  - rough: {for: 50 ms, wan: {both: {delay: 40 ms}}}\n"
    )
    result = pytester.runpytest_subprocess(*PLUGIN, "-n2", "--impairlab-rack", str(rack_file), "--impairlab-runs", "r")
    result.assert_outcomes(passed=8)
    assert len(list(pytester.path.joinpath("r").iterdir())) == 2


def test_a_rack_in_use_elsewhere_is_an_error_after_the_wait(pytester: pytest.Pytester, rack_file: Path) -> None:
    pytester.makepyfile(
        f"""
import pathlib, subprocess, sys
def test_outer(impairlab_box):
    command = [sys.executable, "-m", "pytest", *{PLUGIN!r}, "--impairlab-rack", {str(rack_file)!r},
               "--impairlab-wait", "0.1", "inner.py"]
    inner = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "locked by another process that tests with" in inner.stdout
    assert ", for 0.1 s" in inner.stdout
    assert "1 error" in inner.stdout
"""
    )
    pytester.path.joinpath("inner.py").write_text("def test_inner(impairlab_box): pass\n")
    pytester.runpytest_subprocess(*PLUGIN, "--impairlab-rack", str(rack_file)).assert_outcomes(passed=1)


def test_the_junit_file_names_the_appliance(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(impairlab_path):\n    impairlab_path.clear()\n    assert 0")
    pytester.runpytest_subprocess(*PLUGIN, "--impairlab-sim", "null", "--junitxml=junit.xml").assert_outcomes(failed=1)
    assert 'name="impairlab.appliance" value="sim-1: impairlab IL-8 SIM-main 1.0"' in (
        pytester.path.joinpath("junit.xml").read_text()
    )


ENDLESS = """\
scenario: endless
needs: {wan: []}
traffic:
  chat: {kind: inference, url: "${SERVICE}", rate: 20 req/s, prompt: 16 tok, output: 400 tok}
phases:
  - rough: {for: 1 h, wan: {b-a: {delay: 40 ms}}}
"""


@pytest.fixture
def service() -> Iterator[str]:
    with serve_inference() as running:
        yield running.address


def test_the_end_of_the_body_ends_the_traffic_too(pytester: pytest.Pytester, service: str) -> None:
    pytester.path.joinpath("endless.yaml").write_text(ENDLESS)
    pytester.makepyfile(
        f"""
import pytest, time
@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("SERVICE", {service!r})
@pytest.mark.impairlab_scenario("endless.yaml")
def test_it(service, impairlab_run):
    requests = impairlab_run.folder.requests("chat")
    deadline = time.monotonic() + 30
    while not requests.exists() or len(requests.read_text().splitlines()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
"""
    )
    begin = time.monotonic()
    result = pytester.runpytest_subprocess(*PLUGIN, "--impairlab-sim", "null", "--impairlab-runs", "runs")
    result.assert_outcomes(passed=1)
    assert time.monotonic() - begin < 60
    [run] = pytester.path.joinpath("runs").iterdir()
    assert '"status":"cancelled"' in run.joinpath("requests", "chat.jsonl").read_text().replace(": ", ":")
    assert "aborted" in run.joinpath("report.html").read_text()


@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize("interrupts", [1, 2])
def test_ctrl_c_of_a_terminal_leaves_the_appliance_as_before(
    pytester: pytest.Pytester, lab: Lab, service: str, interrupts: int
) -> None:
    pytester.path.joinpath("endless.yaml").write_text(ENDLESS)
    pytester.makepyfile(
        """
import pytest, time
@pytest.mark.impairlab_scenario("endless.yaml")
def test_it(impairlab_path, impairlab_run):
    impairlab_run.wait()
"""
    )
    command = [sys.executable, "-m", "pytest", *PLUGIN, "--impairlab-rack", str(lab.rack)]
    environment = {**os.environ, "SERVICE": service}
    with subprocess.Popen(
        command, cwd=pytester.path, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        until(lambda: lab.programmed() == ["path 1 b-a: delay 40 ms"])
        for _ in range(interrupts):  # as a terminal does: to everything in the foreground
            os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    # The second one may meet pytest while it tells of the first, and then pytest ends by it.
    ends = {pytest.ExitCode.INTERRUPTED} if interrupts == 1 else {pytest.ExitCode.INTERRUPTED, -signal.SIGINT}
    assert process.returncode in ends, output
    assert lab.programmed() == []


@pytest.mark.netns
def test_packets_are_really_delayed(pytester: pytest.Pytester) -> None:
    if reason := NetnsPlane.available():
        pytest.skip(reason)
    pytester.makepyfile(
        """
import subprocess, sys
from impairlab.drivers import delay
SERVER = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('', 7)); print(flush=True)\\n"
SERVER += "while True:\\n  d, a = s.recvfrom(9); s.sendto(d, a)"
CLIENT = '''
import socket, sys, time
s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(5); t = time.monotonic()
s.sendto(b"x", (sys.argv[1], 7)); s.recv(9); print(time.monotonic() - t)
'''
def round_trip(stations):
    command = stations.command_in("client", [sys.executable, "-c", CLIENT, stations.address("server")])
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
def test_it(impairlab_path, impairlab_stations, impairlab_rack):
    assert impairlab_rack.simulation.plane == "netns"
    echo = impairlab_stations.command_in("server", [sys.executable, "-c", SERVER])
    with subprocess.Popen(echo, stdout=subprocess.PIPE) as server:
        server.stdout.readline()
        before = round_trip(impairlab_stations)
        with impairlab_path.impaired(delay("300 ms"), direction="b-a"):
            assert 0.3 <= round_trip(impairlab_stations) < 3
        after = round_trip(impairlab_stations)
        server.kill()
    assert max(before, after) < 0.3
"""
    )
    pytester.runpytest_subprocess(*PLUGIN, "--impairlab-sim", "netns", "--impairlab-strict").assert_outcomes(passed=1)


@pytest.mark.netns
def test_the_example_of_the_how_to_runs_as_written(pytester: pytest.Pytester) -> None:
    if reason := NetnsPlane.available():
        pytest.skip(reason)
    for file in HOW_TO.glob("*.*"):
        shutil.copy(file, pytester.path)
    result = pytester.runpytest_subprocess(*PLUGIN, "--impairlab-strict", "--impairlab-runs", "runs")
    if "INVALID: " in result.stdout.str():  # a busy machine made the generator late, and the verdict says so
        result.assert_outcomes(passed=3, failed=1)
    else:
        result.assert_outcomes(passed=4)
    [run] = pytester.path.joinpath("runs").iterdir()
    assert run.joinpath("report.html").exists()


def test_the_how_to_names_every_option_fixture_and_marker(pytester: pytest.Pytester) -> None:
    page = HOW_TO.with_suffix(".md").read_text()
    listed = "".join(
        pytester.runpytest_subprocess(*PLUGIN, what).stdout.str() for what in ("--help", "--fixtures", "--markers")
    )
    names = set(re.findall(r"--impairlab-\w+|(?<=mark\.)impairlab_\w+|^impairlab_\w+(?= )", listed, flags=re.MULTILINE))
    assert len(names) >= 13
    assert [name for name in sorted(names) if name not in page] == []


def test_the_installed_entry_point_loads_the_plugin(tmp_path: Path) -> None:
    installed = [entry for entry in entry_points(group="pytest11") if entry.name == "impairlab"]
    if not installed:
        pytest.skip("impairlab is not installed here, so it has no entry points")
    assert installed[0].value == MODULE
    tmp_path.joinpath("test_it.py").write_text("def test_it(impairlab_path): assert impairlab_path.name == '1'\n")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--impairlab-sim", "null"]
    result = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_plugin_is_where_the_entry_point_says() -> None:
    assert importlib.util.find_spec(MODULE) is not None
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    assert f'impairlab = "{MODULE}"' in pyproject.read_text()
