"""CmwAppliance: CONFigure:DATA:MEASurement:NIMPairments of a Rohde & Schwarz CMW over VISA or a raw socket.

Source of the commands: the package RsCmwDau by Rohde & Schwarz, which says of each "No command help available". So no
unit and no limit is public: see `capabilities`. Nothing was tried on hardware.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic_ns
from typing import TypeVar

from impairlab.drivers.aftermath import find_out
from impairlab.drivers.appliance import Appliance, Commit
from impairlab.drivers.cmw.capabilities import capabilities
from impairlab.drivers.cmw.selection import Selection, read_selection, selection_words
from impairlab.drivers.cmw.site import Site
from impairlab.drivers.cmw.words import FIRST, SETTINGS, NotInOurWordsError, read_words, words_of
from impairlab.drivers.links.address import open_link
from impairlab.drivers.links.identity import IdentityGuard
from impairlab.drivers.links.link import Exchange
from impairlab.drivers.links.mark import Ieee488Marker
from impairlab.drivers.links.scpi_response import instrument_error, read_errors, split_units
from impairlab.drivers.model.applied import FlowEntry, Statistics
from impairlab.drivers.model.capabilities import Violation
from impairlab.drivers.model.conditions import NEUTRAL, Conditions
from impairlab.drivers.model.errors import (
    CapabilityError,
    ExchangeTimeout,
    ImpairlabError,
    InstrumentError,
    MalformedResponse,
    ProtocolError,
    TransportError,
    VerifyMismatch,
)
from impairlab.drivers.model.flows import Filter, Target
from impairlab.drivers.options import Options

RAW_SCPI_PORT = 5025
"""Registered with IANA as scpi-raw; that a CMW listens there is not said."""

T = TypeVar("T")

_ERROR = ":SYSTem:ERRor?"
_COMPLETE = "*OPC?"
_LONGEST_QUEUE = 50
"""Errors after which a queue is one that does not become empty; RsCmwDau gives up there too."""


class CmwAppliance(Appliance):
    """The list of network impairments of a CMW. A path is an entry of it, or two: one for each direction.

    An entry impairs the packets of its `selection`; which way these travel is for whoever sets it to know. Settings act
    one by one, in one message, and an entry that is off is switched on when all of it is set. There is no lock.

    Args:
        address: "TCPIP::192.0.2.1::INSTR?paths=1-2" or "tcp://192.0.2.1:5025?paths=1-2".
        options: How to connect.

    Raises:
        ConnectError, SessionLimit, ExchangeTimeout: Nobody answers.
        IdentityMismatch: Another serial number answers.
        InstrumentError: It has no such entry.
    """

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        self._site = Site.parse(address, self.name)
        self._patience_ns = options.timeout_ns
        guard = IdentityGuard(self.name, options.serial)
        self._link = open_link(
            self._site.link,
            name=self.name,
            greeting=guard,
            marker=Ieee488Marker(),
            wire_log=options.wire_log,
            secrets=[options.secret] if options.secret else [],
            timeout_ns=options.timeout_ns,
            gap_ns=options.gap_ns,
            default_port=RAW_SCPI_PORT,
        )
        try:
            if guard.identity is None:
                raise MalformedResponse("did not say who it is", appliance=self.name)
            self.identity = guard.identity
            self.capabilities = capabilities(self._site)
            self._raw(self._entries(self.targets()))
        except ImpairlabError:
            self._link.close()
            raise

    def close(self) -> None:
        """Close the connection. What is programmed stays. A second call does nothing."""
        self._link.close()

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows, all in one round trip.

        Raises:
            CapabilityError: Something is set that no value here says, jitter of the law PNORmal for instance.
        """
        targets = tuple(targets)
        found = self._raw(self._entries(targets))
        return [FlowEntry(target=each, conditions=self._conditions(each, found.get(each))) for each in targets]

    def statistics(self, target: Target) -> Statistics:
        """Return no counter: no command for one is public."""
        del target
        return Statistics(at_ns=monotonic_ns())

    def clear_statistics(self, target: Target) -> None:
        """Do nothing: there are no counters."""

    def lock(self) -> None:
        """Do nothing: no reservation is known, so nobody is kept out."""

    def unlock(self) -> None:
        """Do nothing, as `lock`."""

    def selection(self, target: Target) -> Selection:
        """Return which packets the entry of a direction impairs.

        Raises:
            CapabilityError: The direction has no entry.
        """
        self._must_have_an_entry(target)
        node = self._site.node(target)
        address, ports = self._ask([f"{node}:IPADdress?", f"{node}:PRANge?"])
        return self._read_as(lambda text: read_selection(address, text), ports)

    def select(self, target: Target, selection: Selection) -> None:
        """Have the entry of a direction impair other packets; conditions stay as they are.

        Raises:
            CapabilityError: The direction has no entry.
            VerifyMismatch: It answers another selection afterwards.
        """
        self._must_have_an_entry(target)
        node = self._site.node(target)
        address, ports = selection_words(selection)
        self._change([f"{node}:IPADdress {address}", f"{node}:PRANge {ports}"])
        found = self.selection(target)
        if found != selection:
            raise VerifyMismatch(f"{target}: set {selection!r}, read back {found!r}", appliance=self.name)

    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        written = {target: each for target, each in settings.items() if self._site.has(target)}
        if not written:  # directions without an entry, on which nothing is to be: asking shows that, and when
            sent_ns = monotonic_ns()
            self._ask([_COMPLETE])
            return Commit(sent_ns, monotonic_ns())
        before = self._raw(tuple(written))
        try:
            return self._carry_out(written)
        except InstrumentError as refused:
            self._put_back(before, refused)
            raise
        except (TransportError, ExchangeTimeout, ProtocolError) as failure:
            find_out(self, settings, failure, lambda: self._link.resynchronise(self._patience_ns))
            raise

    def _carry_out(self, settings: Mapping[Target, Conditions]) -> Commit:
        done = self._change(
            [
                f"{self._site.node(target)}:{setting} {value}"
                for target, conditions in settings.items()
                for setting, value in words_of(conditions, self._site.units)
            ]
        )
        return Commit(done.sent_ns, done.acknowledged_ns)

    def _put_back(self, before: Mapping[Target, Mapping[str, str]], refused: InstrumentError) -> None:
        """After a refusal write again what was there, in the words in which it was answered."""
        try:
            self._change(
                [
                    f"{self._site.node(target)}:{setting} {value}"
                    for target, answers in before.items()
                    for setting, value in (FIRST, *answers.items())
                ]
            )
        except ImpairlabError as error:
            refused.state_known = False
            refused.add_note(f"and what was there before could not be put back: {error}")
            return
        refused.add_note("what was programmed before is programmed again")

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        raise CapabilityError([*self._check_filter(target, selector)], appliance=self.name)

    def _entries(self, targets: Iterable[Target]) -> tuple[Target, ...]:
        return tuple(target for target in targets if self._site.has(target))

    def _raw(self, targets: Sequence[Target]) -> dict[Target, Mapping[str, str]]:
        """Return what the settings of each entry answer."""
        if not targets:
            return {}
        answers = iter(self._ask([f"{self._site.node(each)}:{name}?" for each in targets for name in SETTINGS]))
        return {target: {setting: next(answers) for setting in SETTINGS} for target in targets}

    def _conditions(self, target: Target, answers: Mapping[str, str] | None) -> Conditions:
        if answers is None:
            return NEUTRAL
        try:
            return read_words(answers, self._site.units)
        except NotInOurWordsError as error:
            problem = f"set on the appliance is what no value here says: {error}"
            wrong = Violation(where=str(target), field="conditions", problem=problem, legal="switch it off there")
            raise CapabilityError([wrong], appliance=self.name) from error
        except ValueError as error:
            raise self._malformed(self._site.node(target), str(dict(answers)), f"{target}: {error}") from error

    def _must_have_an_entry(self, target: Target) -> None:
        violations = [*self.capabilities.check_target(target)]
        if not violations and not self._site.has(target):
            problem = f"path {target.path} has an entry for a-b alone"
            violations.append(Violation(where=str(target), field="direction", problem=problem, legal="a-b"))
        if violations:
            raise CapabilityError(violations, appliance=self.name)

    def _ask(self, queries: Sequence[str]) -> list[str]:
        """Return one answer for each query.

        Raises:
            InstrumentError: One of them was refused.
        """
        message = ";".join([_ERROR, *queries, _ERROR])
        answers = self._checked(message, self._link.query(message), len(queries))
        if answers is None:
            answers = self._checked(message, self._link.query(message), len(queries))
        if answers is None:
            raise self._malformed(message, "", "the error queue does not become empty")
        return answers

    def _change(self, units: Sequence[str]) -> Exchange:
        """Send units that change something and see that there was no error, in one exchange; the units are repeatable.

        Raises:
            InstrumentError: Of the class of the first error.
        """
        message = ";".join([_ERROR, *units, _COMPLETE, _ERROR])
        done = first = self._link.exchange(message)
        answers = self._checked(message, done.reply, 1)
        if answers is None:
            done = self._link.exchange(message)
            answers = self._checked(message, done.reply, 1)
        if answers != ["1"]:
            problem = "the error queue does not become empty" if answers is None else f"acknowledged by {answers}"
            raise self._malformed(message, done.reply, problem)
        return Exchange(done.reply, first.sent_ns, done.acknowledged_ns)

    def _checked(self, message: str, reply: str, expected: int) -> list[str] | None:
        """Return the answers between the two questions for errors.

        None where errors lay in the queue before and it cannot be told which are ours: the queue is empty then, and the
        message can be sent again.
        """
        units = self._read_as(split_units, reply)
        if len(units) > expected + 2:
            raise self._malformed(message, reply, f"{len(units)} answers to {expected + 2} questions")
        is_cut_short = len(units) < expected + 2
        before = self._read_as(read_errors, units[0])
        errors = [] if is_cut_short else self._read_as(read_errors, units[-1])
        if not errors and not is_cut_short:
            return units[1:-1]
        errors += self._emptied(message)
        if before:
            return None
        if errors:
            raise instrument_error(errors, appliance=self.name, command=message, state_known=True)
        raise self._malformed(message, reply, f"{len(units)} answers to {expected + 2} questions")

    def _emptied(self, message: str) -> list[tuple[int, str]]:
        """Take all errors off the queue."""
        errors: list[tuple[int, str]] = []
        while found := self._read_as(read_errors, self._link.query(_ERROR)):
            errors += found
            if len(errors) > _LONGEST_QUEUE:
                raise self._malformed(message, str(errors[0]), "the error queue does not become empty")
        return errors

    def _read_as(self, read: Callable[[str], T], text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise self._malformed("", text, str(error)) from error

    def _malformed(self, command: str, reply: str, problem: str) -> MalformedResponse:
        self._link.desynchronise(problem)
        return MalformedResponse(problem, appliance=self.name, command=command, seen=reply.encode(), state_known=False)
