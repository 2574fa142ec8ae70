"""`impairlab ssh-key enrol` against a scripted server: what it stores, what it says and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from impairlab.controller.cli.app import run_command
from impairlab.drivers.links.ssh import HostKey, KnownKeys
from impairlab.drivers.testing.ssh_peer import ChannelWire, House, new_host_key, ssh_peer

KEY, OTHER = new_host_key(), new_host_key()


def fingerprint(key) -> str:
    return HostKey(key.get_name(), key.asbytes()).fingerprint


def nobody_logs_in(_number: int, _wire: ChannelWire) -> None:
    raise AssertionError


def test_key_is_enrolled_where_the_configuration_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with ssh_peer(nobody_logs_in, House(KEY)) as (host, port):
        assert run_command(["ssh-key", "enrol", "--json", f"ssh://admin@{host}:{port}"]) == 0
    path = tmp_path / "impairlab" / "known_keys"
    assert json.loads(capsys.readouterr().out) == {
        "host": host, "port": port, "kind": "ecdsa-sha2-nistp256", "fingerprint": fingerprint(KEY), "new": True,
        "instead_of": [], "known_keys": str(path),
    }  # fmt: skip
    assert [key.fingerprint for key in KnownKeys(path).find(host, port)] == [fingerprint(KEY)]


def test_another_key_is_not_put_in_its_place_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = KnownKeys(tmp_path / "known_keys")
    with ssh_peer(nobody_logs_in, House(KEY)) as (host, port):
        known.enrol(host, port, HostKey(OTHER.get_name(), OTHER.asbytes()))
        command = ["ssh-key", "enrol", f"ssh://{host}:{port}", "--known-keys", str(known.path)]
        assert run_command(command) == 3
        said = capsys.readouterr().err
        assert fingerprint(KEY) in said
        assert fingerprint(OTHER) in said
        assert run_command([*command, "--replace", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["instead_of"] == [fingerprint(OTHER)]
        assert [key.fingerprint for key in known.find(host, port)] == [fingerprint(KEY)]


def test_key_that_the_address_does_not_pin_is_not_enrolled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "known_keys"
    with ssh_peer(nobody_logs_in, House(KEY)) as (host, port):
        address = f"ssh://{host}:{port}?fingerprint={fingerprint(OTHER)}&known_keys={known}"
        assert run_command(["ssh-key", "enrol", "--replace", address]) == 3
    assert "the address pins" in capsys.readouterr().err
    assert not known.exists()


@pytest.mark.parametrize("address", ["tcp://192.0.2.1", "ssh://", "ssh://admin:secret@192.0.2.1", "ssh://box?x=1"])
def test_address_that_is_none_is_one_line(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["ssh-key", "enrol", address]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "secret@" not in said
