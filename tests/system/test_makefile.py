"""What make says on a machine that lacks something, tried with stand-ins for Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as if by hand and not from within another make."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-C", str(ROOT), *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def make_environment(python: Path, venv: Path) -> subprocess.CompletedProcess[str]:
    """Ask make for the virtual environment."""
    return make(f"PYTHON={python}", f"VENV={venv}", f"{venv}/created")


def test_a_missing_venv_module_is_named_with_its_apt_line(tmp_path: Path) -> None:
    python = script(tmp_path / "python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    result = make_environment(python, tmp_path / "venv")
    assert result.returncode != 0
    assert "apt-get install python3-venv" in result.stderr
    assert not (tmp_path / "venv").exists()


def test_a_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    python = script(tmp_path / "python3", 'case "$2" in *version_info*) exit 1 ;; esac')
    result = make_environment(python, tmp_path / "venv")
    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stderr


def test_one_pip_at_a_time_even_under_make_j(tmp_path: Path) -> None:
    pip = script(tmp_path / "pip", f"mkdir {tmp_path}/busy || exit 1; sleep 0.2; rmdir {tmp_path}/busy")
    venv = tmp_path / "venv"
    python = script(tmp_path / "python3", f'[ "$1" = -c ] || {{ mkdir -p {venv}/bin && cp {pip} {venv}/bin/pip; }}')
    result = make("-j4", f"PYTHON={python}", f"VENV={venv}", f"{venv}/dev", f"{venv}/test", f"{venv}/runtime")
    assert result.returncode == 0, result.stderr
    assert (venv / "dev").exists()


def test_what_an_interrupted_installation_left_is_made_anew(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    fails_once = f"[ -e {tmp_path}/once ] || {{ touch {tmp_path}/once {venv}/ruin; exit 1; }}"
    pip = script(tmp_path / "pip", fails_once)
    python = script(tmp_path / "python3", f'[ "$1" = -c ] || {{ mkdir -p {venv}/bin && cp {pip} {venv}/bin/pip; }}')
    arguments = (f"PYTHON={python}", f"VENV={venv}", f"{venv}/runtime")
    assert make(*arguments).returncode != 0
    assert (venv / "ruin").exists()
    assert make(*arguments).returncode == 0
    assert not (venv / "ruin").exists()


def test_what_another_make_is_installing_is_left_alone(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    venv.mkdir()
    with subprocess.Popen(["flock", venv / "unfinished", "sleep", "1"]) as other:
        while subprocess.run(["flock", "--nonblock", venv / "unfinished", "true"], check=False).returncode == 0:
            assert other.poll() is None
        (venv / "theirs").touch()
        assert make_environment(script(tmp_path / "python3", ":"), venv).returncode == 0
        assert other.wait() == 0
    assert (venv / "theirs").exists()


def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    """A pyenv shim for a version that is not selected is on PATH and fails."""
    this = f"3.{sys.version_info[1]}"
    (tmp_path / f"python{this}").symlink_to(sys.executable)
    for minor in {11, 12, 13, 14} - {sys.version_info[1]}:
        script(tmp_path / f"python3.{minor}", "exit 127")
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYENV_ROOT": str(tmp_path), "HOME": str(tmp_path)}
    found = subprocess.run([ROOT / ".ci" / "pythons"], env=variables, capture_output=True, text=True, check=True).stdout
    assert found.splitlines() == [str(tmp_path / f"python{this}")]


def test_system_packages_without_root_name_what_is_missing_and_go_on(tmp_path: Path) -> None:
    script(tmp_path / "id", "echo 1000")
    script(tmp_path / "dpkg-query", "exit 1")
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [ROOT / ".ci" / "system-packages"]
    result = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    packages = result.stderr.partition("(apt-get install ")[2].rstrip(")\n").split()
    assert "udev" in packages


def test_system_packages_with_root_update_once_and_install_quietly(tmp_path: Path) -> None:
    script(tmp_path / "id", "echo 0")
    script(tmp_path / "dpkg-query", "exit 1")
    script(tmp_path / "apt-get", f'echo "$*" >>{tmp_path}/calls')
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run([ROOT / ".ci" / "system-packages"], env=variables, capture_output=True, check=True)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[0] == "-qq update"
    assert calls[1].startswith("-qq install --yes")
    assert "udev" in calls[1].split()
    assert len(calls) == 2
