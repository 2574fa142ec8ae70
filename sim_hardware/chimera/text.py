"""The text protocol on TCP port 22611: a line for each command, an answer for each line.

Sources: xoa-cli reference, "Command Syntax", "Defaults and Wildcarding", "Special Scripting Commands", "Status
Messages"; public logs of real chassis for double spaces and comments.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.chassis import Chassis
from impairlab.sim_hardware.chimera.commands import Command, Level, Place
from impairlab.sim_hardware.chimera.parameters import Parameter, SyntaxProblem, Token, Values
from impairlab.sim_hardware.chimera.status import Status, StatusError
from impairlab.sim_hardware.chimera.syntax import Line, parse
from impairlab.sim_hardware.chimera.syntax import Place as Named
from impairlab.sim_hardware.chimera.table import COMMANDS
from impairlab.sim_hardware.transports.lines import LineCutter

SYNC = "<SYNC>"
_SECOND_NS = 1_000_000_000
_LEVELS = {"C": Level.CHASSIS, "M": Level.MODULE, "P": Level.PORT}
_POINTER_ROOM = 3
_THE_MODULE = 0


class TextConversation:
    """One connection. See `Conversation`.

    Args:
        chassis: What is talked to.
        peer: Where the connection comes from.
    """

    def __init__(self, chassis: Chassis, peer: str) -> None:
        self._chassis = chassis
        self._session = chassis.open_session(peer)
        self._lines = LineCutter()
        self._default_module: int | None = None
        self._default_port: int | None = None
        self._syncs = False

    @property
    def is_over(self) -> bool:
        """Whether the session was ended by C_LOGOFF."""
        return self._session.is_over

    @property
    def idle_close_ns(self) -> int:
        """As C_TIMEOUT has it."""
        return self._session.timeout_s * _SECOND_NS

    def greet(self) -> bytes:
        """Say nothing first."""
        return b""

    def close(self) -> None:
        """End the session."""
        self._chassis.close_session(self._session)

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Answer each line that is whole."""
        for line in self._lines.feed(data):
            answer = [*self._answer(line)]
            if self._syncs and line:
                answer.append(SYNC)
            if answer:
                yield "".join(f"{each}\n" for each in answer).encode("latin-1")

    def _answer(self, line: str | None) -> Iterable[str]:
        if line is None:
            return [str(house.OVERLONG_LINE.answer)]
        words = line.split()
        if not words or words[0].startswith(";"):
            return [""] if self._chassis.settings.options.empty_line == "empty-line" else []
        if words[0].upper() == "SYNC":
            return [self._sync(words[1:], line)]
        self._session.operations += 1
        try:
            return [*self._carried_out(parse(line))]
        except SyntaxProblem as problem:
            return _pointed_at(problem)

    def _sync(self, words: Sequence[str], line: str) -> str:
        match [word.upper() for word in words]:
            case []:
                return SYNC
            case ["ON" | "OFF" as state]:
                self._syncs = state == "ON"
                return str(Status.OK)
        return "\n".join(_pointed_at(SyntaxProblem(line.upper().find("SYNC") + 6)))

    def _carried_out(self, line: Line) -> Iterator[str]:
        if not line.name:
            yield self._defaulted(line)
            return
        with self._chassis.guard:
            level = _LEVELS.get(line.name[0])
            if line.is_query and level is not None and line.name[1:] in {"_CONFIG", "_INFO"}:
                yield from self._listed(line, level)
            elif (command := COMMANDS.get(line.name)) is None:
                raise SyntaxProblem(line.name_column)
            else:
                _check_words(command, line)
                for named, place in self._places(command, line):
                    yield self._one(command, line, named, place)

    def _listed(self, line: Line, level: Level) -> Iterator[str]:
        wants_settable = line.name.endswith("_CONFIG")
        for command in COMMANDS.values():
            readable = command.shown is not None and not command.indices and command.level is level
            if readable and wants_settable == (command.taken is not None):
                for named, place in self._places(command, line):
                    yield self._one(command, line, named, place)

    def _one(self, command: Command, line: Line, named: str, place: Place | None) -> str:
        """Carry out a command at one place; None is a place that is not there."""
        try:
            if place is None:
                raise StatusError(Status.BADMODULE if self._session.logged_on else Status.NOTLOGGEDON)
            if line.is_query:
                return self._echoed(command, named, place, command.query(place))
            command.set(place, lambda parameters: _read(parameters, line.values))
        except StatusError as error:
            return str(error.status)
        return str(Status.OK)

    def _echoed(self, command: Command, named: str, place: Place, values: Values) -> str:
        shown = zip(command.shown or (), values, strict=True)
        indices = f"[{','.join(map(str, place.indices))}]" if place.indices else ""
        parts = (named, command.name, indices, " ".join(parameter.show(value) for parameter, value in shown))
        return ("  " if self._chassis.settings.options.spacing == "double" else " ").join(filter(None, parts))

    def _places(self, command: Command, line: Line) -> Iterator[tuple[str, Place | None]]:
        """Yield where a command acts, each as it is echoed; raises SyntaxProblem for one that is not named."""
        least = len(command.indices) - command.optional
        if not least <= len(line.indices) <= len(command.indices):
            raise SyntaxProblem(line.index_column, "Index")
        module, port = self._named(command.level, line)
        if module is not None and module not in {"*", _THE_MODULE}:
            yield "", None
            return
        ports = range(self._chassis.reservations.ports) if port == "*" else [port]
        for each in ports:
            place = Place(self._chassis, self._session, each if isinstance(each, int) else 0, line.indices)
            yield self._shown(command.level, line, each), place

    def _named(self, level: Level, line: Line) -> tuple[Named, Named]:
        match level, line.places:
            case Level.CHASSIS, ():
                return None, None
            case Level.MODULE, (module,):
                named: tuple[Named, Named] = (module, None)
            case Level.MODULE, ():
                named = (self._default_module, None)
            case Level.PORT, (module, port):
                named = (module, port)
            case Level.PORT, (port,):
                named = (self._default_module, port)
            case Level.PORT, ():
                named = (self._default_module, self._default_port)
            case _:
                raise SyntaxProblem(1, "Index")
        if "-" in named or named[0] is None or (level is Level.PORT and named[1] is None):
            raise SyntaxProblem(1, "Index")
        return named

    def _shown(self, level: Level, line: Line, port: Named) -> str:
        """Return the place as a reply has it: defaults are left out."""
        if level is Level.CHASSIS or not line.places:
            return ""
        if level is Level.MODULE:
            return str(_THE_MODULE)
        return str(port) if len(line.places) == 1 else f"{_THE_MODULE}/{port}"

    def _defaulted(self, line: Line) -> str:
        """Set the default module and port, or show them."""
        if line.is_query:
            shown = ["-" if each is None else str(each) for each in (self._default_module, self._default_port)]
            return "/".join(shown)
        if "*" in line.places:
            raise SyntaxProblem(1, "Index")
        module, port = line.places if len(line.places) > 1 else (self._default_module, line.places[0])
        self._default_module = module if isinstance(module, int) else None
        self._default_port = port if isinstance(port, int) else None
        return str(Status.OK)


def _read(parameters: Sequence[Parameter], tokens: Sequence[Token]) -> Values:
    """Return the values that words write. Raises SyntaxProblem or StatusError."""
    fixed = [parameter for parameter in parameters if not parameter.takes_rest]
    if len(tokens) < len(fixed) or (len(tokens) > len(fixed) and len(fixed) == len(parameters)):
        raise house.WRONG_COUNT.error()
    values = [parameter.read([token]) for parameter, token in zip(fixed, tokens, strict=False)]
    values += [parameter.read(tokens[len(fixed) :]) for parameter in parameters[len(fixed) :]]
    return tuple(values)


def _check_words(command: Command, line: Line) -> None:
    """Refuse words that are no values at all, wherever and whoever they are for. Raises SyntaxProblem."""
    with suppress(StatusError):
        _read(command.taken or (), line.values)


def _pointed_at(problem: SyntaxProblem) -> list[str]:
    """Return the line that points at a mistake, and the one that names it."""
    before = problem.column - 1
    pointer = f"{'-' * before}^" if before >= _POINTER_ROOM else f"{' ' * before}^{'-' * _POINTER_ROOM}"
    return [pointer, str(problem)]
