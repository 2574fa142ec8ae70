"""`impairlab doctor netem` where there is a netem."""

import json
from collections.abc import Iterator

import pytest
from netem_lab import ADDRESS, make_lab, remove_lab, run

from impairlab.controller.cli.app import run_command
from impairlab.drivers import connect


@pytest.fixture(autouse=True)
def lab() -> Iterator[None]:
    make_lab()
    yield
    remove_lab()


def wrong(capsys: pytest.CaptureFixture[str], code: int) -> list[str]:
    assert run_command(["doctor", "netem", "--json", ADDRESS]) == code
    return [each["says"] for each in json.loads(capsys.readouterr().out) if each["state"] == "wrong"]


def test_all_is_well_and_nothing_is_changed(capsys: pytest.CaptureFixture[str]) -> None:
    before = run("tc", "qdisc", "show")
    assert wrong(capsys, 0) == []
    assert run("tc", "qdisc", "show") == before


def test_somebody_elses_root_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    run("tc", "qdisc", "add", "dev", "wb", "root", "handle", "9:", "pfifo")
    (text,) = wrong(capsys, 1)
    assert "pfifo 9:" in text


def test_a_second_owner_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    with connect(ADDRESS, driver="netem"):
        texts = wrong(capsys, 1)
    assert [text.rpartition(" ")[2] for text in texts] == ["wa", "wb"]


def test_the_device_of_the_ssh_session_is_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.2.0.2 50000 10.2.0.1 22")
    (text,) = wrong(capsys, 1)
    assert "wb carries this SSH session" in text
