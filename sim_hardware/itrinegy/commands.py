"""The commands of the NE-ONE: options with two dashes in a line, and an answer in a line.

Source: nijokarively/itrinegy-api @4f00b7a, itrinegy.py.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import RLock

from impairlab.sim_hardware.faults import ArmedFaults, SilentClamp
from impairlab.sim_hardware.itrinegy.box import BoxError, NeOneBox
from impairlab.sim_hardware.itrinegy.modules import BadModule, Module
from impairlab.sim_hardware.transports.lines import LineCutter

_WITH_VALUE = frozenset(
    {
        "sessionId", "emulationId", "Id", "login", "addEmulation", "addVi", "procModule", "portModule", "delPortModule",
        "vitype", "groupname", "xpos", "ypos", "width", "height", "objdir", "image", "notes", "name", "meta",
    }
)  # fmt: skip
_DRAWN = ("vitype", "groupname", "xpos", "ypos", "width", "height", "objdir", "image", "notes")
_OK = "--ok"


@dataclass(frozen=True, slots=True)
class Line:
    """A line, taken apart.

    Attributes:
        options: Each with its value, "" where it has none; the last of those that are there more than once.
        modules: Values of all `--procModule`.
    """

    options: Mapping[str, str]
    modules: Sequence[str]


class LineConversation:
    """One connection. See `Conversation`.

    Args:
        box: What is talked to.
        guard: Held meanwhile.
        faults: `SilentClamp` strikes here.
    """

    idle_close_ns = None
    is_over = False

    def __init__(self, box: NeOneBox, guard: RLock, faults: ArmedFaults) -> None:
        self._box = box
        self._guard = guard
        self._faults = faults
        self._lines = LineCutter()
        self._deeds: Mapping[str, Callable[[Line, str], str]] = {
            "getemulations": self._list_emulations,
            "getVIsForEmulation": self._list_interfaces,
            "getVISettings": self._show,
            "getAllPorts": self._list_ports,
            "addEmulation": self._add_emulation,
            "addVi": self._add_interface,
            "start": lambda line, _: self._run(line, on=True),
            "stop": lambda line, _: self._run(line, on=False),
            "procModule": self._set_modules,
        }

    def greet(self) -> bytes:
        """Say nothing first."""
        return b""

    def close(self) -> None:
        """Do nothing: a connection holds nothing."""

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Answer each line that is whole."""
        for text in self._lines.feed(data):
            yield f"{self._answer(text or '')}\n".encode("latin-1", "replace")

    def _answer(self, text: str) -> str:
        try:
            line = _parsed(text)
            with self._guard:
                return self._carried_out(line)
        except (BoxError, BadModule) as error:
            return '--error "{}"'.format(str(error).replace('"', "'"))

    def _carried_out(self, line: Line) -> str:
        if "login" in line.options:
            user, _, password = line.options["login"].partition(";")
            return f'--sessionId "{self._box.log_in(user, password)}"'
        user = self._box.user_of(line.options.get("sessionId"))
        for name, deed in self._deeds.items():
            if name in line.options:
                return deed(line, user)
        raise BoxError(f"nothing to do; there are {', '.join(f'--{name}' for name in ('login', *self._deeds))}")

    def _list_emulations(self, _: Line, __: str) -> str:
        told = [
            f"{each.number};{each.name};{int(each.runs)};;0;{each.user};;" for each in self._box.emulations.values()
        ]
        return f'--emulations "{";".join([str(len(told)), *told])}"'

    def _list_interfaces(self, line: Line, _: str) -> str:
        numbers = [*self._box.emulation(line.options.get("emulationId")).interfaces]
        return '--VIsForEmulation "{}"'.format("".join(f"{each};" for each in (len(numbers), *numbers)))

    def _list_ports(self, _: Line, __: str) -> str:
        ports = [f"{number};{number - 1};-1;;Hardware;" for number in (1, 2)]
        return f'--ports "{";".join([str(len(ports)), *ports])}"'

    def _show(self, line: Line, _: str) -> str:
        interface = self._box.interface(line.options.get("Id"))
        words = ["--id", str(interface.number), "--name", interface.name]
        words += [word for key, value in interface.settings.items() for word in (f"--{key}", value)]
        modules = sorted(interface.modules.values(), key=lambda module: module.number)
        return shlex.join(words) + "".join(f' --procModule "{module.text}"' for module in modules)

    def _add_emulation(self, line: Line, user: str) -> str:
        return f"--emulationId {self._box.add_emulation(line.options['addEmulation'], user).number}"

    def _add_interface(self, line: Line, _: str) -> str:
        emulation = self._box.emulation(line.options.get("emulationId"))
        return f"--id {self._box.add_interface(emulation, line.options['addVi']).number}"

    def _run(self, line: Line, *, on: bool) -> str:
        self._box.run(self._box.emulation(line.options.get("emulationId")), on=on)
        return _OK

    def _set_modules(self, line: Line, _: str) -> str:
        interface = self._box.interface(line.options.get("Id"))
        modules = [self._clamped(Module.read(text)) for text in line.modules]
        drawn = {key: line.options[key] for key in _DRAWN if key in line.options}
        self._box.set_modules(interface, modules, drawn)
        return _OK

    def _clamped(self, module: Module) -> Module:
        armed = self._faults.peek(SilentClamp)
        name, _, field = armed.header.partition("/") if armed else ("", "", "")
        if armed is None or name != module.name or module.number_of(field, 10**12) <= armed.most:
            return module
        self._faults.strike(SilentClamp)
        return Module.read(module.text.replace(f"{field};{module.fields[field]};", f"{field};{armed.most};"))


def _parsed(text: str) -> Line:
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise BoxError(f"the line cannot be read: {error}") from error
    options: dict[str, str] = {}
    modules: list[str] = []
    for word in words:
        name = word.removeprefix("--")
        name = "Id" if name == "id" else name
        if name == word:
            raise BoxError(f"{word!r} is no option")
        value = next(words, None) if name in _WITH_VALUE else ""
        if value is None:
            raise BoxError(f"{word} has no value")
        options[name] = value
        if name == "procModule":
            modules.append(value)
    return Line(options, modules)
