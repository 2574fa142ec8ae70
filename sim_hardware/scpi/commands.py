"""The command table: an instrument's commands in readable form, and finding the one a header means.

    class Lamp(Device):
        suffixes = {"lamp": range(1, 3)}

        def commands(self):
            return [
                Setting(":LAMP<lamp>:LEVel", Numeric(RATIO, minimum=0, maximum=1), set=self.dim, query=self.level),
                Action(":LAMP<lamp>:FLASh", self.flash, Integer(minimum=1, maximum=9)),
                Query(":LAMP<lamp>:HOURs?", self.hours),
            ]

A handler's first argument is the `Node` that was addressed (`at["lamp"]`); the converted values follow.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from impairlab.sim_hardware.scpi.errors import ScpiError
from impairlab.sim_hardware.scpi.header import HeaderPattern
from impairlab.sim_hardware.scpi.lexer import Datum
from impairlab.sim_hardware.scpi.operations import Later
from impairlab.sim_hardware.scpi.parameters import Parameter, Reader
from impairlab.sim_hardware.scpi.responses import Reply, show

if TYPE_CHECKING:
    from impairlab.sim_hardware.scpi.instrument import Instrument
    from impairlab.sim_hardware.scpi.session import Session

T = TypeVar("T")

_CACHED_HEADERS = 8192


@dataclass(frozen=True, slots=True)
class Node:
    """What a command addresses: its numeric suffixes by name, 1 where none was sent, and who sent it."""

    suffixes: Mapping[str, int]
    session: "Session"

    def __getitem__(self, name: str) -> int:
        return self.suffixes[name]

    @property
    def instrument(self) -> "Instrument":
        """The instrument, for its operations and status."""
        return self.session.instrument


@dataclass(frozen=True, slots=True)
class Entry:
    """One header of the table and what runs for it.

    `guarded` entries change the instrument, so another session's lock refuses them. After an `indefinite` answer no
    other query may follow in the same message.
    """

    pattern: HeaderPattern
    run: Callable[[Node, Sequence[Datum]], str | Later | None]
    guarded: bool = False
    indefinite: bool = False


class Declaration(ABC):
    """Something an instrument declares; it becomes one or two entries of the table."""

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """Yield the table entries."""


@dataclass(frozen=True, slots=True)
class Setting(Declaration, Generic[T]):
    """A value that can be set and asked for: `X value`, `X?`, and `X? MIN|MAX|DEF` where the parameter has limits.

    Attributes:
        header: As a manual prints it, without question mark.
        parameter: The type of the value.
        set: Called with the node and the converted value; raises `ScpiError` to refuse it.
        query: Called with the node; answers the present value.
        guarded: Whether another session's lock refuses the change.
    """

    header: str
    parameter: Parameter[T]
    set: Callable[[Node, T], None]
    query: Callable[[Node], T]
    guarded: bool = True

    def entries(self) -> Iterator[Entry]:
        """Yield the command and its query."""
        yield Entry(HeaderPattern(self.header), self._set, guarded=self.guarded)
        yield Entry(HeaderPattern(f"{self.header}?"), self._answer)

    def _set(self, at: Node, data: Sequence[Datum]) -> None:
        if not data:
            raise ScpiError(-109)
        if len(data) > 1:
            raise ScpiError(-108)
        self.set(at, self.parameter.convert_from(data[0], lambda: self.query(at)))

    def _answer(self, at: Node, data: Sequence[Datum]) -> str:
        if len(data) > 1:
            raise ScpiError(-108)
        return self.parameter.show(self.parameter.limit(data[0]) if data else self.query(at))


class Action(Declaration):
    """A command without a query.

    Args:
        header: As a manual prints it.
        do: Called with the node and one converted value a parameter; raises `ScpiError` to refuse.
        parameters: What the command takes, in order.
        guarded: Whether another session's lock refuses it.
    """

    def __init__(self, header: str, do: Callable[..., None], *parameters: Reader[object], guarded: bool = True) -> None:
        self._header = header
        self._do = do
        self._parameters = parameters
        self._guarded = guarded

    def entries(self) -> Iterator[Entry]:
        """Yield the command."""
        yield Entry(HeaderPattern(self._header), self._run, guarded=self._guarded)

    def _run(self, at: Node, data: Sequence[Datum]) -> None:
        self._do(at, *bind(self._parameters, data))


class Query(Declaration):
    """A query that has no set form.

    Args:
        header: As a manual prints it, with its question mark.
        answer: Called with the node and one converted value a parameter; its reply is sent as response data.
        parameters: What the query takes, in order.
        guarded: Whether another session's lock refuses it, for a query that changes something.
        indefinite: Whether the reply is arbitrary ASCII, which only the end of the message ends.
    """

    def __init__(
        self,
        header: str,
        answer: Callable[..., Reply | Later],
        *parameters: Reader[object],
        guarded: bool = False,
        indefinite: bool = False,
    ) -> None:
        if not header.endswith("?"):
            raise ValueError(f"a query's header ends with a question mark: {header}")
        self._header = header
        self._answer = answer
        self._parameters = parameters
        self._guarded = guarded
        self._indefinite = indefinite

    def entries(self) -> Iterator[Entry]:
        """Yield the query."""
        yield Entry(HeaderPattern(self._header), self._run, guarded=self._guarded, indefinite=self._indefinite)

    def _run(self, at: Node, data: Sequence[Datum]) -> str | Later:
        reply = self._answer(at, *bind(self._parameters, data))
        return reply if isinstance(reply, Later) else show(reply)


def bind(parameters: Sequence[Reader[object]], data: Sequence[Datum]) -> list[object]:
    """Return one value a parameter. Raises -109 when data are missing, -108 when some are left."""
    remaining = deque(data)
    values = [parameter.take(remaining) for parameter in parameters]
    if remaining:
        raise ScpiError(-108, remaining[0].lexeme)
    return values


class CommandTable:
    """All the commands of an instrument.

    Args:
        declarations: What it understands.
        suffixes: The legal numbers of every named numeric suffix.

    Raises:
        ValueError: When a header is no pattern, answers to the same as another, or uses a suffix without a range.
    """

    def __init__(self, declarations: Iterable[Declaration], suffixes: Mapping[str, range]) -> None:
        self._entries = tuple(entry for declaration in declarations for entry in declaration.entries())
        self._suffixes = suffixes
        self._found: dict[str, tuple[Entry, Mapping[str, int]]] = {}
        seen: dict[str, str] = {}
        for pattern in (entry.pattern for entry in self._entries):
            for header in pattern.expansions():
                if header in seen:
                    raise ValueError(f"{pattern.text} and {seen[header]} both answer to {header}")
                seen[header] = pattern.text
            if missing := set(pattern.suffix_names) - set(suffixes):
                raise ValueError(f"{pattern.text} has numeric suffixes without a range: {', '.join(sorted(missing))}")

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header as it was declared, queries with their question mark (SYSTem:HELP:HEADers?)."""
        return tuple(entry.pattern.text for entry in self._entries)

    def find(self, header: str) -> tuple[Entry, Mapping[str, int]]:
        """Return the entry for an absolute header, and its numeric suffixes.

        Raises:
            ScpiError: -113 for a header nobody declared, -114 for a numeric suffix that does not exist.
        """
        found = self._found.get(header)
        if found is None:
            found = self._search(header)
            if len(self._found) >= _CACHED_HEADERS:
                self._found.clear()
            self._found[header] = found
        return found

    def _search(self, header: str) -> tuple[Entry, Mapping[str, int]]:
        for entry in self._entries:
            sent = entry.pattern.match(header)
            if sent is not None:
                numbers = {name: 1 if number is None else number for name, number in sent.items()}
                if any(number not in self._suffixes[name] for name, number in numbers.items()):
                    raise ScpiError(-114, header)
                return entry, numbers
        if any(entry.pattern.matches_but_for_numbers(header) for entry in self._entries):
            raise ScpiError(-114, header)
        raise ScpiError(-113, header)
