"""Clients that nobody here wrote find and use the VXI-11 server at its own ports, in a network namespace of the test.

The namespace has a loopback and nothing else; broadcasts go there too.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LAN = Path(__file__).parent / "lan"
GLIDER = [sys.executable, str(LAN / "glider.py")]
SERVE = [sys.executable, "-c", "from impairlab.controller.cli import main; main()", "sim", "serve", "--plane", "null"]
APPLIANCE = [*SERVE, "--host", "0.0.0.0", "--vxi11", "--json"]
APART = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
ENTER = ["nsenter", "--net"] if os.geteuid() == 0 else ["nsenter", "--user", "--net", "--preserve-credentials"]
SET_UP = 'ip link set lo up && ip route add 255.255.255.255 dev lo && exec "$@"'

Run = Callable[..., subprocess.CompletedProcess[str]]


@contextmanager
def serving(command: list[str]) -> Iterator[Run]:
    """Serve in a namespace of its own; yields what runs other commands there."""
    if missing := [each for each in ("unshare", "nsenter", "ip") if shutil.which(each) is None]:
        pytest.skip(f"{' and '.join(missing)}: not here (apt-get install iproute2 util-linux)")
    refused = subprocess.run([*APART, "true"], capture_output=True, text=True)
    if refused.returncode:
        pytest.skip(f"no network namespace: {refused.stderr.strip()}")
    with subprocess.Popen(
        [*APART, "sh", "-c", SET_UP, "sh", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert json.loads(server.stdout.readline())

        def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*ENTER, "--target", str(server.pid), "--", *arguments],
                capture_output=True,
                text=True,
                timeout=110,
                env=os.environ | environment,
            )

        yield run
        server.stdin.close()
        assert server.wait(10) == 0


@pytest.fixture(scope="module")
def beside_appliance() -> Iterator[Run]:
    with serving(APPLIANCE) as run:
        yield run


@pytest.fixture
def lxi(beside_appliance) -> Callable[..., str]:
    if shutil.which("lxi") is None:
        pytest.skip("lxi is not here: apt-get install lxi-tools")

    def lxi(*arguments: str) -> str:
        finished = beside_appliance("lxi", *arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return lxi


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("*IDN?", "impairlab,IL-8,SIM0001,1.0\n"),
        ('PATH1:AB:COND "DEL:MEAN 45 MS;DEL:STAT ON";APPL;*OPC?;:PATH1:AB:DEL:MEAN?', "1;0.045\n"),
        ("*ESE 255;*ESE?;:SYST:ERR?", '255;0,"No error"\n'),
    ],
)
@pytest.mark.parametrize("transport", [[], ["-r", "-p", "5025"]], ids=["vxi-11", "raw"])
def test_lxi_scpi(lxi, transport, message, answer):
    assert lxi("scpi", "-a", "127.0.0.1", *transport, message) == answer


@pytest.mark.parametrize("transport", [[], ["-r", "-p", "5025"]], ids=["vxi-11", "raw"])
def test_lxi_benchmark(lxi, transport):
    assert re.search(r"Result: [0-9.]+ requests/second", lxi("benchmark", "-a", "127.0.0.1", "-c", "300", *transport))


def test_lxi_discover_finds_it_by_broadcast(lxi):
    assert 'Found "impairlab,IL-8,SIM0001,1.0" on address 127.0.0.1' in lxi("discover")


def test_pyvisa_finds_it_by_broadcast_and_opens_what_it_found(beside_appliance):
    script = """
import pyvisa
manager = pyvisa.ResourceManager("@py")
found = [name for name in manager.list_resources("TCPIP?*")]
print(*found, manager.open_resource(found[0]).query("*IDN?").strip())
"""
    finished = beside_appliance(sys.executable, "-W", "ignore", "-c", script)
    assert finished.stdout == "TCPIP::127.0.0.1::INSTR impairlab,IL-8,SIM0001,1.0\n", finished.stderr


SUITE = "pyvisa_py.testsuite.keysight_assisted_tests"
KNOWN_TO_FAIL = {
    # PyVISA-py lists what answers a broadcast as TCPIP::<address>::INSTR, and the test looks for the same resource
    # under its full name, TCPIP0::<address>::inst0::INSTR.
    "TestPyResourceManager::test_list_resource",
    # It compares those two names of every resource that is listed.
    "TestPyResourceManager::test_listing_resource_infos",
}


def outcomes(run: Run, folder: Path) -> dict[str, str]:
    """The tests of PyVISA-py that passed and failed; those it expects to fail are neither, whatever they do."""
    finished = run(
        *(sys.executable, "-m", "pytest", "-q", "-rpfE", "-c", os.devnull, "--rootdir", str(folder)),
        *("-p", "no:cacheprovider", "-p", "no:impairlab", "-p", "patient", "--pyargs", SUITE),
        PYTHONPATH=os.pathsep.join(filter(None, [str(LAN), os.environ.get("PYTHONPATH")])),
        PYVISA_KEYSIGHT_VIRTUAL_INSTR="0",
        PYVISA_LIBRARY="@py",
    )
    told = re.findall(r"^(PASSED|FAILED|ERROR) \S*?/?(test_\w+\.py)::(\S+)", finished.stdout, re.MULTILINE)
    assert told, finished.stdout + finished.stderr
    return {name: outcome for outcome, _, name in told}


def test_suite_of_pyvisa_py(tmp_path):
    with serving(GLIDER) as run:
        told = outcomes(run, tmp_path)
    assert {name for name, outcome in told.items() if outcome != "PASSED"} == KNOWN_TO_FAIL
    assert sum(outcome == "PASSED" for outcome in told.values()) >= 60
