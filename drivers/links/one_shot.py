"""A TCP link to a peer that takes one command a connection, and may end its answer by closing it."""

from __future__ import annotations

import re
from typing import Unpack

from impairlab.drivers.links.line_link import Channel
from impairlab.drivers.links.link import Exchange, LinkOptions
from impairlab.drivers.links.tcp import TcpLink
from impairlab.drivers.links.wire_log import Redaction


class OneShotLink(TcpLink):
    """A `Link` on which each message has a connection of its own; an answer ends with its line, or with the connection.

    The first connection is made on construction, so that a peer that is not there is known at once, and carries the
    first message. A peer that has ended a line once ends them all: what it closes without is cut short, and
    `ConnectionLost`.

    Args:
        host: Name or address.
        port: TCP port.
        hidden: Matches secrets that the peer makes up, for the log and for errors.
        options: See `LineLink`.

    Raises:
        ConnectError: See `TcpLink`.
    """

    def __init__(self, host: str, port: int, *, hidden: re.Pattern[str], **options: Unpack[LinkOptions]) -> None:
        self._ends_lines = False
        secrets = options["secrets"] = tuple(options.get("secrets", ()))
        super().__init__(host, port, **options)
        self._redaction = Redaction(secrets, hidden)

    def _exchange(self, message: str, timeout_ns: int | None, *, harmless: bool) -> Exchange:
        done = super()._exchange(message, timeout_ns, harmless=harmless)
        self._drop("one message a connection")
        return done

    def _receive_line(self, channel: Channel, until_ns: int, command: str, *, harmless: bool) -> str:
        """Return the answer, which is one line, ended or not."""
        seen = b""
        while not seen.endswith(b"\n") and len(seen) <= self._longest_line:
            try:
                content = channel.receive(until_ns)
            except OSError as error:
                raise self._lost(str(error), command, seen, harmless=harmless) from error
            if content is None:
                raise self._late(seen, command, harmless=harmless)
            if not content:
                if not seen or self._ends_lines:
                    raise self._lost("the peer closed the connection", command, seen, harmless=harmless)
                seen += b"\n"
                break
            seen += content
            self._ends_lines |= seen.endswith(b"\n")
        return self._whole_line(seen, command, harmless=harmless)
