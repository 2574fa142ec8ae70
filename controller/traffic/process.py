"""The controller's end of a generator process: launch it where the traffic shall start, start, stop, collect."""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from impairlab.drivers.model.errors import ImpairlabError

from .log import TrafficLog, read_log
from .protocol import (
    AbortCommand,
    Command,
    Done,
    DoneLine,
    FailedLine,
    NotInProtocol,
    ProgressLine,
    Ready,
    ReadyLine,
    Report,
    StartCommand,
    StopCommand,
    TrafficPlan,
    read_report,
)
from .records import Progress
from .spec import SECOND_NS

_READY_S = 30.0
_ABORT_S = 5.0
_STDERR_TAIL = 2_000


class TrafficError(ImpairlabError):
    """The traffic generator could not do its work."""


class TrafficStartError(TrafficError):
    """The generator could not be launched, or could not reach the service."""


class TrafficDied(TrafficError):  # noqa: N818 - says what happened
    """The generator ended without being done; its log has what it wrote until then."""


class TrafficTimeout(TrafficError):  # noqa: N818 - says what happened
    """The generator did not finish within the time it was given."""


def _nobody(_: Progress) -> None:
    """Take no notice."""


class TrafficProcess:
    """One generator process, from launch to the log. A context manager: on the way out the process is gone.

    Args:
        plan: The traffic, and how long to let unfinished requests go on. Written beside `log` as `*.plan.json`.
        log: The traffic log to write.
        prefix: Command that the generator is launched through, such as `("nsenter", "--net=/run/netns/client")`.
        on_progress: Called for each finished request, in a thread of its own; must be quick and must not raise.
    """

    def __init__(
        self,
        plan: TrafficPlan,
        log: Path,
        *,
        prefix: Sequence[str] = (),
        on_progress: Callable[[Progress], None] = _nobody,
    ) -> None:
        self._plan = plan
        self._log = log
        self._prefix = tuple(prefix)
        self._on_progress = on_progress
        self._process: subprocess.Popen[str] | None = None
        self._stderr: IO[str] | None = None
        self._reader: threading.Thread | None = None
        self._ready: Ready | None = None
        self._done: Done | None = None
        self._failure = ""
        self._ready_or_over = threading.Event()
        self._over = threading.Event()

    def __enter__(self) -> Self:
        """Launch the generator and wait until it stands by.

        Raises:
            TrafficStartError: It cannot be launched, cannot reach the service, or took longer than 30 s.
        """
        plan_path = self._log.with_suffix(".plan.json")
        plan_path.write_text(self._plan.to_line(), encoding="utf-8")
        module = [sys.executable, "-m", "impairlab.controller.traffic"]
        command = [*self._prefix, *module, "--plan", str(plan_path), "--out", str(self._log)]
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, through the caller's prefix
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                text=True,
                start_new_session=True,  # the controller decides what Ctrl-C means for the traffic
            )
        except OSError as error:
            self._stderr.close()
            raise TrafficStartError(f"cannot launch the traffic generator: {error}", command=command[0]) from error
        self._reader = threading.Thread(target=self._read, args=(self._process,), name="traffic-reports")
        self._reader.start()
        self._ready_or_over.wait(_READY_S)
        if self._ready is None:
            reason = self._end() or f"it was not ready within {_READY_S:g} s"
            raise TrafficStartError(f"the traffic generator did not start: {reason}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process. One that is still at work is aborted; its open requests are on record as cancelled."""
        self._end()

    @property
    def ready(self) -> Ready:
        """What the generator said of itself when it stood by: pid, model, clock.

        Raises:
            TrafficError: It has not been launched.
        """
        if self._ready is None:
            raise TrafficError("the traffic generator has not been launched")
        return self._ready

    @property
    def running(self) -> bool:
        """Whether the generator has not come to its end yet."""
        return self._process is not None and not self._over.is_set()

    def check(self) -> None:
        """Return while all is well.

        Raises:
            TrafficDied: The generator is gone without being done.
        """
        if self._over.is_set() and self._done is None:
            raise self._died()

    def start(self, at_ns: int) -> None:
        """Let the schedule count from `at_ns` on the monotonic clock.

        Raises:
            TrafficDied: The generator is gone.
        """
        self._tell(StartCommand(start_at_ns=at_ns))

    def stop(self) -> None:
        """Admit no more requests; those under way may finish within the plan's drain time. Returns at once.

        Raises:
            TrafficDied: The generator is gone without being done.
        """
        if self._done is None:
            self._tell(StopCommand(stop=True))

    def wait(self, timeout_s: float | None = None) -> TrafficLog:
        """Wait until the generator is done, by default for the plan's drain time and 30 s; the log.

        Raises:
            TrafficDied: It ended without being done.
            TrafficTimeout: It is still at work after `timeout_s`.
            TrafficLogError: The log is damaged.
        """
        limit_s = self._plan.drain_ns / SECOND_NS + _READY_S if timeout_s is None else timeout_s
        if not self._over.wait(limit_s):
            raise TrafficTimeout(f"the traffic generator is still at work after {limit_s:g} s")
        if self._done is None:
            raise self._died()
        return read_log(self._log)

    def _tell(self, command: Command) -> None:
        if self._process is None or self._process.stdin is None:
            raise TrafficError("the traffic generator has not been launched")
        try:
            self._process.stdin.write(command.to_line())
            self._process.stdin.flush()
        except (OSError, ValueError) as error:  # ValueError: the pipe was closed by us
            raise self._died() from error

    def _read(self, process: subprocess.Popen[str]) -> None:
        """The reader thread: every report, until the generator closes its end."""
        try:
            for line in process.stdout or ():
                self._take(read_report(line))
        except NotInProtocol as error:
            self._failure = str(error)
            process.kill()
        finally:
            self._over.set()
            self._ready_or_over.set()

    def _take(self, report: Report) -> None:
        match report:
            case ReadyLine(ready=ready):
                self._ready = ready
                self._ready_or_over.set()
            case ProgressLine(progress=progress):
                self._on_progress(progress)
            case DoneLine(done=done):
                self._done = done
            case FailedLine(failed=reason):
                self._failure = reason

    def _died(self) -> TrafficDied:
        reason = self._end() or "it closed its output"
        return TrafficDied(f"the traffic generator ended before it was done: {reason}")

    def _end(self) -> str:
        """See the process off; what it said last, if it did not end well. Safe to call again."""
        if self._process is None or self._reader is None or self._stderr is None:
            return ""
        if self._stderr.closed:
            return self._failure
        self._close_stdin(self._process)
        for signal_it in (self._process.terminate, self._process.kill):
            if self._over.wait(_ABORT_S):
                break
            signal_it()
        self._reader.join()
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._stderr.seek(0)
        said = self._stderr.read()[-_STDERR_TAIL:].strip()
        self._stderr.close()
        if not self._failure and (code != 0 or said):
            self._failure = f"exit code {code}" + (f": {said}" if said else "")
        return self._failure

    def _close_stdin(self, process: subprocess.Popen[str]) -> None:
        """Say goodbye; nothing to say to one that is gone already."""
        if process.stdin is None:
            return
        with suppress(OSError, ValueError):
            if not self._over.is_set():
                process.stdin.write(AbortCommand(abort=True).to_line())
            process.stdin.close()
