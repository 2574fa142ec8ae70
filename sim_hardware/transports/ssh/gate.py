"""SshGate: lets connections in over SSH and hands over the bytes of each interactive shell as a plain socket."""

import socket
import struct
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from select import select
from threading import Event, Lock, Thread

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

_READ_SIZE = 16_384
_POLL_S = 0.05
_STARTS_WITHIN_S = 10.0
_ENDS_WITHIN_S = 5.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

HandOver = Callable[[socket.socket, str], None]


class SshGate:
    """Speaks SSH with clients; a `Gate` of a `ConversationServer`, which owns the listening socket.

    Shells are given, with a terminal or without; commands, subsystems and forwarding are refused.

    Args:
        host_key: By which the host is known.
        passwords: Of each user; "" is one.
        keys: Public keys with which any of these users may log in.
        name: Of its threads.
    """

    def __init__(
        self, host_key: paramiko.PKey, passwords: Mapping[str, str], keys: Collection[paramiko.PKey], name: str
    ) -> None:
        self._host_key = host_key
        self._passwords = dict(passwords)
        self._keys = tuple(keys)
        self._name = name
        self._lock = Lock()
        self._visits: list[_Visit] = []
        self._cut: list[_Visit] = []

    def admit(self, sock: socket.socket, peer: str, hand_over: HandOver) -> None:
        """Let a client log in and begin shells, in threads of its own."""
        sock.settimeout(None)
        visit = _Visit(sock, peer, hand_over, self._name)
        door = _Doorkeeper(self._passwords, self._keys)
        with self._lock:
            self._visits = [each for each in self._visits if not each.is_over]
            self._visits.append(visit)
        visit.start(self._host_key, door)

    def cut_all(self, *, reset: bool) -> None:
        """Cut every connection."""
        with self._lock:
            self._cut, self._visits = self._visits, []
        for visit in self._cut:
            visit.cut(reset=reset)

    def wait(self) -> None:
        """Wait for the threads of those that were cut."""
        while self._cut:
            self._cut.pop().join()


class _Visit:
    """One SSH connection and the shells in it."""

    def __init__(self, sock: socket.socket, peer: str, hand_over: HandOver, name: str) -> None:
        self._sock = sock
        self._peer = peer
        self._hand_over = hand_over
        self._name = name
        self._transport = paramiko.Transport(sock)
        self._transport.name = f"{name}-transport"
        self._transport.set_log_channel("impairlab.sim.ssh")
        self._host = Thread(target=self._serve, name=f"{name}-visit", daemon=True)
        self._shells: list[Thread] = []

    @property
    def is_over(self) -> bool:
        return self._host.ident is not None and not self._host.is_alive()

    def start(self, host_key: paramiko.PKey, door: "_Doorkeeper") -> None:
        self._door = door
        self._transport.add_server_key(host_key)
        self._host.start()

    def cut(self, *, reset: bool) -> None:
        with suppress(OSError):  # the client has closed it already
            if reset:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                self._sock.close()
        self._transport.close()

    def join(self) -> None:
        self._host.join(_ENDS_WITHIN_S)
        if self._transport.ident is not None:
            self._transport.join(_ENDS_WITHIN_S)

    def _serve(self) -> None:
        try:
            self._transport.start_server(server=self._door)
        except (paramiko.SSHException, EOFError, OSError):
            self._transport.close()  # the other side did not like the key, say, or does not speak SSH
            return
        while self._transport.is_active():
            channel = self._transport.accept(_POLL_S)
            if channel is not None:
                shell = Thread(target=self._carry, args=(channel,), name=f"{self._name}-shell", daemon=True)
                self._shells.append(shell)
                shell.start()
        for shell in self._shells:
            shell.join(_ENDS_WITHIN_S)
        self._transport.close()

    def _carry(self, channel: paramiko.Channel) -> None:
        if not self._door.begun(channel.get_id()).wait(_STARTS_WITHIN_S):
            channel.close()
            return
        ours, theirs = socket.socketpair()
        theirs.settimeout(0)
        self._hand_over(theirs, self._peer)
        with ours, suppress(OSError, EOFError):  # either end goes away in the middle of a sentence
            _carry(channel, ours)
            channel.send_exit_status(0)
        with suppress(OSError, EOFError):
            channel.close()


def _carry(channel: paramiko.Channel, sock: socket.socket) -> None:
    """Carry what there is both ways until the conversation ends; a client may stop talking and listen on."""
    talking: list[paramiko.Channel | socket.socket] = [channel]
    while True:
        ready, _, _ = select([*talking, sock], [], [])
        if channel in ready:
            content = channel.recv(_READ_SIZE)
            if content:
                sock.sendall(content)
            else:
                talking = []
                sock.shutdown(socket.SHUT_WR)
        if sock in ready:
            content = sock.recv(_READ_SIZE)
            if not content:
                return
            channel.sendall(content)


class _Doorkeeper(paramiko.ServerInterface):
    """Who may come in, and for what. paramiko calls it in the transport's thread and prescribes the names."""

    def __init__(self, passwords: Mapping[str, str], keys: Collection[paramiko.PKey]) -> None:
        self._passwords = passwords
        self._keys = keys
        self._lock = Lock()
        self._begun: dict[int, Event] = {}

    def begun(self, channel: int) -> Event:
        """Return what is set when a channel's shell has begun."""
        with self._lock:
            return self._begun.setdefault(channel, Event())

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        return AUTH_SUCCESSFUL if self._passwords.get(username) == password else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if username in self._passwords and key in self._keys else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(self, *_: object) -> bool:
        return True

    def check_channel_window_change_request(self, *_: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        self.begun(channel.get_id()).set()
        return True
