"""XenaChimera: an impairment module in a Xena chassis, through the text CLI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from time import monotonic_ns
from typing import Literal, TypeVar

from impairlab.drivers.aftermath import find_out
from impairlab.drivers.appliance import Appliance, Commit
from impairlab.drivers.links.link import Exchange
from impairlab.drivers.model.applied import FlowEntry, Statistics
from impairlab.drivers.model.capabilities import Violation
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import (
    CapabilityError,
    ExchangeTimeout,
    ImpairlabError,
    InstrumentDeviceError,
    InstrumentError,
    LockedByOther,
    MalformedResponse,
    ProtocolError,
    TransportError,
    VerifyMismatch,
)
from impairlab.drivers.model.flows import Direction, Filter, Target
from impairlab.drivers.options import Options
from impairlab.drivers.xena import filters
from impairlab.drivers.xena.address import ModuleAddress
from impairlab.drivers.xena.capabilities import FLOWS, capabilities, common_range
from impairlab.drivers.xena.chassis import Chassis, is_not_reserved
from impairlab.drivers.xena.counters import ALL_FLOWS, clear_line, counter_queries, read_counters
from impairlab.drivers.xena.programmed import KINDS, Programmed
from impairlab.drivers.xena.reading import Place, optional, read_programmed
from impairlab.drivers.xena.text import STATUS_NUMBERS, Line, asking, setting
from impairlab.drivers.xena.translation import Translator
from impairlab.drivers.xena.writing import FlowWriter

S = TypeVar("S")
T = TypeVar("T")

_NORMAL_LATENCY = "NORMAL"


class XenaChimera(Appliance):
    """A Chimera module. A path is a pair of its ports; flow 0 of a port takes what no filter selects.

    Changes act line by line, not at a commit: the time bracket is that of all lines together. A port is reserved when
    it is first written to, if it is free, and given back by `unlock` or `close`. It is never taken from anyone but by
    `take_over`.

    Args:
        address: E.g. "tcp://192.0.2.1?module=0&ports=0-1,2-3&owner=lab1"; see docs/reference/xena-chimera.md.
        options: How to connect; `secret` is the password of the chassis, without one it is the factory's.

    Raises:
        ConnectError, SessionLimit, ExchangeTimeout: Nobody answers.
        AuthError: Wrong password.
        IdentityMismatch: Another serial number answers.
        InstrumentError: The module or a port is not there, or is no Chimera.
    """

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        self._address = ModuleAddress.parse(address, self.name)
        self._translator = Translator(self._address.unit_ns)
        self._locks = 0
        self._latency_mode = ""
        self._chassis = Chassis(self._address, self.name, options)
        try:
            self.identity = self._chassis.identity
            self._learn_what_it_can()
        except ImpairlabError:
            self._chassis.close()
            raise

    def close(self) -> None:
        """Give back what was reserved and close the connection. A second call does nothing."""
        if self._chassis.holds:
            with suppress(ImpairlabError):  # a chassis that is gone has given it back itself
                self._chassis.release()
        self._chassis.close()

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows. Asks again what it can do when its latency mode changed."""
        targets = tuple(targets)
        self._notice_latency_mode()
        found = self._found(targets)
        selectors = self._filters([target for target in targets if target.flow])
        return [
            FlowEntry(
                target=target,
                filter=selectors.get(target),
                conditions=self._said(self._translator.conditions, found[self._address.place(target)], str(target)),
            )
            for target in targets
        ]

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one flow."""
        return self._counters(self._address.place(target))

    def port_statistics(self, path: str, direction: Direction) -> Statistics:
        """Return the counters of all flows of a direction together, as the port counts them."""
        place = self._address.place(Target(path=path, direction=direction))
        return self._counters(Place(place.port, ALL_FLOWS))

    def one_shot_status(self, target: Target, kind: Literal["loss", "reorder", "delay", "duplicate", "corrupt"]) -> int:
        """Return PED_ONESHOTSTATUS of a burst that comes once, as the appliance says it: no public text has the values.

        Raises:
            InstrumentError: The impairment is no burst, or is not set.
        """
        place = self._address.place(target)
        number = next(number for number, name in KINDS.items() if name == kind)
        (answer,) = self._chassis.ask([asking("PED_ONESHOTSTATUS", place.port, place.flow, number)])
        return int(answer.values[0])

    def clear_statistics(self, target: Target) -> None:
        """Set the counters of one flow to zero."""
        self._reserve((target,))
        self._do([clear_line(self._address.place(target))], (target,))

    def lock(self) -> None:
        """Reserve all ports; requests nest. Reserved again after a reconnection, if nobody was quicker.

        Raises:
            LockedByOther: Somebody has one of them; none is reserved then.
        """
        self._chassis.reserve(self._address.ports)
        self._chassis.keep(self._address.ports)
        self._locks += 1

    def unlock(self) -> None:
        """Give one request back; with the last of them all ports, those that a write had reserved as well."""
        self._locks = max(self._locks - 1, 0)
        if not self._locks:
            self._chassis.release()

    def take_over(self) -> None:
        """Reserve all ports, from whoever has them (P_RESERVATION RELINQUISH)."""
        self._chassis.relinquish(self._address.ports)
        self.lock()

    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        self._prepare(settings)
        if self._notice_latency_mode():
            violations = self.check(settings)
            if violations:
                raise CapabilityError(violations, appliance=self.name)
        after = {target: self._said(self._translator.program, each, str(target)) for target, each in settings.items()}
        before = self._known(tuple(settings))
        lines = self._lines(before, after)
        try:
            done = self._do(lines, tuple(settings))
        except InstrumentError as refused:
            self._put_back(before, refused)
            raise
        except (TransportError, ExchangeTimeout, ProtocolError) as failure:
            find_out(self, settings, failure, self._chassis.resynchronise)
            raise
        return Commit(done.sent_ns, done.acknowledged_ns)

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        """Edit the shadow copy, from a clean one on, apply it, and see that nothing is left in it."""
        self._prepare((target,))
        port, flow = self._address.place(target)
        self._do([setting("PEF_CANCEL", port, (flow,))], (target,))
        clean = self._shadow(port, flow)
        try:
            self._do(list(filters.write_filter(port, flow, selector)), (target,))
            self._do([setting("PEF_APPLY", port, (flow,))], (target,))
        except InstrumentError:
            self._chassis.do([setting("PEF_CANCEL", port, (flow,))])
            raise
        if self._shadow(port, flow) != clean:
            raise VerifyMismatch(f"{target}: the filter was not applied", appliance=self.name)

    def _check_filter(self, target: Target, selector: Filter | None) -> Iterator[Violation]:
        yield from super()._check_filter(target, selector)
        if selector is not None:
            yield from filters.violations(selector, str(target))

    def _shadow(self, port: str, flow: int) -> str:
        """Return the word for the shadow copy: the same before an edit and after it was applied, whatever it means.

        Its definition names it both "dirty" and "in sync".
        """
        (answer,) = self._chassis.ask([asking("PEF_ISSHADOWDIRTY", port, flow)])
        return str(answer.values[0])

    def _learn_what_it_can(self) -> None:
        """Ask for the latency mode and the delays that every flow of every port allows."""
        module = str(self._address.module)
        queries = [asking("PE_LATENCYRANGE", port, flow) for port in self._address.ports for flow in range(FLOWS + 1)]
        mode, *ranges = self._chassis.ask([optional(asking("M_LATENCYMODE", module)), *queries])
        pairs = [(int(low), int(high)) for low, high in (answer.values for answer in ranges)]
        delays_ns = self._said(common_range, pairs, "PE_LATENCYRANGE")
        self._latency_mode = str(mode.values[0]) if mode.values else _NORMAL_LATENCY
        self.capabilities = capabilities(self._address.paths, delays_ns, self._address.unit_ns)

    def _notice_latency_mode(self) -> bool:
        """Say whether the latency mode changed, which resets every delay; the capabilities are new then."""
        (mode,) = self._chassis.ask([optional(asking("M_LATENCYMODE", str(self._address.module)))])
        if not mode.values or mode.values[0] == self._latency_mode:
            return False
        self._learn_what_it_can()
        self._last.clear()
        return True

    def _reserve(self, targets: Iterable[Target]) -> None:
        self._chassis.reserve(dict.fromkeys(port for each in targets for port in self._address.both_ports(each)))

    def _prepare(self, targets: Iterable[Target]) -> None:
        """Reserve the ports and see that what is programmed will act.

        Raises:
            LockedByOther: Somebody else has a port.
            InstrumentDeviceError: The module passes packets by its emulator.
        """
        targets = tuple(targets)
        self._reserve(targets)
        ports = list(dict.fromkeys(port for each in targets for port in self._address.both_ports(each)))
        bypass, *emulate = self._chassis.ask(
            [optional(asking("M_EMULBYPASS", str(self._address.module))),
             *(optional(asking("P_EMULATE", port)) for port in ports)]
        )  # fmt: skip
        if bypass.values == ("ON",):
            raise InstrumentDeviceError(
                [(STATUS_NUMBERS["NOTVALID"], "M_EMULBYPASS is ON: packets pass by the emulator, nothing would act")],
                appliance=self.name, command=str(bypass.line),
            )  # fmt: skip
        idle = [port for port, answer in zip(ports, emulate, strict=True) if answer.values != ("ON",)]
        if idle:
            self._chassis.do([setting("P_EMULATE", port, (), "ON") for port in idle])

    def _found(self, targets: Iterable[Target]) -> dict[Place, Programmed]:
        places = [self._address.place(target) for target in targets]
        return self._said(lambda each: read_programmed(self._chassis.ask, each), places, "")

    def _known(self, targets: Sequence[Target]) -> dict[Target, Programmed | None]:
        """Return what is programmed; None where others programmed what cannot be read, which is written over."""
        try:
            found = self._found(targets)
        except MalformedResponse:
            return dict.fromkeys(targets)
        return {target: found[self._address.place(target)] for target in targets}

    def _lines(self, before: Mapping[Target, Programmed | None], after: Mapping[Target, Programmed]) -> list[Line]:
        """Return the lines that turn one state into another: all is prepared before anything is switched on."""
        writers = [
            FlowWriter(*self._address.place(target), before[target], programmed) for target, programmed in after.items()
        ]
        return [
            *(line for writer in writers for line in writer.preparing()),
            *(line for writer in writers for line in writer.enabling()),
        ]

    def _do(self, lines: Sequence[Line], targets: Sequence[Target]) -> Exchange:
        """Do what the lines say; a reservation that was lost meanwhile is named."""
        try:
            return self._chassis.do(lines)
        except InstrumentError as error:
            if not is_not_reserved(error):
                raise
            ports = list(dict.fromkeys(port for each in targets for port in self._address.both_ports(each)))
            lost = LockedByOther(self._chassis.holder(ports) or "", appliance=self.name, command=error.command)
            lost.state_known = error.state_known
            raise lost from error

    def _put_back(self, before: Mapping[Target, Programmed | None], refused: InstrumentError) -> None:
        """Program again what was there before a write of which a line was refused, and say so in the error."""
        known = {target: programmed for target, programmed in before.items() if programmed is not None}
        try:
            self._chassis.do(self._lines(dict.fromkeys(known), known))
        except ImpairlabError as error:
            refused.state_known = False
            refused.add_note(f"and afterwards: {error}")
            return
        refused.state_known = len(known) == len(before)
        refused.add_note("what was programmed before is programmed again")

    def _filters(self, targets: Sequence[Target]) -> dict[Target, Filter | None]:
        places = [self._address.place(target) for target in targets]
        switches = self._chassis.ask([asking("PEF_ENABLE", *place, filters.WORKING) for place in places])
        on = [target for target, switch in zip(targets, switches, strict=True) if switch.values == ("ON",)]
        queries = {target: filters.filter_queries(*self._address.place(target)) for target in on}
        answers = iter(self._chassis.ask([query for each in queries.values() for query in each]))
        selectors: dict[Target, Filter | None] = dict.fromkeys(targets)
        for target, each in queries.items():
            selectors[target] = self._said(filters.read_filter, [next(answers) for _ in each], str(target))
        return selectors

    def _counters(self, place: Place) -> Statistics:
        answers = self._chassis.ask(counter_queries(place))
        return read_counters(answers, monotonic_ns())

    def _said(self, translate: Callable[[S], T], given: S, where: str) -> T:
        """Translate what the appliance said, or what it shall be told."""
        try:
            return translate(given)
        except ValueError as error:
            problem = f"{where}: {error}" if where else str(error)
            raise MalformedResponse(problem, appliance=self.name) from error
