"""The SSH links against OpenSSH's server: keys pinned and changed, caps, algorithms, and a server that is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from impairlab.controller.cli.app import run_command
from impairlab.drivers.links.ssh import Login, ShellLink, SshConnection, SshEndpoint, SshLineLink, Trust
from impairlab.drivers.model.errors import (
    AuthError,
    ConnectionLost,
    HostKeyChanged,
    HostKeyUnknown,
    IncompatiblePeer,
    SessionLimit,
)
from impairlab.drivers.testing.sshd import SSHD, Sshd, descendants

pytestmark = pytest.mark.skipif(SSHD is None, reason="no sshd (apt-get install openssh-server)")

LONG_NS = 30_000_000_000


@pytest.fixture
def sshd(tmp_path: Path) -> Sshd:
    return Sshd(tmp_path)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(5)  # a timer that was cancelled needs a moment to end
    assert set(threading.enumerate()) - before == set()


def test_key_is_unknown_then_enrolled_then_changed_then_replaced(
    sshd: Sshd, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol = ["ssh-key", "enrol", f"ssh://127.0.0.1:{sshd.port}", "--known-keys", str(sshd.endpoint.trust.known_keys)]
    first = sshd.host_key.fingerprint
    with sshd.running():
        with pytest.raises(HostKeyUnknown, match="ssh-key enrol"):
            SshConnection(sshd.endpoint)
        assert run_command(enrol) == 0
        assert first in capsys.readouterr().out
        assert run_command(enrol) == 0
        assert "enrolled already" in capsys.readouterr().out
        SshConnection(sshd.endpoint).close()
    sshd.new_key("host")
    second = sshd.host_key.fingerprint
    with sshd.running():
        with pytest.raises(HostKeyChanged) as raised:
            SshConnection(sshd.endpoint)
        assert first in str(raised.value)
        assert second in str(raised.value)
        assert run_command(enrol) == 3
        assert second in capsys.readouterr().err
        assert run_command([*enrol, "--replace"]) == 0
        assert f"instead of {first}" in capsys.readouterr().out
        SshConnection(sshd.endpoint).close()


def test_file_of_known_keys_is_one_that_openssh_reads(sshd: Sshd) -> None:
    endpoint = sshd.enrol()
    with sshd.running():
        options = [
            f"-oUserKnownHostsFile={endpoint.trust.known_keys}",
            "-oStrictHostKeyChecking=yes",
            "-oBatchMode=yes",
        ]
        place = ["-i", sshd.folder / "user", "-p", str(sshd.port), f"{sshd.user}@127.0.0.1"]
        done = subprocess.run(["ssh", "-F", "none", *options, *place, "echo fine"], capture_output=True, timeout=60)
    assert done.stdout == b"fine\n"


def test_lines_of_a_command(sshd: Sshd) -> None:
    with sshd.running(), SshLineLink(sshd.enrol(), "cat", timeout_ns=LONG_NS) as link:
        assert link.query("A?") == "A?"


def test_command_that_is_not_there(sshd: Sshd) -> None:
    with (
        sshd.running(),
        SshLineLink(sshd.enrol(), "no-such-agent", timeout_ns=LONG_NS) as link,
        pytest.raises(ConnectionLost, match=r"exit status 127.*no-such-agent"),
    ):
        link.query("A?")


def test_bytes_of_a_command_are_untouched(sshd: Sshd) -> None:
    everything = bytes(range(256)) * 1000
    with sshd.running(), SshConnection(sshd.enrol()) as connection:
        channel = connection.open_command("cat", LONG_NS)
        assert channel.send(everything, 2**62)
        came = b""
        while len(came) < len(everything):
            came += channel.receive(2**62) or b""
        channel.close()
    assert came == everything


def test_shell_of_a_linux_account(sshd: Sshd) -> None:
    """Whatever its prompt, its colours and its motd are."""
    with sshd.running(), ShellLink(sshd.enrol(), timeout_ns=LONG_NS, connect_timeout_ns=LONG_NS) as link:
        assert link.query("echo one; echo two") == "one\ntwo"
        assert link.query("printf '\\033[31mred\\033[0m\\n'") == "red"
        link.write("true")
        assert link.query("echo $((6 * 7))") == "42"


def test_wrong_key_is_refused(sshd: Sshd) -> None:
    endpoint = sshd.enrol()
    with sshd.running():
        login = Login(sshd.user, key_file=sshd.new_key("other"))
        with pytest.raises(AuthError, match="refused"):
            SshConnection(SshEndpoint(endpoint.host, endpoint.port, login, endpoint.trust))


def test_session_cap_is_named(sshd: Sshd) -> None:
    with sshd.running("MaxSessions 1"), SshConnection(sshd.enrol()) as connection:
        connection.open_command("cat", LONG_NS)
        with pytest.raises(SessionLimit, match="no further session"):
            connection.open_command("cat", LONG_NS)


def test_cap_of_connections_that_have_not_logged_in(sshd: Sshd) -> None:
    with sshd.running("MaxStartups 1:100:1"), socket.create_connection(("127.0.0.1", sshd.port)) as waiting:
        assert waiting.recv(100).startswith(b"SSH-")
        with pytest.raises(SessionLimit):
            SshConnection(sshd.enrol())


@pytest.mark.parametrize(
    ("setting", "part", "offer"),
    [
        ("KexAlgorithms diffie-hellman-group1-sha1", "key exchange", "diffie-hellman-group1-sha1"),
        ("HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com,ssh-ed25519\nCiphers chacha20-poly1305@openssh.com",
         "cipher to the server", "chacha20-poly1305@openssh.com"),
    ],
)  # fmt: skip
def test_algorithms_without_one_in_common(sshd: Sshd, setting: str, part: str, offer: str) -> None:
    with sshd.running(setting), pytest.raises(IncompatiblePeer, match="nothing in common") as raised:
        SshConnection(sshd.enrol())
    assert f"{part}: it offers {offer}" in str(raised.value)
    assert "; we offer " in str(raised.value)


def test_server_that_is_killed_in_the_middle_of_an_exchange_is_known_at_once(sshd: Sshd) -> None:
    once = 'read -r line; echo "$line"; exec sleep 60'
    with sshd.running() as master, SshLineLink(sshd.enrol(), once, timeout_ns=LONG_NS) as link:
        assert link.query("A?") == "A?"
        sessions = descendants(master)
        killer = threading.Timer(0.2, lambda: [os.kill(pid, signal.SIGKILL) for pid in reversed(sessions)])
        killer.start()
        with pytest.raises(ConnectionLost) as raised:
            link.exchange("DEL 1;*OPC?")
        killer.join()
        assert not raised.value.state_known


def test_fingerprint_of_ssh_keygen_is_ours(sshd: Sshd) -> None:
    shown = subprocess.run(["ssh-keygen", "-lf", sshd.folder / "host.pub"], capture_output=True, check=True)
    assert shown.stdout.split()[1].decode() == sshd.host_key.fingerprint


def test_fingerprint_in_place_of_the_file(sshd: Sshd) -> None:
    endpoint = sshd.endpoint
    trust = Trust(Path("/nonexistent"), sshd.host_key.fingerprint)
    with sshd.running(), SshConnection(SshEndpoint(endpoint.host, endpoint.port, endpoint.login, trust)) as connection:
        assert connection.alive
