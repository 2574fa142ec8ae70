"""Scripted SSH peers: a server whose sessions do exactly what a test says, well or badly."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_FAILED_RESOURCE_SHORTAGE, OPEN_SUCCEEDED
from paramiko.server import InteractiveQuery

from impairlab.drivers.testing.peers import Script, Wire

_OK = AUTH_SUCCESSFUL
_NO = AUTH_FAILED
_GRANTED = OPEN_SUCCEEDED
_FULL = OPEN_FAILED_RESOURCE_SHORTAGE


def new_host_key() -> paramiko.ECDSAKey:
    """Return a key for a server."""
    return paramiko.ECDSAKey.generate()


@dataclass(frozen=True)
class House:
    """What a scripted server does before its script has a say.

    Attributes:
        host_key: The key it shows.
        passwords: By user.
        keys: Public keys that anybody may log in with.
        interactive_only: Whether passwords are taken by keyboard-interactive alone.
        most_sessions: Session channels that it gives, counted over all connections and never given back; None: any.
        refuses_shells: Whether it gives sessions and runs nothing in them.
        more_host_keys: Keys of other kinds that it has besides.
    """

    host_key: paramiko.PKey = field(default_factory=new_host_key)
    passwords: Mapping[str, str] = field(default_factory=lambda: {"admin": ""})
    keys: tuple[paramiko.PKey, ...] = ()
    interactive_only: bool = False
    most_sessions: int | None = None
    refuses_shells: bool = False
    more_host_keys: tuple[paramiko.PKey, ...] = ()


class ChannelWire:
    """A `Wire` over a session channel."""

    def __init__(self, channel: paramiko.Channel, transport: paramiko.Transport, command: str | None) -> None:
        self.channel = channel
        self.transport = transport
        self.command = command
        self._unread = b""

    def read_line(self) -> str | None:
        """Return the next line without its LF; None when the other side has gone."""
        while b"\n" not in self._unread:
            content = self._receive()
            if not content:
                return None
            self._unread += content
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def read_some(self) -> bytes:
        """Return what comes next; b"" when the other side has gone."""
        if self._unread:
            content, self._unread = self._unread, b""
            return content
        return self._receive()

    def _receive(self) -> bytes:
        try:
            return self.channel.recv(65_536)
        except OSError:
            return b""

    def send(self, content: bytes) -> None:
        """Send bytes; return when the other side has them. Nothing when it has gone."""
        with suppress(OSError, paramiko.SSHException, EOFError):
            self.channel.sendall(content)
            self._wait_until_taken()

    def complain(self, content: bytes) -> None:
        """Send bytes on standard error."""
        with suppress(OSError, paramiko.SSHException, EOFError):
            self.channel.sendall_stderr(content)

    def close(self) -> None:
        """End the session in the ordinary way; return when the other side knows of it."""
        with suppress(OSError, paramiko.SSHException, EOFError):
            self.channel.close()
            self._wait_until_taken()

    def _wait_until_taken(self) -> None:
        """Ask and wait for the refusal: requests are answered in their order, after what was sent before."""
        self.transport.global_request("are-you-there@impairlab", wait=True)

    def hang_up(self) -> None:
        """End the whole connection without a word."""
        self.transport.close()
        with suppress(OSError):
            self.transport.sock.shutdown(socket.SHUT_RDWR)


class ShellWire:
    """A `Wire` whose peer is a person at a terminal: shows a prompt before it reads, and echoes what it reads.

    The first `ignored` lines get nothing but another prompt; `ShellLink` learns the prompt from them.
    """

    def __init__(self, wire: ChannelWire, prompt: bytes = b"box]> ", greeting: bytes = b"", ignored: int = 2) -> None:
        self.wire = wire
        self._prompt = prompt
        self._ignored = ignored
        wire.send(greeting)

    def read_line(self) -> str | None:
        """Show the prompt, echo what comes, and return it."""
        while True:
            self.wire.send(self._prompt)
            line = self.wire.read_line()
            if line is None:
                return None
            self.wire.send(line.encode() + b"\r\n")
            if line or not self._ignored:
                return line
            self._ignored -= 1

    def send(self, content: bytes) -> None:
        """Write to the terminal."""
        self.wire.send(content)

    def close(self) -> None:
        """End the session."""
        self.wire.close()


def as_shell(script: Script) -> Callable[[int, ChannelWire], None]:
    """Return the script with a prompt and an echo around it."""

    def serve(number: int, wire: ChannelWire) -> None:
        shell: Wire = ShellWire(wire)
        script(number, shell)

    return serve


class _Doorkeeper(paramiko.ServerInterface):
    def __init__(self, house: House, sessions: _Count) -> None:
        self._house = house
        self._sessions = sessions
        self.command: str | None = None
        self.started = Event()

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 - paramiko's signature
        return "keyboard-interactive,publickey" if self._house.interactive_only else "password,publickey"

    def check_auth_password(self, username: str, password: str) -> int:
        right = self._house.passwords.get(username) == password and not self._house.interactive_only
        return _OK if right else _NO

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:  # noqa: ARG002
        self._user = username
        return InteractiveQuery("", "", ("Password: ", False))

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return _OK if [self._house.passwords.get(self._user)] == responses else _NO

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:  # noqa: ARG002 - paramiko's signature
        return _OK if key in self._house.keys else _NO

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 - paramiko's signature
        most = self._house.most_sessions
        return _GRANTED if most is None or self._sessions.next() <= most else _FULL

    def check_channel_pty_request(self, *_: object) -> bool:
        return not self._house.refuses_shells

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:  # noqa: ARG002 - paramiko's signature
        self.started.set()
        return not self._house.refuses_shells

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:  # noqa: ARG002
        self.command = command.decode()
        self.started.set()
        return not self._house.refuses_shells


class _Count:
    def __init__(self) -> None:
        self._lock = Lock()
        self._last = 0

    def next(self) -> int:
        with self._lock:
            self._last += 1
            return self._last


class _SshPeer:
    def __init__(self, script: Callable[[int, ChannelWire], None], house: House) -> None:
        self._script = script
        self._house = house
        self._sessions = _Count()
        self._served = _Count()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._transports: list[paramiko.Transport] = []
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for transport in self._transports:
            transport.close()
            with suppress(OSError):
                transport.sock.shutdown(socket.SHUT_RDWR)
        for thread in [*self._threads, *self._transports]:
            if thread.ident is not None:
                thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport = paramiko.Transport(sock)
            transport.set_log_channel("impairlab.ssh")
            for key in (self._house.host_key, *self._house.more_host_keys):
                transport.add_server_key(key)
            self._transports.append(transport)
            thread = Thread(target=self._serve, args=(transport,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, transport: paramiko.Transport) -> None:
        door = _Doorkeeper(self._house, self._sessions)
        try:
            transport.start_server(server=door)
        except (paramiko.SSHException, EOFError, OSError):
            return  # the other side did not like the key, say
        while transport.is_active():
            channel = transport.accept(0.05)
            if channel is None:
                continue
            while not door.started.wait(0.05):
                if not transport.is_active():
                    return
            wire = ChannelWire(channel, transport, door.command)
            self._script(self._served.next(), wire)
            wire.close()


@contextmanager
def ssh_peer(script: Callable[[int, ChannelWire], None], house: House | None = None) -> Iterator[tuple[str, int]]:
    """Serve SSH on a free local TCP port, each session by a script, numbered from 1; yields (host, port)."""
    peer = _SshPeer(script, house or House())
    try:
        yield peer.address
    finally:
        peer.close()
