"""From a TCP connection to an SSH one: version, algorithms and host key, with an error of its own for each failure."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from time import monotonic_ns

import paramiko

from impairlab.drivers.links.line_link import SECOND_NS
from impairlab.drivers.links.ssh.endpoint import SshEndpoint, enrol_command
from impairlab.drivers.links.ssh.host_keys import HostKey
from impairlab.drivers.links.ssh.offers import PARTS, read_offers, speaks_ssh, without_common, words_before_ssh
from impairlab.drivers.links.tcp import connect_tcp
from impairlab.drivers.model.errors import (
    ConnectionLost,
    HostKeyChanged,
    HostKeyUnknown,
    ImpairlabError,
    IncompatiblePeer,
    NoResponse,
    SessionLimit,
    UnexpectedOutput,
)

LOG = "impairlab.ssh"
"""Where paramiko's own log goes. Failures are raised; nothing is printed where nobody has asked for the log."""

_MOST_HEARD = 1 << 16
_SHORTEST_WAIT_S = 0.001
_CLOSE_WITHIN_S = 5.0
_FULL_UP = b"MaxStartups"
"""OpenSSH says "Exceeded MaxStartups" and closes, where it takes no further connection."""

logging.getLogger(LOG).addHandler(logging.NullHandler())


class HeardSocket(socket.socket):
    """A connected socket that keeps the first 64 KiB it receives: what came tells why there is no SSH connection."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(fileno=sock.detach())
        self.heard = b""
        self.ended = False

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive, and keep what came."""
        content = super().recv(bufsize, flags)
        self.ended = self.ended or not content
        if len(self.heard) < _MOST_HEARD:
            self.heard += content
        return content


def left_s(until_ns: int) -> float:
    """Return how long it is until then, in seconds; never zero, which is for ever in some places."""
    return max((until_ns - monotonic_ns()) / SECOND_NS, _SHORTEST_WAIT_S)


def shake_hands(endpoint: SshEndpoint, name: str, until_ns: int) -> tuple[paramiko.Transport, HostKey]:
    """Connect and agree on algorithms; the host has then proved that it holds the key that is returned.

    Raises:
        ConnectError: Refused, unreachable, or the name does not resolve.
        SessionLimit: Closed before it has said who it is.
        UnexpectedOutput: What answers does not speak SSH.
        IncompatiblePeer: Nothing in common; says what each side offers.
        ConnectionLost, NoResponse: Closed, or not done in time.
    """
    sock = HeardSocket(connect_tcp(endpoint.host, endpoint.port, max(until_ns - monotonic_ns(), 1), name))
    transport = paramiko.Transport(sock)
    transport.set_log_channel(LOG)
    transport.banner_timeout = transport.handshake_timeout = left_s(until_ns)
    try:
        _prefer(transport, endpoint)
        transport.start_client(timeout=left_s(until_ns))
        key = transport.get_remote_server_key()
    except (paramiko.SSHException, EOFError, OSError) as error:
        failure = _failure(transport, sock, name, error, until_ns)
        end(transport)
        raise failure from error
    except BaseException:
        end(transport)
        raise
    return transport, HostKey(key.get_name(), key.asbytes())


def check_host_key(endpoint: SshEndpoint, key: HostKey, name: str) -> None:
    """Compare with the key that is pinned.

    Raises:
        HostKeyUnknown: None is pinned.
        HostKeyChanged: Another one is pinned.
        FileError: The file of known keys is faulty.
    """
    pinned = endpoint.trust.fingerprint
    if pinned is not None:
        if key.fingerprint != pinned:
            raise _changed(f"the address pins {pinned}", key, "if that is right, change the address", name)
        return
    known = endpoint.known_keys.find(endpoint.host, endpoint.port)
    if key in known:
        return
    path = endpoint.trust.known_keys
    if known:
        pins = " and ".join(f"{each.fingerprint} ({each.kind})" for each in known)
        remedy = f"if the host was re-installed: {enrol_command(endpoint)} --replace"
        raise _changed(f"{path} pins {pins}", key, remedy, name)
    raise HostKeyUnknown(
        f"its host key {key.fingerprint} ({key.kind}) is not in {path}; compare it with what the host shows of itself, "
        f"then: {enrol_command(endpoint)}",
        appliance=name,
    )


def end(transport: paramiko.Transport) -> None:
    """Close, and wait until paramiko's threads are gone, which `close` alone does not."""
    transport.close()
    with suppress(OSError):  # closed already
        transport.sock.shutdown(socket.SHUT_RDWR)
    if transport.ident is not None:
        transport.join(_CLOSE_WITHIN_S)
    transport.packetizer.complete_handshake()  # its timer would live on
    transport.sock.close()


def _prefer(transport: paramiko.Transport, endpoint: SshEndpoint) -> None:
    """Ask first for the kinds of key that are pinned: a host that has several would else show another one."""
    if endpoint.trust.fingerprint is not None:
        return
    options = transport.get_security_options()
    pinned = {key.kind for key in endpoint.known_keys.find(endpoint.host, endpoint.port)}
    options.key_types = sorted(options.key_types, key=lambda kind: _kind_of(kind) not in pinned)


def _kind_of(algorithm: str) -> str:
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _changed(pinned: str, key: HostKey, remedy: str, name: str) -> HostKeyChanged:
    return HostKeyChanged(f"{pinned}, and the host shows {key.fingerprint} ({key.kind}); {remedy}", appliance=name)


def _failure(
    transport: paramiko.Transport, sock: HeardSocket, name: str, error: Exception, until_ns: int
) -> ImpairlabError:
    heard = sock.heard
    options = transport.get_security_options()
    ours = dict(zip(PARTS, (options.kex, options.key_types, options.ciphers, options.ciphers), strict=True))
    nothing_common = without_common(read_offers(heard), ours)
    if nothing_common or isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        problem = "; ".join(nothing_common) or str(error)
        return IncompatiblePeer(f"nothing in common for {problem}", appliance=name, seen=heard[:80])
    if not speaks_ssh(heard):
        return _not_speaking(sock, name, until_ns)
    if monotonic_ns() >= until_ns:
        return NoResponse("began SSH and did not finish before the deadline", appliance=name, retryable=True)
    return ConnectionLost(f"no SSH connection: {error or 'closed in the middle'}", appliance=name, retryable=True)


def _not_speaking(sock: HeardSocket, name: str, until_ns: int) -> ImpairlabError:
    words = words_before_ssh(sock.heard)
    if _FULL_UP in words or (sock.ended and not words):
        problem = "accepted the connection and closed it unanswered: all its sessions may be taken"
        return SessionLimit(problem, appliance=name, seen=words, retryable=True)
    if words:
        return UnexpectedOutput(f"does not speak SSH: {words[:80]!r}", appliance=name, seen=words)
    if monotonic_ns() >= until_ns:
        return NoResponse("accepted the connection and said nothing", appliance=name, retryable=True)
    return ConnectionLost("reset the connection before it said anything", appliance=name, retryable=True)
