"""The port of an access server as its client has set it (RFC 2217): a model, without a socket."""

from collections.abc import Callable
from enum import IntEnum

from impairlab.sim_hardware.transports.serial.telnet import COM_PORT, subnegotiation


class _Command(IntEnum):
    SIGNATURE = 0
    BAUD = 1
    BITS = 2
    PARITY = 3
    STOP = 4
    CONTROL = 5
    MODEM_STATE = 7
    LINE_MASK = 10
    MODEM_MASK = 11
    PURGE = 12


_ANSWER = 100
"""What is added to a command's number in its answer."""

PARITIES = {"none": 1, "odd": 2, "even": 3}
_FLOWS = {1: "none", 2: "xonxoff", 3: "rtscts"}
_BREAK_ON, _BREAK_OFF, _DTR_ON, _DTR_OFF, _RTS_ON, _RTS_OFF = 5, 6, 8, 9, 11, 12
_ASK_BREAK, _ASK_DTR, _ASK_RTS = 4, 7, 10
_CTS, _DSR, _CTS_CHANGED = 0x10, 0x20, 0x01


class ComPort:
    """Rate, character, flow control and lines of a port.

    Args:
        on_break: Called when the client begins a break.
        on_purge: Called when the client has the port forget what it holds.

    Attributes:
        baud: Bits per second.
        bits: Data bits.
        parity: Number of it in RFC 2217; see `PARITIES`.
        stop: Number of it in RFC 2217: 1 and 2 are what they say, 3 is one and a half.
        flow: "none", "xonxoff" or "rtscts".
        breaking: Whether the client holds a break.
        dtr: The client's line.
        rts: The client's line.
    """

    def __init__(self, on_break: Callable[[], None], on_purge: Callable[[], None]) -> None:
        self.baud, self.bits, self.parity, self.stop = 9600, 8, PARITIES["none"], 1
        self.flow = "none"
        self.breaking = self.dtr = self.rts = False
        self._on_break = on_break
        self._on_purge = on_purge

    def answer(self, content: bytes) -> bytes:
        """Do what a subnegotiation asks for; return what is sent back, b"" for what is not of this option."""
        if len(content) < 2 or content[0] != COM_PORT:
            return b""
        command, value = content[1], content[2:]
        told = self._told(command, value)
        return b"" if told is None else subnegotiation(COM_PORT, command + _ANSWER, told)

    def modem_state(self, *, clear_to_send: bool, changed: bool) -> bytes:
        """Return the notification of the instrument's lines: CTS as given, DSR on."""
        state = _CTS * clear_to_send | _DSR | _CTS_CHANGED * changed
        return subnegotiation(COM_PORT, _Command.MODEM_STATE + _ANSWER, state)

    def _told(self, command: int, value: bytes) -> bytes | None:
        match command, len(value):
            case (_Command.SIGNATURE, _):
                return b"impairlab"
            case (_Command.BAUD, 4):
                self.baud = int.from_bytes(value) or self.baud
                return self.baud.to_bytes(4)
            case (_Command.BITS, 1):
                self.bits = value[0] if value[0] in {7, 8} else self.bits
                return bytes((self.bits,))
            case (_Command.PARITY, 1):
                self.parity = value[0] if value[0] in PARITIES.values() else self.parity
                return bytes((self.parity,))
            case (_Command.STOP, 1):
                self.stop = value[0] if value[0] in {1, 2, 3} else self.stop
                return bytes((self.stop,))
            case (_Command.CONTROL, 1):
                return bytes((self._control(value[0]),))
            case (_Command.LINE_MASK | _Command.MODEM_MASK, 1):
                return value
            case (_Command.PURGE, 1):
                self._on_purge()
                return value
            case _:
                return None

    def _control(self, value: int) -> int:
        """Set a line or the flow control, or tell how it is; what there is none of is told as it is."""
        if value in _FLOWS:
            self.flow = _FLOWS[value]
        elif value in {_BREAK_ON, _BREAK_OFF}:
            began = value == _BREAK_ON and not self.breaking
            self.breaking = value == _BREAK_ON
            if began:
                self._on_break()
        elif value in {_DTR_ON, _DTR_OFF}:
            self.dtr = value == _DTR_ON
        elif value in {_RTS_ON, _RTS_OFF}:
            self.rts = value == _RTS_ON
        if value in {_ASK_BREAK, _BREAK_ON, _BREAK_OFF}:
            return _BREAK_ON if self.breaking else _BREAK_OFF
        if value in {_ASK_DTR, _DTR_ON, _DTR_OFF}:
            return _DTR_ON if self.dtr else _DTR_OFF
        if value in {_ASK_RTS, _RTS_ON, _RTS_OFF}:
            return _RTS_ON if self.rts else _RTS_OFF
        return next(number for number, name in _FLOWS.items() if name == self.flow)
