"""`impairlab doctor netem`: what it prints, and its exit code."""

import json
import shutil
import subprocess

import pytest

from impairlab.controller.cli import doctor
from impairlab.controller.cli.app import run_command
from impairlab.drivers.netem.doctor import Finding


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("note", 0), ("wrong", 1)])
def test_one_line_a_finding(
    state: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda _: iter([Finding("tc", state, "so it is")]))
    assert run_command(["doctor", "netem"]) == code
    assert capsys.readouterr().out == f"{state:<5}  tc: so it is\n"
    assert run_command(["doctor", "netem", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == [{"what": "tc", "state": state, "says": "so it is"}]


def test_a_device_that_is_missing_is_named_on_the_real_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["doctor", "netem", "netem://local?paths=wan:nosuch0"]) == 1
    assert "wrong  nosuch0: there is no device nosuch0; there are " in capsys.readouterr().out


def test_an_address_of_another_machine_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["doctor", "netem", "netem://elsewhere?paths=wan:eth0"]) == 3
    assert "the machine it runs on" in capsys.readouterr().err


@pytest.mark.skipif(not (shutil.which("tc") and shutil.which("unshare")), reason="needs tc and unshare to compare with")
def test_it_finds_a_netem_where_tc_can_use_one(capsys: pytest.CaptureFixture[str]) -> None:
    tried = subprocess.run(["unshare", "-n", "tc", "qdisc", "add", "dev", "lo", "root", "netem"], capture_output=True)
    assert run_command(["doctor", "netem"]) == (1 if tried.returncode else 0)
    printed = capsys.readouterr().out
    assert ("ok     sch_netem: " in printed) == (tried.returncode == 0)
