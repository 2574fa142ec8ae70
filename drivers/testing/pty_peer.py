"""A scripted peer on a pseudo-terminal: the far end of a serial link, doing exactly what a test says."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread

from impairlab.drivers.testing.peers import Script

_FLUSHED = 1
"""TIOCPKT_FLUSHREAD: the other side has dropped its input, as pySerial does when it opens a port (tty_ioctl(4))."""

_TAKEN_WITHIN_S = 1.0


class PtyWire:
    """A `Wire`: what lies between one opening of the port and the next. The wake-up line feed is passed over."""

    def __init__(self, peer: _PtyPeer, near: int, far: int) -> None:
        self._peer = peer
        self.near = near
        self.far = far
        self.lines: SimpleQueue[str | None] = SimpleQueue()
        self.gone = False

    def read_line(self) -> str | None:
        """Return the next line without its LF; None when the port was opened anew."""
        return None if self.gone else self.lines.get()

    def send(self, content: bytes) -> None:
        """Send bytes; nothing when the port was opened anew, as from a box that was cleared."""
        while content and not self.gone:
            try:
                content = content[os.write(self.near, content) :]
            except BlockingIOError:
                time.sleep(0.001)

    def close(self) -> None:
        """Be unplugged, after what was sent has been read, and at once plugged in again."""
        self._peer.unplug(self)


class _PtyPeer:
    def __init__(self, script: Script, link: Path) -> None:
        self._script = script
        self._link = link
        self._lock = Lock()
        self._wire: PtyWire | None = None
        self._number = 0
        self._closing = False
        self._threads: list[Thread] = []
        self._plug()

    def close(self) -> None:
        with self._lock:
            self._closing = True
            if self._wire is not None:
                self._lose(self._wire)
            os.write(self._far, b"\n")  # wakes the reader
        for thread in self._threads:
            thread.join()
        self._link.unlink()
        os.close(self._near)
        os.close(self._far)

    def unplug(self, wire: PtyWire) -> None:
        with self._lock:
            if wire.gone or self._closing:
                return
            self._wait_until_taken(wire.far)
            self._lose(wire)
            near, far, reader = wire.near, wire.far, self._reader
            self._plug()
            os.write(far, b"\n")  # wakes its reader, which sees that it is no longer the port
        reader.join()
        os.close(near)
        os.close(far)

    def _plug(self) -> None:
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        fcntl.ioctl(self._near, termios.TIOCPKT, struct.pack("i", 1))
        fresh = self._link.with_suffix(".new")
        fresh.symlink_to(os.ttyname(self._far))
        fresh.replace(self._link)
        reader = Thread(target=self._read, args=(self._near, self._far))
        self._reader = reader
        self._threads.append(reader)
        reader.start()

    def _read(self, near: int, far: int) -> None:
        unfinished, waking = b"", False
        while True:
            content = os.read(near, 4096)
            if self._closing or near != self._near:
                return
            if content[0] & _FLUSHED:
                unfinished, waking = b"", True
                self._begin(near, far)
            elif content[0] == 0:
                *lines, unfinished = (unfinished + content[1:]).split(b"\n")
                for line in lines:
                    if (line or not waking) and self._wire is not None:
                        self._wire.lines.put(line.decode())
                    waking = False

    def _begin(self, near: int, far: int) -> None:
        with self._lock:
            if self._closing or near != self._near:
                return
            if self._wire is not None:
                self._lose(self._wire)
            self._number += 1
            self._wire = wire = PtyWire(self, near, far)
            thread = Thread(target=self._serve, args=(self._number, wire))
            self._threads.append(thread)
            thread.start()

    def _serve(self, number: int, wire: PtyWire) -> None:
        self._script(number, wire)
        wire.close()

    def _lose(self, wire: PtyWire) -> None:
        wire.gone = True
        wire.lines.put(None)

    def _wait_until_taken(self, far: int) -> None:
        """Wait until the other side has read everything: unplugging would lose it."""
        until_s = time.monotonic() + _TAKEN_WITHIN_S
        empty = 0
        while empty < 5 and time.monotonic() < until_s:
            time.sleep(0.002)
            waiting = struct.unpack("i", fcntl.ioctl(far, termios.FIONREAD, b"\0\0\0\0"))[0]
            empty = 0 if waiting else empty + 1


@contextmanager
def pty_peer(script: Script, link: Path) -> Iterator[Path]:
    """Serve whoever opens the port at `link` by a script, each opening in a thread of its own; yields the link."""
    peer = _PtyPeer(script, link)
    try:
        yield link
    finally:
        with suppress(FileNotFoundError):
            peer.close()
