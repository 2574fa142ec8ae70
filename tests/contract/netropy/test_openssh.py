"""OpenSSH's client knows the simulated Netropy by its host key, logs in with a key, and programs it."""

import subprocess
from pathlib import Path

import pytest

from impairlab.drivers.model import Conditions, Delay
from impairlab.sim_hardware.netropy import SimulatedNetropy
from impairlab.sim_hardware.planes import NullPlane

COMMANDS = """\
engine 1 emulation on
engine 1 path 1 set delay constant 25 port 1 to port 2
engine 1 path 1 show
exit
"""


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def client(simulator: SimulatedNetropy, key: Path, known: Path, *words: str) -> subprocess.CompletedProcess[str]:
    host, port = simulator.endpoint
    options = {"IdentitiesOnly": "yes", "StrictHostKeyChecking": "yes", "UserKnownHostsFile": known,
               "BatchMode": "yes", "ConnectTimeout": 20}  # fmt: skip
    command = ["ssh", "-F", "none", "-p", str(port), "-i", str(key)]
    command += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return subprocess.run(
        [*command, *words, f"admin@{host}"], input=COMMANDS, capture_output=True, text=True, timeout=60
    )


def known_hosts(simulator: SimulatedNetropy, path: Path) -> Path:
    host, port = simulator.endpoint
    scanned = subprocess.run(["ssh-keyscan", "-p", str(port), host], capture_output=True, text=True, timeout=60)
    path.write_text(scanned.stdout)
    return path


@pytest.mark.parametrize("terminal", ["-tt", "-T"])
def test_it_logs_in_and_programs_a_delay(key: Path, tmp_path: Path, terminal: str) -> None:
    public = key.with_suffix(".pub").read_text()
    with SimulatedNetropy(NullPlane(paths=("1",)), authorized_keys=[public]) as simulator:
        known = known_hosts(simulator, tmp_path / "known")
        printed = subprocess.run(["ssh-keygen", "-lf", str(known)], capture_output=True, text=True, check=True).stdout
        assert simulator.fingerprint in printed
        done = client(simulator, key, known, terminal)
        assert (done.returncode, "Delay: Constant 25ms" in done.stdout) == (0, True), done.stderr
        assert simulator.state.conditions("1", "a-b") == Conditions.of(Delay(mean="25 ms"))


def test_it_refuses_another_host_key(key: Path, tmp_path: Path) -> None:
    public = key.with_suffix(".pub").read_text()
    with SimulatedNetropy(NullPlane(paths=("1",))) as other:
        known = known_hosts(other, tmp_path / "known")
        before = "[{}]:{}".format(*other.endpoint)
    with SimulatedNetropy(NullPlane(paths=("1",)), authorized_keys=[public]) as simulator:
        known.write_text(known.read_text().replace(before, "[{}]:{}".format(*simulator.endpoint)))
        done = client(simulator, key, known, "-tt")
        assert done.returncode == 255
        assert "HOST IDENTIFICATION HAS CHANGED" in done.stderr
        assert simulator.state.entries == ()
