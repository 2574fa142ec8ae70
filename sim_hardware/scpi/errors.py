"""SCPI error numbers and texts, the event bit each class sets, and the bounded error queue.

Sources: SCPI-1999 volume 2, 21.8 (numbers and texts); IEEE 488.2, 11.5.1.1 (event bits).
"""

from collections import deque
from dataclasses import dataclass

LONGEST_ENTRY = 255
"""SCPI-1999 21.8.1: an error description with its device-dependent info has at most 255 characters."""

NO_ERROR = 0
QUEUE_OVERFLOW = -350

COMMAND_ERROR_BIT = 0x20
EXECUTION_ERROR_BIT = 0x10
DEVICE_ERROR_BIT = 0x08
QUERY_ERROR_BIT = 0x04
POWER_ON_BIT = 0x80
USER_REQUEST_BIT = 0x40
REQUEST_CONTROL_BIT = 0x02
OPERATION_COMPLETE_BIT = 0x01

_BIT_OF_HUNDRED = {
    1: COMMAND_ERROR_BIT,
    2: EXECUTION_ERROR_BIT,
    3: DEVICE_ERROR_BIT,
    4: QUERY_ERROR_BIT,
    5: POWER_ON_BIT,
    6: USER_REQUEST_BIT,
    7: REQUEST_CONTROL_BIT,
    8: OPERATION_COMPLETE_BIT,
}

ERROR_TEXTS = {
    0: "No error",
    -100: "Command error",
    -101: "Invalid character",
    -102: "Syntax error",
    -103: "Invalid separator",
    -104: "Data type error",
    -105: "GET not allowed",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -110: "Command header error",
    -111: "Header separator error",
    -112: "Program mnemonic too long",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -115: "Unexpected number of parameters",
    -120: "Numeric data error",
    -121: "Invalid character in number",
    -123: "Exponent too large",
    -124: "Too many digits",
    -128: "Numeric data not allowed",
    -130: "Suffix error",
    -131: "Invalid suffix",
    -134: "Suffix too long",
    -138: "Suffix not allowed",
    -140: "Character data error",
    -141: "Invalid character data",
    -144: "Character data too long",
    -148: "Character data not allowed",
    -150: "String data error",
    -151: "Invalid string data",
    -158: "String data not allowed",
    -160: "Block data error",
    -161: "Invalid block data",
    -168: "Block data not allowed",
    -170: "Expression error",
    -171: "Invalid expression",
    -178: "Expression data not allowed",
    -180: "Macro error",
    -181: "Invalid outside macro definition",
    -183: "Invalid inside macro definition",
    -184: "Macro parameter error",
    -200: "Execution error",
    -201: "Invalid while in local",
    -202: "Settings lost due to rtl",
    -203: "Command protected",
    -210: "Trigger error",
    -211: "Trigger ignored",
    -212: "Arm ignored",
    -213: "Init ignored",
    -214: "Trigger deadlock",
    -215: "Arm deadlock",
    -220: "Parameter error",
    -221: "Settings conflict",
    -222: "Data out of range",
    -223: "Too much data",
    -224: "Illegal parameter value",
    -225: "Out of memory",
    -226: "Lists not same length",
    -230: "Data corrupt or stale",
    -231: "Data questionable",
    -233: "Invalid version",
    -240: "Hardware error",
    -241: "Hardware missing",
    -250: "Mass storage error",
    -251: "Missing mass storage",
    -252: "Missing media",
    -253: "Corrupt media",
    -254: "Media full",
    -255: "Directory full",
    -256: "File name not found",
    -257: "File name error",
    -258: "Media protected",
    -260: "Expression error",
    -261: "Math error in expression",
    -270: "Macro error",
    -271: "Macro syntax error",
    -272: "Macro execution error",
    -273: "Illegal macro label",
    -274: "Macro parameter error",
    -275: "Macro definition too long",
    -276: "Macro recursion error",
    -277: "Macro redefinition not allowed",
    -278: "Macro header not found",
    -280: "Program error",
    -281: "Cannot create program",
    -282: "Illegal program name",
    -283: "Illegal variable name",
    -284: "Program currently running",
    -285: "Program syntax error",
    -286: "Program runtime error",
    -290: "Memory use error",
    -291: "Out of memory",
    -292: "Referenced name does not exist",
    -293: "Referenced name already exists",
    -294: "Incompatible type",
    -300: "Device specific error",
    -310: "System error",
    -311: "Memory error",
    -312: "PUD memory lost",
    -313: "Calibration memory lost",
    -314: "Save/recall memory lost",
    -315: "Configuration memory lost",
    -320: "Storage fault",
    -321: "Out of memory",
    -330: "Self-test failed",
    -340: "Calibration failed",
    -350: "Queue overflow",
    -360: "Communication error",
    -361: "Parity error in program message",
    -362: "Framing error in program message",
    -363: "Input buffer overrun",
    -365: "Time out error",
    -400: "Query error",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
    -430: "Query DEADLOCKED",
    -440: "Query UNTERMINATED after indefinite response",
    -500: "Power on",
    -600: "User request",
    -700: "Request control",
    -800: "Operation complete",
}
"""Standard texts by number (SCPI-1999 volume 2, 21.8.9 to 21.8.16)."""


def event_bit(code: int) -> int:
    """Return the standard event register bit that error `code` sets.

    Positive numbers are device-specific and count as device errors (SCPI-1999 21.8.2); 0 sets nothing.
    """
    if code == NO_ERROR:
        return 0
    return DEVICE_ERROR_BIT if code > 0 else _BIT_OF_HUNDRED.get(-code // 100, 0)


def is_command_error(code: int) -> bool:
    """Say whether `code` belongs to the -1xx class: the message was not understood."""
    return -199 <= code <= -100


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One entry of the error queue: a number and the text that goes with it."""

    code: int
    text: str

    def show(self) -> str:
        """Return the entry as SYSTem:ERRor? answers it: `-113,"Undefined header;FOO"`."""
        printable = "".join(char if " " <= char <= "~" else "?" for char in self.text)[:LONGEST_ENTRY]
        return f'{self.code},"{printable.replace(chr(34), chr(34) * 2)}"'


NOTHING = ErrorEntry(NO_ERROR, ERROR_TEXTS[NO_ERROR])


class ScpiError(Exception):
    """An error that the instrument puts in its queue; raise it from a command handler to refuse a command.

    Args:
        code: A standard number (-100 to -899), or a positive device-specific one.
        info: Device-dependent detail, appended to the standard text after a semicolon.
        text: The text of a device-specific number; a standard number brings its own.
    """

    def __init__(self, code: int, info: str = "", *, text: str = "") -> None:
        described = ERROR_TEXTS.get(code, text)
        if not described:
            raise ValueError(f"error {code} is not a standard one and was given no text")
        self.entry = ErrorEntry(code, f"{described};{info}" if info else described)
        super().__init__(self.entry.show())

    @property
    def code(self) -> int:
        """The SCPI error number."""
        return self.entry.code


class ErrorQueue:
    """First in, first out; when it is full the newest entry is replaced by -350 (SCPI-1999 21.8.1)."""

    def __init__(self, length: int) -> None:
        if length < 2:
            raise ValueError(f"an error queue holds at least 2 entries, not {length}")
        self._length = length
        self._entries: deque[ErrorEntry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, entry: ErrorEntry) -> None:
        """Append `entry`; the last slot turns into -350 when there is no room."""
        if len(self._entries) < self._length:
            self._entries.append(entry)
        else:
            self._entries[-1] = ErrorEntry(QUEUE_OVERFLOW, ERROR_TEXTS[QUEUE_OVERFLOW])

    def pop(self) -> ErrorEntry:
        """Remove and return the oldest entry, or `0,"No error"`."""
        return self._entries.popleft() if self._entries else NOTHING

    def drain(self) -> tuple[ErrorEntry, ...]:
        """Remove and return every entry, oldest first; `0,"No error"` alone when there is none."""
        entries = tuple(self._entries) or (NOTHING,)
        self._entries.clear()
        return entries

    def clear(self) -> None:
        """Forget every entry."""
        self._entries.clear()
