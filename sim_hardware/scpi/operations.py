"""Overlapped operations and what waits for them: *OPC, *OPC? and *WAI (IEEE 488.2, 12).

A command that takes time starts an operation and returns; the no-operation-pending flag is true again when the last one
has completed. Time comes from a clock that the owner brings, so that a test can move it by hand.
"""

from collections.abc import Callable
from operator import itemgetter
from threading import RLock

Clock = Callable[[], int]
"""Returns nanoseconds that never go back, like `time.monotonic_ns`."""


class Later:
    """A response that is held until the pending operations have completed, or that will never come."""

    __slots__ = ("_text", "settled")

    def __init__(self) -> None:
        self.settled = False
        self._text: str | None = None

    @property
    def text(self) -> str | None:
        """The response; None while it is held and for ever when it was cancelled."""
        return self._text

    def settle(self, text: str | None) -> None:
        """Deliver the response, or cancel it with None."""
        self._text = text
        self.settled = True


class Operation:
    """One overlapped operation that is pending until it completes or is aborted."""

    def __init__(self, owner: "Operations", name: str, due_ns: int | None, on_complete: Callable[[], None]) -> None:
        self._owner = owner
        self._on_complete = on_complete
        self.name = name
        self.due_ns = due_ns

    def __repr__(self) -> str:
        return f"Operation({self.name!r}, due_ns={self.due_ns})"

    @property
    def pending(self) -> bool:
        """Whether it is still under way."""
        return self in self._owner.pending

    def complete(self) -> None:
        """End the operation as done, from any thread; a second call does nothing."""
        self._owner.retire(self, self._on_complete)

    def abort(self) -> None:
        """End the operation without its effect, from any thread; a second call does nothing."""
        self._owner.retire(self)


class Operations:
    """The operations under way in one instrument.

    Args:
        clock: Tells what is due.
        guard: The instrument's lock; completing from another thread takes it.
        on_operation_complete: Called when a waiting *OPC is satisfied.
        on_change: Called whenever an operation has started or something that waited may go on.
    """

    def __init__(
        self, clock: Clock, guard: RLock, on_operation_complete: Callable[[], None], on_change: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._guard = guard
        self._on_operation_complete = on_operation_complete
        self._on_change = on_change
        self._pending: list[Operation] = []
        self._armed = False
        self._held: Later | None = None

    @property
    def idle(self) -> bool:
        """The no-operation-pending flag."""
        return not self._pending

    @property
    def pending(self) -> tuple[Operation, ...]:
        """What is under way, in order of starting."""
        return tuple(self._pending)

    @property
    def next_due_ns(self) -> int | None:
        """When the next timed operation completes; None when none is timed."""
        return min((each.due_ns for each in self._pending if each.due_ns is not None), default=None)

    def start(
        self, name: str, duration_ns: int | None = None, on_complete: Callable[[], None] = lambda: None
    ) -> Operation:
        """Start an operation.

        Args:
            name: For people who look at what is pending.
            duration_ns: It completes by itself after so long; None leaves that to `Operation.complete`.
            on_complete: Called once, when it completes and not when it is aborted.
        """
        due = None if duration_ns is None else self._clock() + duration_ns
        operation = Operation(self, name, due, on_complete)
        with self._guard:
            self._pending.append(operation)
            self._on_change()
        return operation

    def advance(self) -> None:
        """Complete every timed operation that is due, the earliest first."""
        if not self._pending:
            return
        now = self._clock()
        while True:
            timed = [(each.due_ns, each) for each in self._pending if each.due_ns is not None and each.due_ns <= now]
            if not timed:
                return
            min(timed, key=itemgetter(0))[1].complete()

    def abort_all(self) -> None:
        """End everything under way without effect."""
        for operation in self.pending:
            operation.abort()

    def arm(self) -> None:
        """*OPC: report operation complete as soon as nothing is pending, which may be now."""
        self._armed = True
        self._settle_if_idle()

    def disarm(self) -> None:
        """Forget *OPC, as a device clear does."""
        self._armed = False

    def reply_when_idle(self) -> Later:
        """*OPC?: return a response that is `1` as soon as nothing is pending, which may be now.

        All that wait share one response, so that any number of them costs nothing.
        """
        reply = self._held = self._held or Later()
        self._settle_if_idle()
        return reply

    def forget_waiting(self) -> None:
        """Cancel *OPC and *OPC? that wait, as *CLS and *RST do (IEEE 488.2 10.3 and 10.32)."""
        self._armed = False
        if self._held:
            self._held.settle(None)
            self._held = None
            self._on_change()

    def retire(self, operation: Operation, effect: Callable[[], None] = lambda: None) -> None:
        """Take `operation` off the pending ones and let `effect` happen; nothing when it had ended before."""
        with self._guard:
            if operation not in self._pending:
                return
            self._pending.remove(operation)
            effect()
            self._settle_if_idle()
            if self.idle:
                self._on_change()

    def _settle_if_idle(self) -> None:
        if self._pending:
            return
        if self._armed:
            self._armed = False
            self._on_operation_complete()
        if self._held:
            self._held.settle("1")
            self._held = None
