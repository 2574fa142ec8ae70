"""A channel of an SSH connection as a byte stream with deadlines, clean both ways, and quick to notice its end."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns

import paramiko

from impairlab.drivers.links.ssh.handshake import left_s

_READ_SIZE = 65_536
_MOST_COMPLAINTS = 8_192
_STATUS_WITHIN_NS = 500_000_000


class SshChannel:
    """One session of a connection; a `Channel`, so `LineLink` can use it. Without a terminal the bytes are untouched.

    What the far side writes to its standard error is kept apart, the last 8 KiB of it.

    Args:
        channel: An open session channel in which something runs.
        afterwards: Called when it is closed.
    """

    def __init__(self, channel: paramiko.Channel, afterwards: Callable[[], None] | None = None) -> None:
        self._channel = channel
        self._afterwards = afterwards
        self._complaints = b""

    def send(self, content: bytes, until_ns: int) -> bool:
        """Send everything; False when the moment `until_ns` came first. Raises OSError when the channel is closed."""
        while content:
            self._channel.settimeout(left_s(until_ns))
            try:
                sent = self._channel.send(content)
            except TimeoutError:
                return False
            except (paramiko.SSHException, EOFError, OSError) as error:
                reason = self._last_words(until_ns) or str(error) or "the connection ended"
                raise ConnectionAbortedError(reason) from error
            content = content[sent:]
        return True

    def receive(self, until_ns: int) -> bytes | None:
        """Return what arrives next; b"" at the end, None when the moment `until_ns` came first.

        Raises:
            OSError: The command ended, and its standard error or exit status says why.
        """
        self._channel.settimeout(left_s(until_ns))
        try:
            content = self._channel.recv(_READ_SIZE)
        except TimeoutError:
            return None
        self._take_complaints()
        if not content and (reason := self._last_words(until_ns)):
            raise ConnectionAbortedError(reason)
        return content

    def waiting(self) -> bytes | None:
        """Return what has arrived, without waiting; b"" at the end of the stream, None when there is nothing."""
        self._take_complaints()
        if self._channel.recv_ready():
            return self._channel.recv(_READ_SIZE)
        ended = self._channel.closed or self._channel.eof_received or not self._channel.get_transport().is_active()
        return b"" if ended else None

    @property
    def complaints(self) -> str:
        """What came on the far side's standard error until now, the end of it."""
        self._take_complaints()
        return self._complaints.decode("utf-8", "replace")

    @property
    def exit_status(self) -> int | None:
        """Of the command; None while it runs, and where the host does not tell."""
        known = self._channel.exit_status_ready() and self._channel.exit_status >= 0
        return self._channel.exit_status if known else None

    def close(self) -> None:
        """Close it; never raises."""
        try:
            self._channel.close()
        except (paramiko.SSHException, EOFError, OSError):
            pass  # the connection is gone, and the channel with it
        finally:
            if self._afterwards is not None:
                self._afterwards()

    def _take_complaints(self) -> None:
        while self._channel.recv_stderr_ready():
            content = self._channel.recv_stderr(_READ_SIZE)
            if not content:
                return
            self._complaints = (self._complaints + content)[-_MOST_COMPLAINTS:]

    def _last_words(self, until_ns: int) -> str:
        """Return why a command ended, as far as the host says; its exit status may come after the end of its output."""
        self._channel.status_event.wait(left_s(min(until_ns, monotonic_ns() + _STATUS_WITHIN_NS)))
        said = " ".join(self.complaints.split())
        status = self.exit_status
        if status is None:
            return said
        return f"ended with exit status {status}" + (f": {said}" if said else "")
