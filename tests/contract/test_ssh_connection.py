"""Connections to scripted servers: who logs in by what, which key is right, and what goes wrong before any of that."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from impairlab.drivers.links.ssh import HostKey, Login, SshConnection, SshEndpoint, Trust, read_host_key
from impairlab.drivers.model.errors import (
    AuthError,
    ConnectError,
    ConnectionLost,
    FileError,
    HostKeyChanged,
    HostKeyUnknown,
    NoResponse,
    SessionLimit,
    UnexpectedOutput,
)
from impairlab.drivers.testing.peers import SocketWire, tcp_peer
from impairlab.drivers.testing.ssh_peer import ChannelWire, House, new_host_key, ssh_peer

MS = 1_000_000
HOST_KEY = new_host_key()
USER_KEY = paramiko.RSAKey.generate(2048)


def key_of(key: paramiko.PKey) -> HostKey:
    return HostKey(key.get_name(), key.asbytes())


FINGERPRINT = key_of(HOST_KEY).fingerprint


def endpoint(address: tuple[str, int], login: Login | None = None, trust: Trust | None = None) -> SshEndpoint:
    return SshEndpoint(*address, login or Login("admin", ""), trust or Trust(Path("/nonexistent"), FINGERPRINT))


def silent(_number: int, wire: ChannelWire) -> None:
    wire.read_line()


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(5)  # a timer that was cancelled needs a moment to end
    assert set(threading.enumerate()) - before == set()


@pytest.mark.parametrize("interactive_only", [False, True])
@pytest.mark.parametrize("password", ["", "hunter2", "påss wörd"])
def test_password_is_accepted_also_the_empty_one(password: str, interactive_only: bool) -> None:
    house = House(HOST_KEY, passwords={"admin": password}, interactive_only=interactive_only)
    with ssh_peer(silent, house) as address, SshConnection(endpoint(address, Login("admin", password))) as connection:
        assert connection.alive
        assert connection.host_key == key_of(HOST_KEY)


@pytest.mark.parametrize(
    ("login", "problem"),
    [
        (Login("admin", "wrong"), "refused admin by the password"),
        (Login("admin", ""), "refused admin by the empty password"),
        (Login("admin"), "refused admin by neither password nor key; the host accepts password, publickey"),
    ],
)
def test_refused_login_says_what_was_tried_and_no_secret(login: Login, problem: str) -> None:
    house = House(HOST_KEY, passwords={"admin": "hunter2"})
    with ssh_peer(silent, house) as address, pytest.raises(AuthError) as raised:
        SshConnection(endpoint(address, login))
    assert problem in str(raised.value)
    assert "wrong" not in str(raised.value)


@pytest.mark.parametrize("passphrase", [None, "open sesame"])
def test_key_file_is_accepted_with_its_passphrase(tmp_path: Path, passphrase: str | None) -> None:
    USER_KEY.write_private_key_file(str(tmp_path / "key"), passphrase)
    house = House(HOST_KEY, passwords={}, keys=(USER_KEY,))
    login = Login("admin", passphrase, key_file=tmp_path / "key")
    with ssh_peer(silent, house) as address, SshConnection(endpoint(address, login)) as connection:
        assert connection.alive


def test_key_that_cannot_be_used(tmp_path: Path) -> None:
    USER_KEY.write_private_key_file(str(tmp_path / "locked"), "open sesame")
    (tmp_path / "rubbish").write_text("not a key")
    with ssh_peer(silent, House(HOST_KEY)) as address:
        for name, problem in (("none", "cannot be read"), ("locked", "passphrase"), ("rubbish", "cannot be used")):
            with pytest.raises(AuthError, match=problem):
                SshConnection(endpoint(address, Login("admin", key_file=tmp_path / name)))


@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="no ssh-agent (apt-get install openssh-client)")
def test_keys_of_the_agent_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    USER_KEY.write_private_key_file(str(tmp_path / "key"))
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        _wait_for(tmp_path / "agent")
        login = Login("admin", agent=True)
        house = House(HOST_KEY, passwords={}, keys=(USER_KEY,))
        with ssh_peer(silent, house) as address:
            with pytest.raises(AuthError, match="no key: the agent has none"):
                SshConnection(endpoint(address, login))
            subprocess.run(["ssh-add", "-q", tmp_path / "key"], check=True)
            with SshConnection(endpoint(address, login)) as connection:
                assert connection.alive
    finally:
        agent.terminate()
        agent.wait()


def _wait_for(path: Path) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if path.exists():
            return
        pause.wait(0.01)
    raise AssertionError(f"{path} did not come")


class TestHostKey:
    @pytest.fixture
    def known(self, tmp_path: Path) -> Trust:
        return Trust(tmp_path / "config" / "known_keys")

    def test_unknown_key_is_refused_with_its_fingerprint_and_the_command_that_enrols_it(self, known: Trust) -> None:
        with ssh_peer(silent, House(HOST_KEY)) as address:
            with pytest.raises(HostKeyUnknown) as raised:
                SshConnection(endpoint(address, trust=known))
            command = f"impairlab ssh-key enrol ssh://127.0.0.1:{address[1]} --known-keys {known.known_keys}"
            assert FINGERPRINT in str(raised.value)
            assert str(raised.value).endswith(command)

    def test_enrolled_key_is_accepted_and_another_one_is_not(self, known: Trust) -> None:
        with ssh_peer(silent, House(HOST_KEY)) as address:
            where = endpoint(address, trust=known)
            where.known_keys.enrol(where.host, where.port, read_host_key(where))
            SshConnection(where).close()
            other = new_host_key()
            where.known_keys.enrol(where.host, where.port, key_of(other))
            with pytest.raises(HostKeyChanged) as raised:
                SshConnection(where)
        for part in (FINGERPRINT, key_of(other).fingerprint, "impairlab ssh-key enrol", "--replace"):
            assert part in str(raised.value)

    def test_fingerprint_in_the_address_decides_alone(self, known: Trust) -> None:
        other = key_of(new_host_key()).fingerprint
        with ssh_peer(silent, House(HOST_KEY)) as address:
            where = endpoint(address, trust=Trust(known.known_keys, other))
            where.known_keys.enrol(where.host, where.port, key_of(HOST_KEY))
            with pytest.raises(HostKeyChanged) as raised:
                SshConnection(where)
        assert FINGERPRINT in str(raised.value)
        assert other in str(raised.value)

    def test_kind_of_key_that_is_pinned_is_asked_for(self, known: Trust) -> None:
        """A host with several keys shows the one that is known."""
        rsa = paramiko.RSAKey.generate(2048)
        with ssh_peer(silent, House(HOST_KEY, more_host_keys=(rsa,))) as address:
            where = endpoint(address, trust=known)
            for key in (rsa, HOST_KEY):
                where.known_keys.enrol(where.host, where.port, key_of(key))
                with SshConnection(where) as connection:
                    assert connection.host_key == key_of(key)

    def test_no_password_goes_to_a_host_with_the_wrong_key(self, known: Trust) -> None:
        asked = []

        class Eager(dict):
            def get(self, user: str) -> str:
                asked.append(user)
                return ""

        with ssh_peer(silent, House(HOST_KEY, passwords=Eager())) as address, pytest.raises(HostKeyUnknown):
            SshConnection(endpoint(address, trust=known))
        assert asked == []

    def test_faulty_file_is_told_line_by_line(self, known: Trust) -> None:
        known.known_keys.parent.mkdir()
        known.known_keys.write_text("# fine\n\nbox ssh-rsa\nbox ssh-rsa !!!\nbox ssh-rsa AAAA\n")
        with ssh_peer(silent, House(HOST_KEY)) as address, pytest.raises(FileError) as raised:
            SshConnection(endpoint(address, trust=known))
        assert [fault.split(": ")[0] for fault in raised.value.faults] == [
            f"{known.known_keys}:{line}" for line in (3, 4, 5)
        ]


@pytest.mark.parametrize(
    ("words", "error", "problem"),
    [
        (b"", SessionLimit, "closed it unanswered"),
        (b"Exceeded MaxStartups\r\n", SessionLimit, "closed it unanswered"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", UnexpectedOutput, "does not speak SSH: b'HTTP"),
        (b"SSH-2.0-broken\r\n", ConnectionLost, "no SSH connection"),
    ],
)
def test_what_answers_instead_of_ssh(words: bytes, error: type[Exception], problem: str) -> None:
    def say(_number: int, wire: SocketWire) -> None:
        wire.send(words)
        wire.read(20)  # what is left unread would become a reset

    with tcp_peer(say) as address, pytest.raises(error, match=problem):
        SshConnection(endpoint(address))


@pytest.mark.parametrize("words", [b"", b"SSH-2.0-slow\r\n"])
def test_mute_peer_is_given_up_at_the_deadline(words: bytes) -> None:
    def mute(_number: int, wire: SocketWire) -> None:
        wire.send(words)
        while wire.read(1):
            pass

    with tcp_peer(mute) as address, pytest.raises(NoResponse):
        SshConnection(endpoint(address), timeout_ns=300 * MS)


def test_name_that_does_not_resolve() -> None:
    with pytest.raises(ConnectError, match="does not resolve"):
        SshConnection(endpoint(("no-such-host.invalid", 22)))


def test_two_channels_share_a_connection_and_a_third_is_one_too_many() -> None:
    with (
        ssh_peer(silent, House(HOST_KEY, most_sessions=2)) as address,
        SshConnection(endpoint(address)) as connection,
    ):
        connection.open_shell()
        connection.open_command("true")
        with pytest.raises(SessionLimit, match="gives no further session"):
            connection.open_shell()
        assert connection.alive


def test_host_that_runs_nothing() -> None:
    with (
        ssh_peer(silent, House(HOST_KEY, refuses_shells=True)) as address,
        SshConnection(endpoint(address)) as connection,
        pytest.raises(ConnectError, match="runs nothing in it"),
    ):
        connection.open_command("true")


def test_bytes_cross_a_command_untouched_and_its_complaints_apart() -> None:
    everything = bytes(range(256)) * 4

    def echo(_number: int, wire: ChannelWire) -> None:
        wire.complain(b"warned\n")
        while content := wire.read_some():
            wire.send(content)

    with (
        ssh_peer(echo, House(HOST_KEY)) as address,
        SshConnection(endpoint(address)) as connection,
    ):
        until_ns = 2**62
        channel = connection.open_command("cat")
        assert channel.send(everything, until_ns)
        came = b""
        while len(came) < len(everything):
            came += channel.receive(until_ns) or b""
        assert came == everything
        assert channel.complaints == "warned\n"
        assert channel.exit_status is None
        channel.close()


def test_closing_twice_is_closing_once() -> None:
    with ssh_peer(silent, House(HOST_KEY)) as address:
        connection = SshConnection(endpoint(address))
        connection.close()
        connection.close()
        assert not connection.alive
