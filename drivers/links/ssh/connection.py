"""SshConnection: an authenticated connection to a host whose key is pinned; commands and shells run in channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from time import monotonic_ns
from typing import Self

import paramiko

from impairlab.drivers.links.line_link import DEFAULT_CONNECT_TIMEOUT_NS
from impairlab.drivers.links.ssh.channel import SshChannel
from impairlab.drivers.links.ssh.endpoint import SshEndpoint
from impairlab.drivers.links.ssh.handshake import check_host_key, end, left_s, shake_hands
from impairlab.drivers.links.ssh.host_keys import HostKey
from impairlab.drivers.links.ssh.login import log_in
from impairlab.drivers.model.errors import ConnectError, ImpairlabError, NoResponse, SessionLimit

KEEP_ALIVE_S = 15
"""An idle connection says something so often; a peer that does not take it in is given up by TCP, see `TcpLink`."""

TERMINAL = "vt100"
COLUMNS = 1000
ROWS = 1000
"""So large a terminal wraps no line and needs no pager, where the far side looks at its size."""


class SshConnection:
    """An authenticated connection; a context manager. Its channels may be used from several threads.

    Args:
        endpoint: Where, who, and by what the host is recognised.
        name: What errors call the appliance; the endpoint when None.
        timeout_ns: How long connecting and logging in may take together.

    Attributes:
        host_key: The key by which the host proved who it is.

    Raises:
        ConnectError: Refused, unreachable, or the name does not resolve.
        HostKeyUnknown, HostKeyChanged: Nothing but the key was looked at; no secret was sent.
        IncompatiblePeer: No algorithm in common.
        AuthError: The login was refused.
        SessionLimit: The host takes no further connection.
        UnexpectedOutput: What answers does not speak SSH.
        ConnectionLost, NoResponse: Closed in the middle, or not done in time.
    """

    def __init__(
        self, endpoint: SshEndpoint, *, name: str | None = None, timeout_ns: int = DEFAULT_CONNECT_TIMEOUT_NS
    ) -> None:
        self.endpoint = endpoint
        self.name = name or str(endpoint)
        until_ns = monotonic_ns() + timeout_ns
        self._transport, self.host_key = shake_hands(endpoint, self.name, until_ns)
        try:
            check_host_key(endpoint, self.host_key, self.name)
            log_in(self._transport, endpoint.login, self.name, until_ns)
        except BaseException:
            end(self._transport)
            raise
        self._transport.set_keepalive(KEEP_ALIVE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self._transport.is_active()

    def open_command(
        self,
        command: str,
        timeout_ns: int = DEFAULT_CONNECT_TIMEOUT_NS,
        afterwards: Callable[[], None] | None = None,
    ) -> SshChannel:
        """Run a command by the account's shell, without a terminal: its standard input and output are the channel.

        Args:
            command: For the shell, as in `ssh HOST COMMAND`.
            timeout_ns: How long it may take until the host says that the command runs.
            afterwards: Called when the channel is closed: this connection's `close`, where it has no other channel.

        Raises:
            SessionLimit: The host gives no further session.
            ConnectError: It gives one, and does not run a command in it.
            NoResponse: No answer in time; the connection is then closed.
        """
        until_ns = monotonic_ns() + timeout_ns
        with self._session(until_ns) as channel:
            channel.exec_command(command)
        return SshChannel(channel, afterwards)

    def open_shell(
        self, timeout_ns: int = DEFAULT_CONNECT_TIMEOUT_NS, afterwards: Callable[[], None] | None = None
    ) -> SshChannel:
        """Start the account's interactive shell on a terminal of COLUMNS by ROWS; see `open_command`."""
        until_ns = monotonic_ns() + timeout_ns
        with self._session(until_ns) as channel:
            channel.get_pty(TERMINAL, COLUMNS, ROWS)
            channel.invoke_shell()
        return SshChannel(channel, afterwards)

    def close(self) -> None:
        """Close the connection with all its channels, and end its threads. A second call does nothing."""
        end(self._transport)

    @contextmanager
    def _session(self, until_ns: int) -> Iterator[paramiko.Channel]:
        """Open a session, and turn what goes wrong in it meanwhile into errors of ours."""
        # paramiko waits for the answer to a channel request without a deadline
        watch = Timer(left_s(until_ns), self._transport.close)
        watch.start()
        try:
            channel = self._transport.open_session(timeout=left_s(until_ns))
            yield channel
        except paramiko.ChannelException as error:
            problem = f"gives no further session: {error.text or error}"
            raise SessionLimit(problem, appliance=self.name, retryable=True) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._no_session(error, until_ns) from error
        finally:
            watch.cancel()
            watch.join()

    def _no_session(self, error: Exception, until_ns: int) -> ImpairlabError:
        if monotonic_ns() >= until_ns:
            return NoResponse("no word about a session before the deadline", appliance=self.name, retryable=True)
        if not self.alive:
            problem = "closed the connection instead of giving a session: all its sessions may be taken"
            return SessionLimit(problem, appliance=self.name, retryable=True)
        return ConnectError(f"gives a session and runs nothing in it: {error}", appliance=self.name)


def read_host_key(
    endpoint: SshEndpoint, *, name: str | None = None, timeout_ns: int = DEFAULT_CONNECT_TIMEOUT_NS
) -> HostKey:
    """Return the key that a host shows, trusted or not; logs in nowhere. Raises as `SshConnection` does."""
    transport, key = shake_hands(endpoint, name or str(endpoint), monotonic_ns() + timeout_ns)
    end(transport)
    return key
