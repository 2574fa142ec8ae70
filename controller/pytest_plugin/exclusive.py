"""One process at a time: workers of pytest-xdist, and sessions of the same user, share a rack by taking turns."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

from impairlab.drivers.model.errors import LockedByOther

_LOOK_S = 0.05


@contextmanager
def turn(rack: Path, wait_s: float) -> Iterator[None]:
    """Hold a rack file against other processes meanwhile. The kernel lets go when a process dies (flock(2)).

    Raises:
        LockedByOther: Another process held it all the time.
    """
    mark = sha256(str(rack.resolve()).encode()).hexdigest()[:16]
    path = Path(gettempdir()) / f"impairlab-{os.getuid()}-{mark}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _wait_for(descriptor, rack, wait_s)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, rack: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockedByOther(f"another process that tests with {rack}, for {wait_s:g} s") from None
            time.sleep(_LOOK_S)
        else:
            return
