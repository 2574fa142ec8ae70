"""Who may use the instrument: SYSTem:LOCK and the locks of the transports, under one arbiter.

SYSTem:LOCK keeps the settings: the others may only ask (Keysight Truevolt, "SYSTem:LOCK"). A transport's lock, VXI-11
device_lock or HiSLIP's AsyncLock, keeps all traffic: a transport holds back or refuses what `bars` says. Neither is
granted against the other, so that whoever holds one is alone. A session on a transport without locks, such as the raw
socket, meets a transport's lock as it meets SYSTem:LOCK.
"""

from collections.abc import Callable
from enum import IntEnum
from threading import RLock
from typing import Protocol


class Asker(Protocol):
    """Whoever asks for a lock, a session as a rule; it is told apart by identity and known by name."""

    name: str


class LockAnswer(IntEnum):
    """How a request ended; the numbers are those of HiSLIP's AsyncLockResponse (IVI-6.1, Table 14)."""

    FAILURE = 0
    """Another one is in the way: asking again after a change may help."""
    SUCCESS = 1
    SHARED_RELEASED = 2
    ERROR = 3
    """Asked for what the asker has, or gave back what it has not."""


class SharedLock:
    """One exclusive lock, and shared locks under one key; one asker may have both (IVI-6.1, Table 15).

    Nobody waits here: who was refused asks again when something has changed.
    """

    def __init__(self) -> None:
        self.exclusive: Asker | None = None
        self.sharers: list[Asker] = []
        self._key = ""

    def request_exclusive(self, asker: Asker) -> LockAnswer:
        """Ask to be alone. FAILURE while another has a lock, unless `asker` shares it and nobody is alone."""
        if self.exclusive is not None:
            return LockAnswer.ERROR if self.exclusive is asker else LockAnswer.FAILURE
        if self.sharers and asker not in self.sharers:
            return LockAnswer.FAILURE
        self.exclusive = asker
        return LockAnswer.SUCCESS

    def request_shared(self, asker: Asker, key: str) -> LockAnswer:
        """Ask to be one of those who know `key`. FAILURE while the lock is shared under another, or one is alone."""
        if asker in self.sharers:
            return LockAnswer.ERROR
        if not self.sharers and self.exclusive is not None:
            return LockAnswer.ERROR if self.exclusive is asker else LockAnswer.FAILURE
        if self.sharers and key != self._key:
            return LockAnswer.FAILURE
        self.sharers.append(asker)
        self._key = key
        return LockAnswer.SUCCESS

    def release(self, asker: Asker) -> LockAnswer:
        """Give back the exclusive lock, else the shared one: SUCCESS, SHARED_RELEASED, or ERROR where there is none."""
        if self.exclusive is asker:
            self.exclusive = None
            return LockAnswer.SUCCESS
        if asker in self.sharers:
            self.sharers.remove(asker)
            return LockAnswer.SHARED_RELEASED
        return LockAnswer.ERROR

    def bars(self, asker: Asker) -> bool:
        """Say whether a lock of others keeps `asker` out."""
        if self.exclusive is not None:
            return self.exclusive is not asker
        return bool(self.sharers) and asker not in self.sharers


class Arbiter:
    """Every lock of one instrument; safe to use from any thread.

    Args:
        guard: The instrument's lock.
        on_change: Called whenever a lock was taken or given back, so that those who were refused may ask again.
    """

    def __init__(self, guard: RLock, on_change: Callable[[], None]) -> None:
        self._guard = guard
        self._on_change = on_change
        self._depth = 0
        self._settings_owner: Asker | None = None
        self._transport = SharedLock()

    @property
    def owner(self) -> Asker | None:
        """Who is in the way of the others: SYSTem:LOCK's owner, else the exclusive holder, else the first sharer."""
        first_sharer = next(iter(self._transport.sharers), None)
        return self._settings_owner or self._transport.exclusive or first_sharer

    @property
    def exclusive_holder(self) -> Asker | None:
        """Who has the transports' exclusive lock (HiSLIP AsyncLockInfo)."""
        return self._transport.exclusive

    @property
    def holder_count(self) -> int:
        """How many have a transport lock; who has both counts once (HiSLIP AsyncLockInfo)."""
        holders = [*self._transport.sharers, *filter(None, [self._transport.exclusive])]
        return len({id(each) for each in holders})

    def request(self, asker: Asker) -> bool:
        """SYSTem:LOCK:REQuest?: take or deepen the lock; False when someone else has one."""
        with self._guard:
            if self.refuses(asker):
                return False
            self._settings_owner = asker
            self._depth += 1
            if self._depth == 1:
                self._on_change()
            return True

    def release(self, asker: Asker) -> None:
        """SYSTem:LOCK:RELease: give one request back; nothing happens for one who does not have the lock."""
        with self._guard:
            if self._settings_owner is not asker:
                return
            self._depth -= 1
            if not self._depth:
                self._settings_owner = None
                self._on_change()

    def lock_exclusive(self, asker: Asker) -> LockAnswer:
        """VXI-11 device_lock, HiSLIP exclusive lock: ask to be alone. Never waits."""
        with self._guard:
            if self._settings_are_kept_from(asker):
                return LockAnswer.FAILURE
            return self._told(self._transport.request_exclusive(asker))

    def lock_shared(self, asker: Asker, key: str) -> LockAnswer:
        """HiSLIP shared lock: ask to be one of those who know `key`. Never waits."""
        with self._guard:
            if self._settings_are_kept_from(asker):
                return LockAnswer.FAILURE
            return self._told(self._transport.request_shared(asker, key))

    def unlock(self, asker: Asker) -> LockAnswer:
        """VXI-11 device_unlock, HiSLIP release: give back the exclusive lock, else the shared one."""
        with self._guard:
            return self._told(self._transport.release(asker))

    def release_all(self, asker: Asker) -> None:
        """Give back everything that `asker` has, as the end of its connection does."""
        with self._guard:
            while self._settings_owner is asker:
                self.release(asker)
            while self.unlock(asker) is not LockAnswer.ERROR:
                continue

    def bars(self, asker: Asker) -> bool:
        """Say whether a transport's lock of others keeps all traffic of `asker` back."""
        with self._guard:
            return self._transport.bars(asker)

    def refuses(self, asker: Asker) -> bool:
        """Say whether a lock of others keeps `asker` from changing anything."""
        with self._guard:
            return self._settings_are_kept_from(asker) or self._transport.bars(asker)

    def _settings_are_kept_from(self, asker: Asker) -> bool:
        return self._settings_owner is not None and self._settings_owner is not asker

    def _told(self, answer: LockAnswer) -> LockAnswer:
        if answer in {LockAnswer.SUCCESS, LockAnswer.SHARED_RELEASED}:
            self._on_change()
        return answer
