"""The how-to guides' examples run as written."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from impairlab.controller.cli.app import run_command
from impairlab.controller.plan.rack import Rack
from impairlab.controller.plan.scenario_file import parse_scenario
from impairlab.controller.run.scenario_run import ScenarioRun
from impairlab.controller.sequencer.clock import StoppableClock, Stopped
from impairlab.drivers import Target, connect, driver_names, loss
from impairlab.drivers.testing.peers import answering, tcp_peer
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
ACME = HOW_TO / "acme"
SCENARIO = """\
scenario: brownout
needs: {wan: [delay.constant]}
phases:
  - calm: {for: 100 ms}
  - slow: {for: 100 ms, wan: {b-a: {delay: 40 ms}}}
"""


@contextmanager
def serving():
    with SimulatedAppliance(NullPlane()) as appliance:
        host, port = appliance.serve_scpi("127.0.0.1", 0)
        yield f"tcp://{host}:{port}"


def python(*words: object, **environment: str) -> str:
    command = [sys.executable, "-W", "error", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_path_is_impaired_proved_and_restored():
    with serving() as address:
        lines = python(HOW_TO / "impair_a_path.py", address).splitlines()
        assert lines[0] == "now: delay 45 ms ± 8 ms normal, loss 0.3 % in bursts of 4"
        assert any(line.startswith("  delay.mean: asked 45 ms, read back 45 ms, within ") for line in lines)
        assert lines[-2] == "afterwards: neutral"
        assert lines[-1].startswith("refused: path 1 a-b delay.mean: 20 s is out of range; legal: 0 s .. 10 s")


def test_a_scenario_runs_from_python_and_leaves_a_report(tmp_path):
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    with serving() as address:
        rack = {"appliances": {"wan-1": {"driver": "scpi", "address": address}}}
        (tmp_path / "rack.yaml").write_text(json.dumps(rack))
        files = (tmp_path / "rack.yaml", tmp_path / "scenario.yaml", tmp_path / "runs")
        first, last = python(HOW_TO / "run_from_python.py", *files).splitlines()
        assert first.startswith("3 steps, the latest ")
        assert Path(last.removeprefix("report: ")).is_file()
        with connect(address) as box:
            assert box.read(Target(path="1", direction="b-a")).conditions.is_neutral


def test_the_tests_of_the_example_driver_pass():
    said = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", ACME, ACME)
    assert re.search(r"^15 passed, 3 skipped", said, re.MULTILINE)


def test_the_example_driver_is_as_short_as_is_said():
    """Lines of code: all but blank ones, comments and docstrings."""
    source = (ACME / "acme.py").read_text()
    described = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            described |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    written = enumerate((line.strip() for line in source.splitlines()), 1)
    code = [line for number, line in written if line and not line.startswith("#") and number not in described]
    said = re.search(r"(\d+) lines of code", (HOW_TO / "driver.md").read_text())
    assert int(said[1]) == len(code) < 60


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The example driver, built and installed by pip as its project file says, in a folder of its own."""
    project, place = tmp_path / "project", tmp_path / "installed"
    shutil.copytree(ACME, project, ignore=shutil.ignore_patterns("__pycache__", "test_*"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", place, project], check=True, timeout=100)
    monkeypatch.syspath_prepend(place)
    yield tmp_path
    sys.modules.pop("acme", None)


def test_the_example_driver_serves_every_verb_once_it_is_installed(installed, capsys):
    assert "acme" in driver_names()
    replies = {"id": "Acme,Delay-o-Matic,77,1.0", "get": "a-b=0 b-a=0"}
    with tcp_peer(answering(lambda line: replies.get(line, "what?"))) as (host, port):
        rack = {"appliances": {"wan-1": {"driver": "acme", "address": f"tcp://{host}:{port}"}}}
        (installed / "rack.yaml").write_text(json.dumps(rack))
        (installed / "scenario.yaml").write_text(SCENARIO)
        options = ["--rack", str(installed / "rack.yaml"), "--on", "wan=wan-1"]
        assert run_command(["check", str(installed / "scenario.yaml"), *options]) == 0
        (installed / "scenario.yaml").write_text(SCENARIO.replace("delay: 40 ms", "loss: 1 %"))
        assert run_command(["check", str(installed / "scenario.yaml"), *options]) == 2
    assert "wan-1: not offered by this appliance; legal: delay" in capsys.readouterr().err


def snippet(page: str) -> str:
    """The only block of Python on a page."""
    [found] = re.findall(r"^```python\n(.*?)^```$", (HOW_TO.parent / page).read_text(), re.DOTALL | re.MULTILINE)
    return found


def execute(code: str, **names: object) -> None:
    exec(code, names)  # noqa: S102 - what a reader of our own pages types


def test_part_of_the_packets_is_impaired_as_shown():
    with serving() as address, connect(address) as box:
        execute(snippet("how-to/impair-a-path.md"), path=box.path("1"), loss=loss)
        assert box.read(Target(path="1", direction="b-a", flow=1)).filter is None


def test_every_flow_is_cleared_as_shown():
    with serving() as address, connect(address) as box:
        box.path("1").apply(loss("1 %"))
        execute(snippet("how-to/real-rack.md").replace("tcp://192.0.2.7:5025", address))
        assert box.read(Target(path="1", direction="a-b")).conditions.is_neutral


@pytest.fixture
def ready(tmp_path):
    """A run that has been entered."""
    with serving() as address:
        rack = Rack.model_validate({"appliances": {"wan-1": {"driver": "scpi", "address": address}}})
        with ScenarioRun(parse_scenario(SCENARIO), rack, {"wan": rack.bind("wan", "wan-1")}, tmp_path / "runs") as run:
            yield run


def test_another_thread_ends_a_run_as_shown(ready):
    clock = StoppableClock()
    clock.stop()
    with pytest.raises(Stopped):
        execute(snippet("how-to/run-from-python.md").replace("StoppableClock()", "told"), run=ready, told=clock)


def test_a_record_is_read_as_shown(ready, capsys):
    ready.perform()
    code = snippet("reference/run-folder.md").replace("runs/20260301-101500-brownout", str(ready.folder.path))
    assert str(ready.folder.path) in code
    execute(code)
    assert capsys.readouterr().out.startswith("success ")
