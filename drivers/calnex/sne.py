"""SneAppliance: the Calnex SNE, sold before as Spirent Network Emulator, over its REST interface.

Sources: "SNE 6.1 RESTful Remote Control API" and the QuickCall library di_sne of github.com/Spirent/iTest-assets; the
client, its examples and the logs of a box of build 11.0.0.18 in github.com/waripoornima/sne_rest_client. That today's
SNE is that emulator is an inference. Nothing here was tried on hardware.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import monotonic_ns

from impairlab.drivers.appliance import Commit
from impairlab.drivers.calnex.rest import RestAppliance, number
from impairlab.drivers.calnex.sne_address import EXAMPLE, SCHEMES, SETTINGS, Wanted
from impairlab.drivers.calnex.sne_box import DROPPED, RECEIVED, SneBox
from impairlab.drivers.calnex.sne_capabilities import capabilities_of
from impairlab.drivers.calnex.sne_codec import read, write
from impairlab.drivers.calnex.sne_documents import Document, ForeignError
from impairlab.drivers.calnex.sne_held import held_rule
from impairlab.drivers.calnex.sne_map import KINDS, Disruptor, MapError, assigned
from impairlab.drivers.links.address import Address
from impairlab.drivers.model.applied import FlowEntry, Identity, Statistics
from impairlab.drivers.model.capabilities import Capabilities, Violation
from impairlab.drivers.model.conditions import NEUTRAL, Conditions
from impairlab.drivers.model.errors import (
    CapabilityError,
    ConnectError,
    IdentityMismatch,
    ImpairlabError,
    InstrumentError,
    InstrumentExecutionError,
    LockedByOther,
    MalformedResponse,
    VerifyMismatch,
)
from impairlab.drivers.model.flows import Direction, Filter, Target
from impairlab.drivers.model.impairments import Impairment, LinkState
from impairlab.drivers.options import Options
from impairlab.drivers.proof import differences

_DOWN = LinkState(state="down")

Before = tuple[Disruptor, Document]


class SneAppliance(RestAppliance):
    """A Calnex (Spirent) SNE, with one of its network maps.

    Connecting finds the map, uploads it where the address names a file and it is not there, loads and starts it. Only
    impairments that the map holds can be programmed; `check` names those it does not hold. There is one path, "1".

    `lock` reserves the two ports, with later builds; 6.1 has no word for that and nobody is kept out.

    Args:
        address: `sne://host`, `http://host` or `https://host`, with the settings of `sne_address.Wanted`.
        options: How to connect. `secret` is the password of `user`.

    Raises:
        ConnectError: Nobody answers, the address cannot be read, or there is no such map or impairment.
        AuthError: The user or the password is refused.
        IdentityMismatch: A serial number is expected: nothing public says how to ask for one.
        InstrumentError: The map cannot be loaded or started.
    """

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        where = Address.parse(address, schemes=SCHEMES, settings=SETTINGS, example=EXAMPLE, name=options.name)
        try:
            self._wanted = Wanted.read(where, has_secret=options.secret is not None)
        except ValueError as error:
            raise ConnectError(str(error), appliance=self.name) from error
        if options.serial is not None:
            raise IdentityMismatch("an SNE does not tell its serial number", appliance=self.name)
        self._patience_ns = options.timeout_ns
        self._reservations = 0
        self._cleared: dict[Target, Statistics] = {}
        self._box = SneBox(where, self._wanted, self.name, options)
        self._link = self._box.link
        try:
            self._box.bring_up()
            self._directions = self._assigned()
            self.capabilities = self._ask_what_it_can_do()
        except ImpairlabError:
            self._link.close()
            raise
        self.identity = Identity(manufacturer="Calnex", model="SNE", serial="?", firmware=self._box.build or "?")

    @property
    def impairments(self) -> Mapping[Direction, Sequence[str]]:
        """Names of the map's impairments that are programmed, by direction."""
        return {direction: [each.name for each in found.values()] for direction, found in self._directions.items()}

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows.

        Raises:
            MalformedResponse: Also where somebody has programmed what the vocabulary has no words for.
        """
        self._box.bring_up()
        listed = {each.identifier: each for each in self._box.disruptors()}
        return [FlowEntry(target=target, conditions=self._read(target, listed)) for target in targets]

    def neutral(self) -> Commit:
        """Clear every impairment of both directions, also what the vocabulary has no words for, and prove it."""
        settings = dict.fromkeys(self.targets(), NEUTRAL)
        commit = self._write_and_tell(settings)
        wrong = differences(settings, {entry.target: entry.conditions for entry in self.read_many(settings)})
        if wrong:
            raise VerifyMismatch(f"not cleared: {'; '.join(wrong)}", appliance=self.name)
        self._last.update(settings)
        return commit

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one direction since they were last cleared here; the appliance cannot clear them.

        Packets received are those of the first impairment of the direction that counts.
        """
        now, cleared = self._count(target), self._cleared.get(target)
        if cleared is None:
            return now
        since = {
            name: count - (getattr(cleared, name) or 0)
            for name, count in now.model_dump(exclude={"at_ns"}, exclude_none=True).items()
        }
        return now.model_copy(update=since)

    def clear_statistics(self, target: Target) -> None:
        """Count from here on: what was counted before is taken off what `statistics` returns."""
        self._cleared[target] = self._count(target)

    def lock(self) -> None:
        """Reserve the two ports (later builds); requests nest.

        Raises:
            LockedByOther: The appliance refuses. Its codes are not public, so its words stand for the holder.
        """
        if self._wanted.auth == "bearer" and not self._reservations:
            try:
                self._box.reserve(self._wanted.ports)
            except InstrumentExecutionError as refusal:
                raise LockedByOther(refusal.text, appliance=self.name, command=refusal.command) from refusal
        self._reservations += 1

    def unlock(self) -> None:
        """Give one request of the reservation back."""
        if self._wanted.auth == "bearer" and self._reservations == 1:
            self._box.release(self._wanted.ports)
        self._reservations = max(self._reservations - 1, 0)

    def stop(self) -> None:
        """Stop the map, so that no packet crosses it, and unload it. The next use loads and starts it again."""
        self._box.stop()

    def _program(self, settings: Mapping[Target, Conditions]) -> Commit:
        self._box.bring_up()
        began_ns = monotonic_ns()
        before: list[Before] = []
        off: list[Disruptor] = []
        on: list[Before] = []
        for target, conditions in settings.items():
            for resource, disruptor in self._directions[target.direction].items():
                document, _ = self._box.ask_for(disruptor)
                before.append((disruptor, document))
                wanted = self._wanted_of(target.direction, resource, conditions)
                if wanted is None and document.is_enabled:
                    off.append(disruptor)
                elif wanted is not None:
                    made = write(document, wanted, self._wanted.bandwidth_unit)
                    if made.content != document.content:
                        on.append((disruptor, made))
        links = {self._port(t): each.link is not None for t, each in settings.items()
                 if (each.link is not None) != self._box.is_down(self._port(t))}  # fmt: skip
        looked_ns = monotonic_ns()
        try:
            brackets = self._carry_out(off, on, links)
        except InstrumentError as refusal:
            self._put_back(before, links, refusal)
            self._see_who_holds_it(refusal)
            raise
        if not brackets:  # it is so already, as was seen just now
            return Commit(began_ns, looked_ns)
        return Commit(brackets[0][0], brackets[-1][1])

    def _carry_out(
        self, off: Sequence[Disruptor], on: Sequence[Before], links: Mapping[int, bool]
    ) -> list[tuple[int, int]]:
        """What is to go goes first, in both directions, so that nothing in between is worse than before or after."""
        brackets = [self._box.switch_off(disruptor) for disruptor in off]
        brackets += [self._box.set_down(port, is_down=False) for port, is_down in links.items() if not is_down]
        brackets += [self._box.put(disruptor, document) for disruptor, document in on]
        brackets += [self._box.set_down(port, is_down=True) for port, is_down in links.items() if is_down]
        return brackets

    def _put_back(self, before: Sequence[Before], links: Mapping[int, bool], refusal: InstrumentError) -> None:
        """After a refusal undo what was written before it."""
        try:
            for disruptor, document in before:
                if self._box.ask_for(disruptor)[0].content != document.content:
                    self._box.put(disruptor, document)
            for port, is_down in links.items():
                if self._box.is_down(port) == is_down:
                    self._box.set_down(port, is_down=not is_down)
        except ImpairlabError as error:
            refusal.state_known = False
            refusal.add_note(f"and what was there before could not be put back: {error}")

    def _see_who_holds_it(self, refusal: InstrumentError) -> None:
        """Where ports can be reserved, find out whether somebody else has: then that is why a write was refused.

        Raises:
            LockedByOther: See `lock`.
        """
        if self._wanted.auth == "bearer" and not self._reservations and refusal.state_known:
            try:
                with self.locked():
                    return
            except LockedByOther as locked:
                raise locked from refusal

    def _read(self, target: Target, listed: Mapping[str, Disruptor]) -> Conditions:
        found: dict[str, Impairment] = {}
        for resource, disruptor in self._directions[target.direction].items():
            if not listed.get(disruptor.identifier, disruptor).is_enabled:
                continue
            document, answer = self._box.ask_for(disruptor)
            try:
                impairment = read(document, self._wanted.bandwidth_unit)
                if KINDS[resource] in found:
                    raise ForeignError("a delay and a jitter at a time")
            except ForeignError as error:
                problem = f"{target}: {disruptor.name!r} is programmed by somebody as {error}; clear it to go on"
                raise MalformedResponse(problem, appliance=self.name, command=answer.command) from error
            except (KeyError, ValueError, ArithmeticError) as error:
                raise self._link.malformed(answer, f"{disruptor.name!r} cannot be read: {error}") from error
            found[KINDS[resource]] = impairment
        if self._box.is_down(self._port(target)):
            found["link"] = _DOWN
        return Conditions.of(*found.values())

    def _wanted_of(self, direction: Direction, resource: str, conditions: Conditions) -> Impairment | None:
        """Where a direction has a delay, its jitter stays off: what it does to that delay is said nowhere."""
        if resource == "jitter" and "delay" in self._directions[direction]:
            return None
        wanted: Impairment | None = getattr(conditions, KINDS[resource])
        return wanted

    def _check_filter(self, target: Target, selector: Filter | None) -> Iterator[Violation]:
        del selector
        yield Violation(where=str(target), field="filter", problem="filters are nodes of the map", legal="edit the map")

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        raise CapabilityError([*self._check_filter(target, selector)], appliance=self.name)

    def _assigned(self) -> dict[Direction, dict[str, Disruptor]]:
        try:
            return assigned(self._box.disruptors(), self._wanted.chosen)
        except MapError as error:
            raise ConnectError(str(error), appliance=self.name) from error

    def _ask_what_it_can_do(self) -> Capabilities:
        """Ask each impairment for what bounds it: the line rate of a delay, the modes of a loss."""
        held = [each for found in self._directions.values() for each in found.values()]
        documents = [self._box.ask_for(each)[0] for each in held if each.resource in {"delay", "packetdrop"}]
        fastest = [number(each.content.get("maxDataRate", 0)) for each in documents if each.resource == "delay"]
        stated = capabilities_of(
            {str(each.resource) for each in held},
            fastest=int(max(fastest, default=0)),
            has_markov=any(each.has_mode("markovDropMode") for each in documents if each.resource == "packetdrop"),
            bandwidth_unit=self._wanted.bandwidth_unit,
            has_statistics=any(RECEIVED in self._box.counters(each) for each in held),
        )
        names = {way: {word: each.name for word, each in found.items()} for way, found in self._directions.items()}
        return replace(stated, place_rules=(held_rule(names),))

    def _count(self, target: Target) -> Statistics:
        received = dropped = None
        for resource, disruptor in self._directions[target.direction].items():
            counters = self._box.counters(disruptor)
            received = counters.get(RECEIVED) if received is None else received
            dropped = counters.get(DROPPED) if resource == "packetdrop" else dropped
        return Statistics(at_ns=monotonic_ns(), received_packets=received, dropped_loss=dropped)

    def _port(self, target: Target) -> int:
        return self._wanted.ports[0 if target.direction == "a-b" else 1]
