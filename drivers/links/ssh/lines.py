"""SshLineLink: the link contract over a command on a remote host, by lines on its standard input and output."""

from __future__ import annotations

from time import monotonic_ns
from typing import Unpack

from impairlab.drivers.links.line_link import Channel, LineLink
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.ssh.connection import SshConnection
from impairlab.drivers.links.ssh.endpoint import SshEndpoint


class SshLineLink(LineLink):
    """A `Link` whose far side is a command: one connection, one channel, no terminal.

    Dropping the channel drops the connection with it: what the host may have left running then ends, too, and the next
    use starts from the beginning.

    Args:
        endpoint: Where, who, and by what the host is recognised.
        command: For the account's shell; reads a line from its standard input and answers with one.
        options: See `LineLink`.

    Raises:
        TransportError, ExchangeTimeout, UnexpectedOutput: As `SshConnection`.
    """

    def __init__(self, endpoint: SshEndpoint, command: str, **options: Unpack[LinkOptions]) -> None:
        self._endpoint = endpoint
        self._command = command
        super().__init__(str(endpoint), **options)

    def _open(self, timeout_ns: int) -> Channel:
        until_ns = monotonic_ns() + timeout_ns
        connection = SshConnection(self._endpoint, name=self.name, timeout_ns=timeout_ns)
        try:
            return connection.open_command(self._command, until_ns - monotonic_ns(), connection.close)
        except BaseException:
            connection.close()
            raise
