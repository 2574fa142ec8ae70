"""The socket at the back of the instrument: a pseudo-terminal under a stable name, which can vanish and come back."""

import contextlib
import os
import tty
from pathlib import Path

_READ_SIZE = 256


class PtyPort:
    """A pseudo-terminal whose far end is found at `link`; absent until `plug`.

    The near end keeps the far end open too: a serial line does not tell whether anybody has opened the other side.

    Args:
        link: Where the symbolic link is put; a symbolic link that is there is replaced.

    Raises:
        FileExistsError: When something else than a symbolic link is there.
    """

    def __init__(self, link: Path) -> None:
        if link.exists() and not link.is_symlink():
            raise FileExistsError(f"{link} is there already")
        self._link = link
        self._far = -1
        self.near = -1

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self.near >= 0

    def plug(self) -> None:
        """Let the port appear. Raises `OSError` when the link cannot be made."""
        if self.plugged:
            return
        self.near, self._far = os.openpty()
        try:
            tty.setraw(self._far)
            os.set_blocking(self.near, False)
            fresh = self._link.with_name(f".{self._link.name}.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(os.ttyname(self._far))
            fresh.replace(self._link)
        except OSError:
            self._close()
            raise

    def unplug(self) -> None:
        """Let the port vanish: who has it open sees the end of it."""
        if self.plugged:
            self._link.unlink(missing_ok=True)
            self._close()

    def read(self) -> bytes:
        """Return what the other side has sent; b"" when that is nothing."""
        try:
            return os.read(self.near, _READ_SIZE)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Send; what the other side has no room for is lost, as on any line without a handshake."""
        with contextlib.suppress(BlockingIOError):
            os.write(self.near, data)

    def _close(self) -> None:
        os.close(self.near)
        os.close(self._far)
        self.near = self._far = -1
