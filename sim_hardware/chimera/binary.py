"""The binary protocol on TCP port 22606: a message for each command, with a header of 16 bytes that begins "XENA".

Source: PyPI tdl-xoa-driver 1.11.0, from which these facts are read: all numbers are big-endian; the header holds the
number of indices, the number of value bytes, the command (its number and what is wanted of it), module, port and an
identifier that the reply repeats; indices of 4 bytes and the values follow, padded to a multiple of 4 bytes. A session
that is logged on is told of some changes unasked, with identifier 0.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Self

from impairlab.sim_hardware.chimera.chassis import Chassis
from impairlab.sim_hardware.chimera.commands import Command, Level, Place
from impairlab.sim_hardware.chimera.parameters import Parameter, Values
from impairlab.sim_hardware.chimera.status import Status, StatusError
from impairlab.sim_hardware.chimera.table import BY_CODE, COMMANDS

MAGIC = b"XENA"
NOWHERE = 0xFF
"""Module or port of a command that has none."""

QUERY, VALUE, STATUS = 2, 3, 4
_HEADER = Struct("!4sHHHBBI")
_INDEX = Struct("!I")
_SECOND_NS = 1_000_000_000
_THE_MODULE = 0


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a message.

    Attributes:
        magic: What it begins with.
        indices: Number of indices.
        value_bytes: Number of bytes of values.
        kind: QUERY, VALUE or STATUS.
        code: Number of the command, or of the status.
        module: Number of the module.
        port: Number of the port.
        identifier: What belongs to it.
    """

    magic: bytes
    indices: int
    value_bytes: int
    kind: int
    code: int
    module: int
    port: int
    identifier: int

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Read a header."""
        magic, indices, value_bytes, command, module, port, identifier = _HEADER.unpack(data)
        code = command & 0xFF | (command & 0xF000) >> 4
        return cls(magic, indices, value_bytes, (command & 0x0F00) >> 8, code, module, port, identifier)

    def pack(self) -> bytes:
        """Write it."""
        command = self.code & 0xFF | (self.code & 0x0F00) << 4 | self.kind << 8
        return _HEADER.pack(
            self.magic, self.indices, self.value_bytes, command, self.module, self.port, self.identifier
        )

    @property
    def body_size(self) -> int:
        """How many bytes follow it."""
        return -(-(self.indices * _INDEX.size + self.value_bytes) // 4) * 4


class BinaryConversation:
    """One connection. See `Conversation`.

    Args:
        chassis: What is talked to.
        peer: Where the connection comes from.
        tell: Sends this conversation something that it has not asked for.
    """

    def __init__(self, chassis: Chassis, peer: str, tell: "Callable[[BinaryConversation, bytes], None]") -> None:
        self._chassis = chassis
        self._session = chassis.open_session(peer)
        self._held = bytearray()
        self._lost = False
        self._tell = tell
        with chassis.guard:
            chassis.watchers.append(self._changed)

    @property
    def is_over(self) -> bool:
        """Whether the session was ended by C_LOGOFF, or the peer does not speak this protocol."""
        return self._session.is_over or self._lost

    @property
    def idle_close_ns(self) -> int:
        """As C_TIMEOUT has it."""
        return self._session.timeout_s * _SECOND_NS

    def greet(self) -> bytes:
        """Say nothing first."""
        return b""

    def close(self) -> None:
        """End the session."""
        with self._chassis.guard:
            self._chassis.watchers.remove(self._changed)
            self._chassis.close_session(self._session)

    def _changed(self, name: str, port: int, indices: tuple[int, ...]) -> None:
        """Tell the client of a value that has changed."""
        command = COMMANDS[name]
        if not self._session.logged_on or command.show is None:
            return
        values = command.show(Place(self._chassis, self._session, port, indices))
        module = NOWHERE if command.level is Level.CHASSIS else _THE_MODULE
        place = port if command.level is Level.PORT else NOWHERE
        unasked = Header(MAGIC, 0, 0, VALUE, command.code, module, place, 0)
        self._tell(self, _valued(unasked, indices, _packed(command.shown or (), values)))

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Answer each message that is whole. One that does not begin as it must is the last."""
        self._held += data
        while len(self._held) >= _HEADER.size and not self.is_over:
            header = Header.unpack(bytes(self._held[: _HEADER.size]))
            if header.magic != MAGIC:
                self._lost = True
                yield _status(Header(MAGIC, 0, 0, 0, 0, NOWHERE, NOWHERE, header.identifier), Status.BADHEADER)
                return
            end = _HEADER.size + header.body_size
            if len(self._held) < end:
                return
            body = bytes(self._held[_HEADER.size : end])
            del self._held[:end]
            self._session.operations += 1
            yield self._answer(header, body)

    def _answer(self, header: Header, body: bytes) -> bytes:
        try:
            with self._chassis.guard:
                return self._carried_out(header, body)
        except StatusError as error:
            return _status(header, error.status)

    def _carried_out(self, header: Header, body: bytes) -> bytes:
        if header.kind not in {QUERY, VALUE}:
            raise StatusError(Status.BADCOMMAND)
        command = BY_CODE.get(header.code)
        if command is None:
            raise StatusError(Status.BADPARAMETER)
        indices = tuple(_INDEX.unpack_from(body, _INDEX.size * number)[0] for number in range(header.indices))
        values = body[_INDEX.size * header.indices :][: header.value_bytes]
        place = self._place(command, header, indices)
        if header.kind == QUERY:
            return _valued(header, indices, _packed(command.shown or (), command.query(place)))
        command.set(place, lambda parameters: _unpacked(parameters, values))
        return _status(header, Status.OK)

    def _place(self, command: Command, header: Header, indices: tuple[int, ...]) -> Place:
        if command.needs_logon and not self._session.logged_on:
            raise StatusError(Status.NOTLOGGEDON)
        if command.level is not Level.CHASSIS and header.module != _THE_MODULE:
            raise StatusError(Status.BADMODULE)
        if len(indices) != len(command.indices):
            raise StatusError(Status.BADINDEX)
        return Place(self._chassis, self._session, header.port if command.level is Level.PORT else 0, indices)


def _status(asked: Header, status: Status) -> bytes:
    return Header(MAGIC, 0, 0, STATUS, status, asked.module, asked.port, asked.identifier).pack()


def _valued(asked: Header, indices: tuple[int, ...], values: bytes) -> bytes:
    header = Header(MAGIC, len(indices), len(values), VALUE, asked.code, asked.module, asked.port, asked.identifier)
    body = b"".join(_INDEX.pack(index) for index in indices) + values
    return header.pack() + body.ljust(header.body_size, b"\0")


def _packed(parameters: Sequence[Parameter], values: Values) -> bytes:
    return b"".join(parameter.pack(value) for parameter, value in zip(parameters, values, strict=True))


def _unpacked(parameters: Sequence[Parameter], data: bytes) -> Values:
    values = []
    for parameter in parameters:
        value, data = parameter.unpack(data)
        values.append(value)
    if data:
        raise StatusError(Status.BADSIZE)
    return tuple(values)
