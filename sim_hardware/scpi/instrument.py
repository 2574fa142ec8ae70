"""An instrument's core: its device, status, operations and lock, shared by any number of sessions. No I/O."""

import time
from collections.abc import Callable
from threading import RLock

from impairlab.sim_hardware.faults import ArmedFaults
from impairlab.sim_hardware.scpi.commands import CommandTable
from impairlab.sim_hardware.scpi.common import common_commands
from impairlab.sim_hardware.scpi.device import Device
from impairlab.sim_hardware.scpi.errors import OPERATION_COMPLETE_BIT, ErrorEntry, ErrorQueue, ScpiError, event_bit
from impairlab.sim_hardware.scpi.lock import Arbiter
from impairlab.sim_hardware.scpi.operations import Clock, Operations
from impairlab.sim_hardware.scpi.personality import ErrorQueues, Personality
from impairlab.sim_hardware.scpi.session import Session
from impairlab.sim_hardware.scpi.status import Operating, StatusModel


class Instrument:
    """Executes program messages on a device.

    Handlers run under `guard`; another thread that touches the device or the status takes it too.

    Args:
        device: What is simulated.
        personality: The choices that the standards leave open.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand.

    Attributes:
        faults: What goes wrong in the instrument itself (`InstrumentFault`), whichever way it is asked.

    Raises:
        ValueError: When the device's commands contradict each other.
    """

    def __init__(
        self, device: Device, personality: Personality | None = None, clock: Clock = time.monotonic_ns
    ) -> None:
        self.device = device
        self.personality = personality or Personality()
        self.guard = RLock()
        self.faults = ArmedFaults()
        self._listeners: list[Callable[[], None]] = []
        self.status = StatusModel(self._tell_listeners)
        self.operations = Operations(clock, self.guard, self._operation_complete, self._tell_listeners)
        self.lock = Arbiter(self.guard, self._lock_changed)
        self.table = CommandTable([*common_commands(self), *device.commands()], device.suffixes)
        self._errors = self._new_queue()
        self._sessions: list[Session] = []
        device.power_on(self)

    def open_session(self, name: str) -> Session:
        """Return a new session; `name` is what SYSTem:LOCK:OWNer? calls it."""
        shared = self.personality.error_queues is ErrorQueues.SHARED
        session = Session(self, name, self._errors if shared else self._new_queue())
        with self.guard:
            self._sessions.append(session)
        return session

    def forget_session(self, session: Session) -> None:
        """Release what a closing session holds."""
        self.lock.release_all(session)
        if session in self._sessions:
            self._sessions.remove(session)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The open sessions, the oldest first."""
        return tuple(self._sessions)

    def report(self, error: ErrorEntry | ScpiError, queue: ErrorQueue | None = None) -> None:
        """Put an error into `queue`, or into every open queue, and set its bit in the event register."""
        entry = error.entry if isinstance(error, ScpiError) else error
        with self.guard:
            self.status.event |= event_bit(entry.code)
            queues = [queue] if queue is not None else [self._errors, *(each.errors for each in self._sessions)]
            for each in {id(each): each for each in queues}.values():
                each.push(entry)
            self._tell_listeners()

    def reset(self) -> None:
        """*RST: abort what is under way, cancel *OPC and *OPC?, reset the device (IEEE 488.2 10.32)."""
        with self.guard:
            self.operations.forget_waiting()
            self.operations.abort_all()
            self.device.reset()

    def power_cycle(self) -> None:
        """Lose all that power keeps: sessions, errors, operations, settings; PON is set and the device starts anew."""
        with self.guard:
            for session in self.sessions:
                session.close()
            self.operations.forget_waiting()
            self.operations.abort_all()
            self._errors.clear()
            self.status.power_on()
            self.device.power_on(self)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called whenever sessions may go on, a lock or the status has changed.

        It is called under `guard`, from any thread, and must return at once: it notes that there is something to look
        at. Call what is returned to stop that.
        """
        with self.guard:
            self._listeners.append(listener)

        def stop() -> None:
            with self.guard:
                self._listeners.remove(listener)

        return stop

    def _new_queue(self) -> ErrorQueue:
        return ErrorQueue(self.personality.error_queue_length)

    def _operation_complete(self) -> None:
        self.status.event |= OPERATION_COMPLETE_BIT

    def _tell_listeners(self) -> None:
        for listener in self._listeners:
            listener()

    def _lock_changed(self) -> None:
        if self.lock.owner:
            self.status.operation.raise_bits(Operating.LOCKED)
        else:
            self.status.operation.lower_bits(Operating.LOCKED)
        self._tell_listeners()
