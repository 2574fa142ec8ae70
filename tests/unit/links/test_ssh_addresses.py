"""What an address of scheme ssh says, and the file of enrolled keys."""

from pathlib import Path

import pytest

from impairlab.drivers.links.ssh import HostKey, KnownKeys, SshEndpoint, default_known_keys, parse_ssh
from impairlab.drivers.links.ssh.endpoint import enrol_command
from impairlab.drivers.links.ssh.offers import read_offers
from impairlab.drivers.model.errors import ConnectError

PRINT = "SHA256:uKnc+g/NWw9ZTqeTbiJ9Jk4xnf0UrPN9L3kUaW+mXqA"


def endpoint(text: str, secret: str | None = None) -> SshEndpoint:
    address = parse_ssh(text, settings={"engine": "1"}, example="ssh://admin@192.0.2.1?engine=1")
    return SshEndpoint.of(address, secret, "box")


def test_address_says_who_and_where_and_which_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/me/conf")
    plain = endpoint("ssh://admin@[2001:db8::1]", "")
    assert (plain.host, plain.port, plain.login.user, plain.login.password) == ("2001:db8::1", 22, "admin", "")
    assert plain.trust.known_keys == default_known_keys() == Path("/home/me/conf/impairlab/known_keys")
    assert plain.trust.fingerprint is None
    assert enrol_command(plain) == "impairlab ssh-key enrol ssh://[2001:db8::1]:22"
    full = endpoint(f"ssh://root@box:2222?fingerprint={PRINT}&key=/k&agent=yes&known_keys=/f&engine=2")
    assert (full.port, full.trust.fingerprint, full.trust.known_keys) == (2222, PRINT, Path("/f"))
    assert (full.login.key_file, full.login.agent, full.login.password) == (Path("/k"), True, None)
    assert str(full) == "ssh://root@box:2222"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ssh://192.0.2.1", "names no user; write it like ssh://admin@192.0.2.1"),
        ("ssh://admin@box?agent=maybe", "it is yes or no"),
        ("ssh://admin@box?fingerprint=MD5:00", "is not a fingerprint"),
        ("ssh://admin@box?colour=red", "unknown setting 'colour'"),
        ("ssh://admin:secret@box", "holds no password"),
    ],
)
def test_address_that_is_wrong_says_what_would_be_right(text: str, problem: str) -> None:
    with pytest.raises(ConnectError, match=problem) as raised:
        endpoint(text)
    assert "secret@" not in str(raised.value)


def key(filling: bytes) -> HostKey:
    return HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519" + filling)


def test_keys_are_kept_by_host_and_port_beside_what_else_is_in_the_file(tmp_path: Path) -> None:
    known = KnownKeys(tmp_path / "new" / "known_keys")
    assert known.find("box", 22) == ()
    known.enrol("Box", 22, key(b"1"))
    with known.path.open("a") as file:
        file.write("# by hand\n[box]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5MQ== a comment\n")
    known.enrol("box", 22, key(b"2"))
    assert known.find("box", 22) == (key(b"2"),)
    assert known.find("BOX", 2222) == (key(b"1"),)
    assert "# by hand" in known.path.read_text()


def test_offers_that_are_cut_short_are_none() -> None:
    body = bytes([20]) + bytes(16) + b"".join(len(n).to_bytes(4, "big") + n for n in (b"a,b", b"c", b"d", b"e"))
    packet = (len(body) + 5).to_bytes(4, "big") + bytes([4]) + body + bytes(4)
    heard = b"hello\r\nSSH-2.0-x\r\n" + packet
    assert read_offers(heard)["key exchange"] == ["a", "b"]
    assert read_offers(heard)["cipher to us"] == ["e"]
    for end in range(len(heard)):
        assert read_offers(heard[:end]) == {}
