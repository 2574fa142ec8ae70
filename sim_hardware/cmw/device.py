"""The network impairments of the CMW's data application unit as SCPI: headers to deeds.

Sources: the headers, the types of their values, the words of JDIStribut, 15 entries and 4 instances are those of PyPI
RsCmwDau 3.7.51.26 (configure.data.measurement.nimpairments, enums.JitterDistrib, repcap). It has "No command help
available" for units, ranges and defaults: see `house`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from ipaddress import ip_address

from impairlab.sim_hardware.cmw.box import INDICES, CmwBox, Place
from impairlab.sim_hardware.cmw.entries import Entry
from impairlab.sim_hardware.cmw.house import HIGHEST_PORT, MOST_MILLISECONDS
from impairlab.sim_hardware.scpi import (
    Action,
    Boolean,
    Choice,
    Declaration,
    Device,
    Identity,
    Instrument,
    Integer,
    Node,
    Numeric,
    Query,
    ScpiError,
    Setting,
    Text,
)

MOST_INSTANCES = 4
"""Inst1 to Inst4 of RsCmwDau's repcap.MeasInstance."""

_NODE = ":CONFigure:DATA:MEASurement<instance>:NIMPairments<index>"
_LONGEST_ADDRESS = 64
_MILLISECONDS = Numeric(minimum=0, maximum=MOST_MILLISECONDS, default=0, step="0.001")
_PERCENT = Numeric(minimum=0, maximum=100, default=0, step="0.0000001")
_PORT = Integer(minimum=0, maximum=HIGHEST_PORT)


@dataclass(frozen=True, slots=True)
class _Number:
    header: str
    parameter: Numeric
    read: Callable[[Entry], Decimal]
    put: Callable[[Entry, Decimal], Entry]


_NUMBERS = (
    _Number(":DELay", _MILLISECONDS, lambda entry: entry.delay, lambda entry, value: replace(entry, delay=value)),
    _Number(":JITTer", _MILLISECONDS, lambda entry: entry.jitter, lambda entry, value: replace(entry, jitter=value)),
    _Number(":PLRate", _PERCENT, lambda entry: entry.loss, lambda entry, value: replace(entry, loss=value)),
    _Number(":CRATe", _PERCENT, lambda entry: entry.corruption, lambda entry, value: replace(entry, corruption=value)),
    _Number(
        ":DRATe", _PERCENT, lambda entry: entry.duplication, lambda entry, value: replace(entry, duplication=value)
    ),
    _Number(":RRATe", _PERCENT, lambda entry: entry.reordering, lambda entry, value: replace(entry, reordering=value)),
)


class CmwDevice(Device):
    """The CMW as a SCPI device.

    Args:
        box: What it does.
        identity: What *IDN? answers.
        instances: How many measurement instances it has.
    """

    def __init__(self, box: CmwBox, identity: Identity, instances: int) -> None:
        self._box = box
        self.identity = identity
        self.suffixes = {"instance": range(1, instances + 1), "index": INDICES}

    def commands(self) -> Iterator[Declaration]:
        """Yield the ten commands and their queries."""
        yield Setting(f"{_NODE}:ENABle", Boolean(), self._enable, lambda at: self._entry(at).enabled)
        yield Setting(f"{_NODE}:IPADdress", Text(_LONGEST_ADDRESS), self._address, lambda at: self._entry(at).address)
        yield Action(f"{_NODE}:PRANge", self._ports, _PORT, _PORT)
        yield Query(f"{_NODE}:PRANge?", lambda at: list(self._entry(at).ports))
        words = Choice("NORMal", "PAReto", "PNORmal", "UNIForm")
        yield Setting(f"{_NODE}:JDIStribut", words, self._distribution, lambda at: self._entry(at).distribution)
        for number in _NUMBERS:
            yield self._number(number)

    def power_on(self, instrument: Instrument) -> None:
        """Start up neutral. A failing data plane is reported, not raised."""
        try:
            self.reset()
        except ScpiError as error:
            instrument.report(error)

    def reset(self) -> None:
        """Disable every entry and take its settings back. Raises -240."""
        self._box.reset()

    def _entry(self, at: Node) -> Entry:
        return self._box.entry(_place(at))

    def _enable(self, at: Node, value: bool) -> None:  # noqa: FBT001 - the value of the setting is the point
        self._box.put(_place(at), replace(self._entry(at), enabled=value))

    def _address(self, at: Node, text: str) -> None:
        if text:
            try:
                ip_address(text)
            except ValueError as error:
                raise ScpiError(-224, str(error)) from error
        self._box.put(_place(at), replace(self._entry(at), address=text))

    def _ports(self, at: Node, first: int, last: int) -> None:
        if first > last:
            raise ScpiError(-224, f"ports from {first} to {last}")
        self._box.put(_place(at), replace(self._entry(at), ports=(first, last)))

    def _distribution(self, at: Node, word: str) -> None:
        self._box.put(_place(at), replace(self._entry(at), distribution=word))

    def _number(self, number: _Number) -> Declaration:
        def put(at: Node, value: Decimal) -> None:
            clamped = self._box.clamped(number.header, value)
            self._box.put(_place(at), number.put(self._entry(at), clamped))

        return Setting(f"{_NODE}{number.header}", number.parameter, put, lambda at: number.read(self._entry(at)))


def _place(at: Node) -> Place:
    return at["instance"], at["index"]
