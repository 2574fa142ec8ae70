"""Where real instruments differ: each difference is a value."""

from dataclasses import dataclass
from enum import Enum

from impairlab.sim_hardware.scpi.framing import NewLineInString
from impairlab.sim_hardware.scpi.lexer import LONGEST_WORD


class AfterCommandError(Enum):
    """What becomes of the rest of a message after a command error (-1xx)."""

    SKIP_REST = "skip the rest"
    CONTINUE = "continue with the next unit"


class ErrorQueues(Enum):
    """Whether sessions share one error queue."""

    SHARED = "one for all sessions"
    PER_SESSION = "one a session"


@dataclass(frozen=True, slots=True)
class Personality:
    """The choices that the standards leave open.

    Attributes:
        after_command_error: Skip the rest of the message, as most do, or continue with the next unit.
        error_queues: One queue for all sessions, or one each.
        error_queue_length: Entries, at least 2; the last turns into -350 when it is full.
        input_buffer: Bytes of the longest message; a longer one is -363.
        output_queue: Bytes of responses that may wait; then execution waits for the reader, and when the input buffer
            is full as well that is -430.
        new_line_in_string: Whether a new line ends a message in the middle of a string.
        block_pause_ns: On a byte stream, how long a block may pause before its message is given up with -161; None
            waits for ever. Without it a wrong length swallows every message that follows.
        longest_mnemonic: Characters of the longest mnemonic of a header, its numeric suffix among them; a longer one is
            -112. IEEE 488.2 7.6.1.4.1 allows 12, and real instruments have longer ones.
    """

    after_command_error: AfterCommandError = AfterCommandError.SKIP_REST
    error_queues: ErrorQueues = ErrorQueues.SHARED
    error_queue_length: int = 32
    input_buffer: int = 65_536
    output_queue: int = 65_536
    new_line_in_string: NewLineInString = NewLineInString.ENDS_MESSAGE
    block_pause_ns: int | None = 1_000_000_000
    longest_mnemonic: int = LONGEST_WORD
