"""The reference SCPI dialect on a box: headers to deeds.

Source: docs/reference/scpi.md.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from impairlab.drivers.model import Direction, Statistics, Target
from impairlab.sim_hardware.appliance.box import Box
from impairlab.sim_hardware.appliance.fields import ALL_FILTER_FIELDS, CONDITION_FIELDS
from impairlab.sim_hardware.appliance.flow_setting import FlowSetting
from impairlab.sim_hardware.appliance.memories import SLOTS
from impairlab.sim_hardware.appliance.settings import DEFAULTS, AnyField, FlowSettings
from impairlab.sim_hardware.appliance.strings import (
    Installed,
    read_conditions,
    read_filter,
    show_conditions,
    show_filter,
)
from impairlab.sim_hardware.planes import EVERY_OPTION, FILTER
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
    Query,
    ScpiError,
    Setting,
    Text,
    Word,
)

FILTERED_FLOWS = 8
_NODES: Mapping[str, Direction] = {"AB": "a-b", "BA": "b-a"}
_LONGEST_NAME = 32
_LONGEST_STRING = 32_768
_NOT_COUNTED = Decimal("NaN")
_OPTION_ORDER = ("delay", "loss", "reorder", "duplicate", "corrupt", "rate", "link", "ecn", "pfc", "mtu", FILTER)

Where = Callable[[Node], Target]


class ImpairmentDevice(Device):
    """The appliance as a SCPI device.

    Args:
        box: What it does.
        identity: What *IDN? answers.
        update_interval_ns: What SYSTem:UPDate:INTerval? answers.
    """

    save_slots = SLOTS

    def __init__(self, box: Box, identity: Identity, update_interval_ns: int) -> None:
        self._box = box
        self._paths = box.plane.paths
        self._installed = box.plane.options & EVERY_OPTION
        self._update_interval_ns = update_interval_ns
        self.identity = identity
        self.options = tuple(option.upper() for option in _OPTION_ORDER if option in self._installed)
        self.suffixes = {
            "path": range(1, len(self._paths) + 1),
            "flow": range(FILTERED_FLOWS + 1),
            "filtered": range(1, FILTERED_FLOWS + 1),
        }

    def commands(self) -> Iterator[Declaration]:
        """Yield what the page lists, but for what every SCPI instrument has."""
        for node, direction in _NODES.items():
            base = f":PATH<path>:{node}"
            yield from self._flow_commands(base, self._where(direction, lambda _: 0))
            yield from self._flow_commands(f"{base}:FLOW<flow>", self._where(direction, lambda at: at["flow"]))
            yield from self._filter_commands(
                f"{base}:FLOW<filtered>", self._where(direction, lambda at: at["filtered"])
            )
        yield from self._whole_commands()
        yield from self._trigger_commands()
        yield from self._memory_commands()
        yield from self._system_commands()

    def power_on(self, instrument: Instrument) -> None:
        """Start up neutral."""
        self._box.power_on(instrument)

    def reset(self) -> None:
        """Make all flows neutral."""
        self._box.reset()

    def self_test(self) -> int:
        """Return 0 when the data plane answers."""
        return 0 if self._box.is_alive() else 1

    def trigger(self) -> None:
        """Arm or commit, if that is waited for."""
        self._box.bus_event()

    def save(self, slot: int) -> None:
        """Keep the active settings."""
        self._box.save(slot)

    def recall(self, slot: int) -> None:
        """Stage and commit what was kept."""
        self._box.recall(slot)

    def _where(self, direction: Direction, flow_of: Callable[[Node], int]) -> Where:
        def where(at: Node) -> Target:
            flow = flow_of(at)
            if flow:
                self._require(FILTER)
            return Target(path=self._paths[at["path"] - 1], direction=direction, flow=flow)

        return where

    def _require(self, option: str) -> None:
        if option not in self._installed:
            raise ScpiError(-241, option.upper())

    def _check(self, field: AnyField) -> None:
        self._require(field.option)

    def _settings(self, base: str, where: Where, fields: Sequence[AnyField]) -> Iterator[Declaration]:
        for field in fields:
            yield FlowSetting(base, field, where, self._box, self._check)

    def _flow_commands(self, base: str, where: Where) -> Iterator[Declaration]:
        box = self._box
        yield from self._settings(base, where, CONDITION_FIELDS)
        yield from self._string(f"{base}:CONDitions", where, read_conditions, show_conditions)
        yield Action(f"{base}:APPLy", lambda at: box.commit(where(at)))
        yield Action(f"{base}:CLEar", lambda at: box.stage(where(at), DEFAULTS))
        yield Query(f"{base}:STATistics?", lambda at: _counters(box.statistics(where(at))))
        yield Action(f"{base}:STATistics:CLEar", lambda at: box.clear_statistics(where(at)))

    def _filter_commands(self, base: str, where: Where) -> Iterator[Declaration]:
        yield from self._settings(base, where, ALL_FILTER_FIELDS)
        yield from self._string(f"{base}:FILTer:DEFinition", where, read_filter, show_filter)

    def _string(
        self,
        header: str,
        where: Where,
        read: Callable[[str, FlowSettings, Installed], FlowSettings],
        show: Callable[[FlowSettings], str],
    ) -> Iterator[Declaration]:
        box = self._box

        def stage(at: Node, text: str) -> None:
            target = where(at)
            box.stage(target, read(text, box.staged(target), self._check))

        yield Action(header, stage, Text(_LONGEST_STRING))
        yield Query(f"{header}?", lambda at: show(box.active(where(at))))
        yield Query(f"{header}:STAGed?", lambda at: show(box.staged(where(at))))

    def _whole_commands(self) -> Iterator[Declaration]:
        yield Action(":APPLy[:ALL]", lambda _: self._box.commit_all())
        yield Action(":CLEar[:ALL]", lambda _: self._box.clear_all())
        yield Action(":STATistics:CLEar[:ALL]", lambda _: self._box.clear_statistics(None))
        yield Query("*LRN?", lambda _: Word(self._learn()), indefinite=True)

    def _trigger_commands(self) -> Iterator[Declaration]:
        box, model = self._box, self._box.trigger_model

        def set_arm_source(_: Node, source: str) -> None:
            model.arm_source = source

        def set_source(_: Node, source: str) -> None:
            model.trigger_source = source

        def set_continuous(_: Node, value: bool) -> None:  # noqa: FBT001 - the value of the setting is the point
            model.continuous = value

        source = Choice("IMMediate", "BUS")
        yield Setting(":ARM:SOURce", source, set_arm_source, lambda _: model.arm_source)
        yield Setting(":TRIGger:SOURce", source, set_source, lambda _: model.trigger_source)
        yield Setting(":INITiate:CONTinuous", Boolean(), set_continuous, lambda _: model.continuous)
        yield Action(":INITiate[:IMMediate]", lambda _: box.initiate())
        yield Action(":ARM[:IMMediate]", lambda _: box.arm())
        yield Action(":TRIGger[:IMMediate]", lambda _: box.trigger())
        yield Action(":ABORt", lambda _: box.abort())

    def _memory_commands(self) -> Iterator[Declaration]:
        memories = self._box.memories
        slot = Integer(minimum=0, maximum=SLOTS - 1)
        node = ":MEMory:STATe"
        yield Action(f"{node}:NAME", lambda _, number, name: memories.rename(number, name), slot, Text(_LONGEST_NAME))
        yield Query(f"{node}:NAME?", lambda _, number: memories.name(number), slot)
        yield Query(f"{node}:VALid?", lambda _, number: memories.holds(number), slot)
        yield Action(f"{node}:DELete", lambda _, number: memories.delete(number), slot)
        yield Query(f"{node}:CATalog?", lambda _: memories.names)

    def _system_commands(self) -> Iterator[Declaration]:
        yield Query(":SYSTem:PATHs?", lambda _: len(self._paths))
        yield Query(":SYSTem:FLOWs?", lambda _: FILTERED_FLOWS if FILTER in self._installed else 0)
        yield Query(":SYSTem:UPDate:INTerval?", lambda _: Decimal(self._update_interval_ns).scaleb(-9))

    def _learn(self) -> str:
        box, model = self._box, self._box.trigger_model
        short = {"immediate": "IMM", "bus": "BUS"}
        units = [":CLE", f":ARM:SOUR {short[model.arm_source]}", f":TRIG:SOUR {short[model.trigger_source]}"]
        units.append(f":INIT:CONT {int(model.continuous)}")
        for target in box.active_flows():
            settings = box.active(target)
            flow = f":FLOW{target.flow}" if target.flow else ""
            node = f":PATH{self._paths.index(target.path) + 1}:{target.direction.replace('-', '').upper()}{flow}"
            if definition := show_filter(settings):
                units.append(f"{node}:FILT:DEF {Text().show(definition)}")
            if conditions := show_conditions(settings):
                units.append(f"{node}:COND {Text().show(conditions)}")
        return ";".join([*units, ":APPL"])


def _counters(counted: Statistics) -> list[int | Decimal]:
    numbers = (
        counted.at_ns, counted.received_packets, counted.received_bytes, counted.forwarded_packets,
        counted.forwarded_bytes, counted.dropped_loss, counted.dropped_rate, counted.dropped_link,
        counted.dropped_mtu, counted.corrupted, counted.duplicated, counted.reordered, counted.marked,
    )  # fmt: skip
    return [_NOT_COUNTED if number is None else number for number in numbers]
