"""A setting of a flow as a command and its query: set the staged value, ask for the active one."""

from collections.abc import Callable, Iterator, Sequence

from impairlab.drivers.model import Target
from impairlab.sim_hardware.appliance.box import Box
from impairlab.sim_hardware.appliance.settings import AnyField, only_one
from impairlab.sim_hardware.appliance.strings import Installed
from impairlab.sim_hardware.scpi import Declaration, Node
from impairlab.sim_hardware.scpi.commands import Entry
from impairlab.sim_hardware.scpi.header import HeaderPattern
from impairlab.sim_hardware.scpi.lexer import Datum


class FlowSetting(Declaration):
    """One field of the flows that one header addresses.

    Args:
        base: The flow's node.
        field: The setting.
        where: From the numeric suffixes to the flow. Raises -241 for a flow that is not installed.
        box: Whose setting it is.
        check: Raises -241 when the option of the field is not installed.
    """

    def __init__(self, base: str, field: AnyField, where: Callable[[Node], Target], box: Box, check: Installed) -> None:
        self._header = base + field.header
        self._field = field
        self._where = where
        self._box = box
        self._require = check

    def entries(self) -> Iterator[Entry]:
        """Yield the command and its query."""
        yield Entry(HeaderPattern(self._header), self._stage, guarded=True)
        yield Entry(HeaderPattern(f"{self._header}?"), self._answer)

    def _stage(self, at: Node, data: Sequence[Datum]) -> None:
        target = self._where(at)
        self._require(self._field)
        box = self._box
        box.stage(target, self._field.stage(box.staged(target), data, box.active(target)))

    def _answer(self, at: Node, data: Sequence[Datum]) -> str:
        target = self._where(at)
        self._require(self._field)
        word = only_one(data)
        return self._field.show(self._box.active(target)) if word is None else self._field.show_limit(word)
