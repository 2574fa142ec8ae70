"""The control requests of USBTMC and USB488, and what they are answered. No I/O.

Source: USBTMC 1.0, 4.2.1; USB488 1.0, 4.2 and 4.3.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

_SETUP = struct.Struct("<BBHHH")
_FROM_DEVICE = 0x80
_CLASS = 0x20
_TYPE_MASK = 0x60
_RECIPIENT_MASK = 0x1F
SETUP_SIZE = _SETUP.size


class Recipient(IntEnum):
    """To whom a request is made (USB 2.0, table 9-2)."""

    INTERFACE = 1
    ENDPOINT = 2


class RequestCode(IntEnum):
    """bRequest (USBTMC 1.0, table 15; USB488 1.0, table 9)."""

    INITIATE_ABORT_BULK_OUT = 1
    CHECK_ABORT_BULK_OUT_STATUS = 2
    INITIATE_ABORT_BULK_IN = 3
    CHECK_ABORT_BULK_IN_STATUS = 4
    INITIATE_CLEAR = 5
    CHECK_CLEAR_STATUS = 6
    GET_CAPABILITIES = 7
    READ_STATUS_BYTE = 128
    REN_CONTROL = 160
    GO_TO_LOCAL = 161
    LOCAL_LOCKOUT = 162


_TO_ENDPOINT = frozenset(
    {
        RequestCode.INITIATE_ABORT_BULK_OUT,
        RequestCode.CHECK_ABORT_BULK_OUT_STATUS,
        RequestCode.INITIATE_ABORT_BULK_IN,
        RequestCode.CHECK_ABORT_BULK_IN_STATUS,
    }
)


class Status(IntEnum):
    """USBTMC_status (USBTMC 1.0, table 16; USB488 1.0, table 10)."""

    SUCCESS = 1
    PENDING = 2
    INTERRUPT_IN_BUSY = 0x20
    FAILED = 0x80
    TRANSFER_NOT_IN_PROGRESS = 0x81


@dataclass(frozen=True, slots=True)
class Setup:
    """A SETUP packet (USB 2.0, 9.3).

    Attributes:
        kind: bmRequestType.
        code: bRequest.
        value: wValue.
        index: wIndex.
        length: wLength.
    """

    kind: int
    code: int
    value: int
    index: int
    length: int

    @classmethod
    def unpack(cls, content: bytes) -> "Setup":
        """Return the packet of 8 bytes."""
        return cls(*_SETUP.unpack(content))

    @property
    def is_from_device(self) -> bool:
        """Whether the host wants data; it sends some, or none, otherwise."""
        return bool(self.kind & _FROM_DEVICE)

    def request(self) -> RequestCode | None:
        """Return which class request it is; None when it is none that an instrument knows."""
        if not self.is_from_device or self.kind & _TYPE_MASK != _CLASS:
            return None
        try:
            code = RequestCode(self.code)
        except ValueError:
            return None
        wanted = Recipient.ENDPOINT if code in _TO_ENDPOINT else Recipient.INTERFACE
        return code if self.kind & _RECIPIENT_MASK == wanted else None


CAPABILITIES = struct.pack(
    "<BxHBB6xHBB8x",
    Status.SUCCESS,
    0x0100,  # bcdUSBTMC
    0,  # neither INDICATOR_PULSE nor talk-only nor listen-only
    1,  # Bulk-IN ends at TermChar where that is asked for
    0x0100,  # bcdUSB488
    0b0111,  # 488.2; REN_CONTROL, GO_TO_LOCAL and LOCAL_LOCKOUT; TRIGGER
    0b1111,  # SCPI, SR1, RL1, DT1
)
"""The answer to GET_CAPABILITIES (USBTMC 1.0, table 37; USB488 1.0, table 8)."""
