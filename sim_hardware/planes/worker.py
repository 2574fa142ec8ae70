"""A data plane's own process: how it is started and asked, and how it ends with whoever started it.

The process ends when the control connection closes, which also happens when its parent is killed. PR_SET_PDEATHSIG
would end it as soon as the *thread* that started it ends, so it is not used.
"""

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing import Pipe

from impairlab.drivers.model import FlowEntry, Target
from impairlab.drivers.model.errors import ImpairlabError

_START_S = 30.0
_ANSWER_S = 10.0
_END_S = 5.0


@dataclass(frozen=True, slots=True)
class ProgramRequest:
    """Replace the whole state at `at_ns`, or at once; answered by the time of the switch."""

    entries: tuple[FlowEntry, ...]
    at_ns: int | None


@dataclass(frozen=True, slots=True)
class StatisticsRequest:
    """Answered by the counters of one flow."""

    target: Target


@dataclass(frozen=True, slots=True)
class ClearRequest:
    """Zero the counters of one flow or of all."""

    target: Target | None


@dataclass(frozen=True, slots=True)
class LastSwitchRequest:
    """Answered by the time at which the last switch happened; None before the first."""


Request = ProgramRequest | StatisticsRequest | ClearRequest | LastSwitchRequest


class Worker:
    """The parent's side.

    Args:
        module: Run as `python -m`, with the file descriptor of the control connection as its argument.
        setup: Sent first; the answer to it is `ready`.

    Raises:
        ImpairlabError: The process could not set itself up; the message says why.
    """

    def __init__(self, module: str, setup: object) -> None:
        self._control, theirs = Pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", module, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            self._control.close()
            raise ImpairlabError(f"no process for the data plane: {error}") from error
        finally:
            theirs.close()
        try:
            self.ready: object = self._exchange(setup, _START_S)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ask(self, request: Request) -> object:
        """Send a request and return its answer.

        Raises:
            ImpairlabError: What the process answered, or that it is gone or silent.
        """
        return self._exchange(request, _ANSWER_S)

    def _exchange(self, message: object, within_s: float) -> object:
        if self._control.closed:
            raise ImpairlabError("the data plane is closed")
        try:
            self._control.send(message)
            if not self._control.poll(within_s):
                raise ImpairlabError(f"the data plane did not answer within {within_s:g} s", state_known=False)
            answer: object = self._control.recv()
        except (EOFError, OSError) as error:
            raise ImpairlabError("the process of the data plane has ended", state_known=False) from error
        if isinstance(answer, ImpairlabError):
            raise answer
        return answer

    def close(self) -> None:
        """End the process and wait for it; a second call does nothing."""
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
            return
        self._process.kill()
        self._process.wait()
