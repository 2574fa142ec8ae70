"""The vocabulary of VXI-11: programs, procedures, flags, reasons, errors, arguments (VXI-11 revision 1.0, B and C)."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Self

from impairlab.sim_hardware.transports.vxi11.xdr import Reader

VERSION = 1
CORE_PROGRAM = 0x0607AF
ABORT_PROGRAM = 0x0607B0
INTERRUPT_PROGRAM = 0x0607B1

LEAST_MAX_RECEIVE = 1024
"""The least that a server may ask writes to be limited to (rule B.6.3)."""

LONGEST_HANDLE = 40
"""Bytes of what a client wants to be told with a service request."""

_LONGEST_DEVICE_NAME = 256


class Procedure(IntEnum):
    """Of the core channel; but for ABORT, which is the abort channel's, and INTERRUPT_SRQ, the interrupt channel's."""

    ABORT = 1
    CREATE_LINK = 10
    WRITE = 11
    READ = 12
    READ_STATUS_BYTE = 13
    TRIGGER = 14
    CLEAR = 15
    REMOTE = 16
    LOCAL = 17
    LOCK = 18
    UNLOCK = 19
    ENABLE_SERVICE_REQUEST = 20
    DO_COMMAND = 22
    DESTROY_LINK = 23
    CREATE_INTERRUPT_CHANNEL = 25
    DESTROY_INTERRUPT_CHANNEL = 26
    INTERRUPT_SRQ = 30


class Flag(IntFlag):
    """What a client asks an operation for."""

    WAIT_LOCK = 1
    END = 8
    TERMINATION_CHARACTER = 0x80


class Reason(IntFlag):
    """Why a read ended; none where more is to be read at once."""

    REQUEST_COUNT = 1
    CHARACTER = 2
    END = 4


class DeviceErrorCode(IntEnum):
    """The first integer of every result."""

    NONE = 0
    SYNTAX = 1
    NOT_ACCESSIBLE = 3
    INVALID_LINK = 4
    PARAMETER = 5
    CHANNEL_NOT_ESTABLISHED = 6
    NOT_SUPPORTED = 8
    OUT_OF_RESOURCES = 9
    LOCKED_BY_ANOTHER = 11
    NO_LOCK_HELD = 12
    IO_TIMEOUT = 15
    IO_ERROR = 17
    INVALID_ADDRESS = 21
    ABORTED = 23
    CHANNEL_ALREADY_ESTABLISHED = 29


class DeviceError(Exception):
    """An operation ended with an error."""

    def __init__(self, code: DeviceErrorCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class CreateLink:
    """Arguments of create_link; times are in milliseconds, here and below."""

    client: int
    lock: bool
    lock_timeout_ms: int
    device: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read them; raises `XdrError`."""
        return cls(reader.signed(), reader.boolean(), reader.unsigned(), reader.opaque(_LONGEST_DEVICE_NAME))


@dataclass(frozen=True, slots=True)
class Write:
    """Arguments of device_write, but for the data behind them."""

    link: int
    io_timeout_ms: int
    lock_timeout_ms: int
    flags: int

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read them; raises `XdrError`."""
        return cls(reader.signed(), reader.unsigned(), reader.unsigned(), reader.unsigned())


@dataclass(frozen=True, slots=True)
class Read:
    """Arguments of device_read; the termination character counts where a flag says so."""

    link: int
    request_size: int
    io_timeout_ms: int
    lock_timeout_ms: int
    flags: int
    termination_character: int

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read them; raises `XdrError`."""
        return cls(
            reader.signed(),
            reader.unsigned(),
            reader.unsigned(),
            reader.unsigned(),
            reader.unsigned(),
            reader.unsigned() & 0xFF,
        )


@dataclass(frozen=True, slots=True)
class Generic:
    """Arguments of what has no others: status byte, trigger, clear, remote, local."""

    link: int
    flags: int
    lock_timeout_ms: int
    io_timeout_ms: int

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read them; raises `XdrError`."""
        return cls(reader.signed(), reader.unsigned(), reader.unsigned(), reader.unsigned())


@dataclass(frozen=True, slots=True)
class Lock:
    """Arguments of device_lock."""

    link: int
    flags: int
    lock_timeout_ms: int

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read them; raises `XdrError`."""
        return cls(reader.signed(), reader.unsigned(), reader.unsigned())


@dataclass(frozen=True, slots=True)
class EnableServiceRequest:
    """Arguments of device_enable_srq."""

    link: int
    enable: bool
    handle: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read them; raises `XdrError`."""
        return cls(reader.signed(), reader.boolean(), reader.opaque(LONGEST_HANDLE))


@dataclass(frozen=True, slots=True)
class CreateInterruptChannel:
    """Arguments of create_intr_chan: where the client listens, as an IPv4 address in one integer."""

    address: int
    port: int
    program: int
    version: int
    over_udp: bool

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read them; raises `XdrError`."""
        return cls(reader.unsigned(), reader.unsigned(), reader.unsigned(), reader.unsigned(), reader.boolean())
