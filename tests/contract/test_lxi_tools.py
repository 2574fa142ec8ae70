"""lxi-tools, which nobody here wrote, on the raw socket of the simulated appliance."""

import re
import shutil
import subprocess

import pytest

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

pytestmark = pytest.mark.skipif(shutil.which("lxi") is None, reason="lxi is not here: apt-get install lxi-tools")


@pytest.fixture
def raw():
    with SimulatedAppliance(NullPlane()) as sim:
        host, port = sim.serve_scpi()
        yield ["-a", host, "-p", str(port), "-r"]


def lxi(*arguments: str) -> str:
    finished = subprocess.run(["lxi", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return finished.stdout


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("*IDN?", "impairlab,IL-8,SIM0001,1.0\n"),
        ('PATH1:AB:COND "DEL:MEAN 45 MS;DEL:STAT ON";APPL;*OPC?;:PATH1:AB:DEL:MEAN?', "1;0.045\n"),
        ("*ESE 255;*ESE?;:SYST:ERR?", '255;0,"No error"\n'),
    ],
)
def test_scpi_command(raw: list[str], message: str, answer: str) -> None:
    assert lxi("scpi", *raw, message) == answer


def test_refused_command_is_in_the_error_queue(raw: list[str]) -> None:
    assert lxi("scpi", *raw, "NONSENSE") == ""
    assert lxi("scpi", *raw, "SYST:ERR?") == '-113,"Undefined header;:NONSENSE"\n'


def test_benchmark(raw: list[str]) -> None:
    assert re.search(r"Result: [0-9.]+ requests/second", lxi("benchmark", *raw, "-c", "500"))
