"""ScpiAppliance: the reference SCPI dialect. A flow is set, acknowledged and checked in one round trip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import monotonic_ns, sleep
from typing import TypeVar

from impairlab.drivers.aftermath import find_out
from impairlab.drivers.appliance import Appliance, Commit
from impairlab.drivers.links.address import open_link
from impairlab.drivers.links.identity import IdentityGuard
from impairlab.drivers.links.link import Ask, Exchange
from impairlab.drivers.links.mark import Ieee488Marker
from impairlab.drivers.links.scpi_response import instrument_error, quote, read_errors, split_units, unquote
from impairlab.drivers.model.applied import FlowEntry, Statistics
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import (
    ExchangeTimeout,
    ImpairlabError,
    InstrumentError,
    LockedByOther,
    MalformedResponse,
    NoResponse,
    ProtocolError,
    RebootDetected,
    TransportError,
)
from impairlab.drivers.model.flows import Filter, Target
from impairlab.drivers.options import Options
from impairlab.drivers.scpi.capabilities import COUNTERS, FACTS, Facts, read_capabilities
from impairlab.drivers.scpi.codecs import NAN, read_number
from impairlab.drivers.scpi.dialect import read_conditions, write_conditions
from impairlab.drivers.scpi.filters import read_filter, write_filter

RAW_SCPI_PORT = 5025
"""Registered with IANA as scpi-raw."""

LONGEST_MESSAGE = 60_000
"""The dialect takes 65 536 bytes; the rest is for what every message carries."""

T = TypeVar("T")

_ERRORS = ":SYST:ERR:ALL?"
_COMPLETE = "*OPC?"
_COMPLETED = (_COMPLETE, "*WAI", ":STAT:OPER:COND?")
"""What follows a commit. The last answer tells on an appliance whose *OPC? answers before the commit is complete."""

_LOCK = ":SYST:LOCK:REQ?"
_LOCKED = -203
_CONDITION = ":STAT:OPER:COND?"
_SETTLING = 2
_STAGED = 512
_POLL_NS = 1_000_000
_DIRECTION_NODES = {"a-b": "AB", "b-a": "BA"}


class ScpiAppliance(Appliance):
    """An appliance that speaks the reference SCPI dialect (docs/reference/scpi.md).

    Every message that changes something begins and ends with a query of the error queue: the first answer tells errors
    that others left there from its own, and comes even when the message is cut short by a command error.

    Args:
        address: E.g. "tcp://192.0.2.1:5025"; the port may be left out.
        options: How to connect.

    Raises:
        ConnectError, SessionLimit, ExchangeTimeout: Nobody answers.
        IdentityMismatch: Another serial number answers.
        MalformedResponse: What answers does not speak this dialect.
    """

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        self._guard = IdentityGuard(self.name, options.serial)
        self._locks = 0
        self._patience_ns = options.timeout_ns
        self._link = open_link(
            address,
            name=self.name,
            greeting=self._greet,
            marker=Ieee488Marker(),
            wire_log=options.wire_log,
            secrets=[options.secret] if options.secret else [],
            timeout_ns=options.timeout_ns,
            gap_ns=options.gap_ns,
            default_port=RAW_SCPI_PORT,
        )
        try:
            self._read_what_it_is()
        except ImpairlabError:
            self._link.close()
            raise

    def close(self) -> None:
        """Close the connection, which gives back the appliance's lock. A second call does nothing."""
        self._link.close()

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows, all in one round trip."""
        targets = tuple(targets)
        queries = [query for target in targets for query in _state_queries(target)]
        answers = iter(self._ask(queries))
        entries = []
        for target in targets:
            conditions = self._read_string(read_conditions, next(answers))
            selector = self._read_string(read_filter, next(answers)) if target.flow else None
            entries.append(FlowEntry(target=target, filter=selector, conditions=conditions))
        return entries

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one flow."""
        query = f"{_node(target)}:STAT?"
        reply = self._link.query(query)
        try:
            at, *numbers = (read_number(text) for text in reply.split(","))
            counts = {name: None if n == NAN else int(n) for name, n in zip(COUNTERS, numbers, strict=True)}
        except ValueError as error:
            raise self._malformed(query, reply, str(error)) from error
        return Statistics(at_ns=int(at), **counts)

    def clear_statistics(self, target: Target) -> None:
        """Set the counters of one flow to zero."""
        self._change([f"{_node(target)}:STAT:CLE"])

    def lock(self) -> None:
        """Take the appliance's lock (SYSTem:LOCK); requests nest. Kept over a reconnection if nobody was quicker."""
        if self._link.query(_LOCK) != "1":
            raise LockedByOther(self._owner(), appliance=self.name, command=_LOCK)
        self._locks += 1

    def unlock(self) -> None:
        """Give one request of the lock back."""
        if self._locks:
            self._locks -= 1
            self._change([":SYST:LOCK:REL"])

    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        units = [f"{_node(target)}:COND {quote(write_conditions(each))}" for target, each in settings.items()]
        if len(settings) == 1:
            (target,) = settings
            return self._commit(settings, [*units, f"{_node(target)}:APPL"])
        self._stage(tuple(settings), units)
        return self._commit(settings, [":APPL:ALL"])

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        units = [f"{_node(target)}:FILT:DEF {quote(write_filter(selector))}", f"{_node(target)}:APPL"]
        try:
            self._change(units)
        except InstrumentError:
            self._unstage((target,))
            raise

    def _stage(self, targets: tuple[Target, ...], units: Sequence[str]) -> None:
        """Stage several flows, none of them when one is refused, and nothing that somebody else left staged."""
        if int(self._read_as(read_number, self._ask([_CONDITION])[0])) & _STAGED:
            self._unstage(tuple(target for target in self.targets() if target not in targets))
        try:
            for message in _messages(units):
                self._change(message)
        except InstrumentError:
            self._unstage(targets)
            raise

    def _unstage(self, targets: tuple[Target, ...]) -> None:
        """Make what is staged equal to what is active, where it is not."""
        nodes = [f"{_node(target)}:{setting}" for target in targets for setting in _strings(target)]
        active = self._ask([f"{node}?" for node in nodes])
        staged = self._ask([f"{node}:STAG?" for node in nodes])
        units = [f"{node} {is_active}" for node, is_active, is_staged in zip(nodes, active, staged, strict=True)
                 if is_active != is_staged]  # fmt: skip
        for message in _messages(units):
            self._change(message)

    def _commit(self, settings: Mapping[Target, Conditions], units: Sequence[str]) -> Commit:
        """Send a commit; after a failure find out, on a new connection, what became of it."""
        try:
            done = self._change([*units, *_COMPLETED])
            completed_ns = self._completed_ns(done)
        except InstrumentError:
            self._unstage(tuple(settings))
            raise
        except RebootDetected:
            raise
        except (TransportError, ExchangeTimeout, ProtocolError) as failure:
            find_out(self, settings, failure, lambda: self._link.resynchronise(self._patience_ns))
            raise
        return Commit(done.sent_ns, completed_ns)

    def _completed_ns(self, done: Exchange) -> int:
        """Return when the commit was complete for certain.

        *OPC? must have been answered 1 (IEEE 488.2 10.19), the only answer that acknowledges. Some instruments answer
        it too early: when the appliance is settling nevertheless, its condition is asked until it is not.
        """
        *_, answer, condition, _ = split_units(done.reply)
        if answer != "1":
            raise self._malformed(_COMPLETE, done.reply, f"acknowledged by {answer!r} instead of 1")
        acknowledged_ns = done.acknowledged_ns
        until_ns = acknowledged_ns + self._patience_ns
        while int(self._read_as(read_number, condition)) & _SETTLING:
            if acknowledged_ns >= until_ns:
                raise NoResponse("acknowledged the commit and never completed it", appliance=self.name,
                                 command=_COMPLETE, seen=done.reply.encode(), state_known=False)  # fmt: skip
            sleep(_POLL_NS / 1e9)
            condition = self._link.query(_CONDITION)
            acknowledged_ns = monotonic_ns()
        return acknowledged_ns

    def _change(self, units: Sequence[str]) -> Exchange:
        """Send units that change something and check for errors, in one exchange.

        Raises:
            InstrumentError: Of the class of the first error.
            LockedByOther: Another session has the lock.
        """
        message = ";".join([_ERRORS, *units, _ERRORS])
        done = self._link.exchange(message)
        answers = self._units(message, done.reply)
        expected = 2 + sum(unit.partition(" ")[0].endswith("?") for unit in units)
        if len(answers) > expected:
            raise self._malformed(message, done.reply, f"{len(answers)} answers to {expected} questions")
        cut_short = len(answers) < expected
        last = self._link.query(_ERRORS) if cut_short else answers[-1]
        errors = self._read_as(read_errors, last)
        if errors and errors == self._read_as(read_errors, answers[0]):
            self._check_that_errors_end(message, errors)
        if errors:
            if errors[0][0] == _LOCKED:
                raise LockedByOther(self._owner(), appliance=self.name, command=";".join(units))
            raise instrument_error(errors, appliance=self.name, command=";".join(units), state_known=True)
        if cut_short:
            raise self._malformed(message, done.reply, f"{len(answers)} answers to {expected} questions")
        return done

    def _check_that_errors_end(self, message: str, errors: Sequence[tuple[int, str]]) -> None:
        """The same errors before and after: see that asking takes them off the queue, else they tell nothing."""
        again = self._link.query(_ERRORS)
        if self._read_as(read_errors, again):
            raise self._malformed(message, again, f"the error queue does not become empty: {errors[0]}")

    def _ask(self, queries: Sequence[str]) -> list[str]:
        """Return one answer for each query."""
        answers: list[str] = []
        for group in _messages(queries):
            message = ";".join(group)
            reply = self._link.query(message)
            units = self._units(message, reply)
            if len(units) != len(group):
                raise self._malformed(message, reply, f"{len(units)} answers to {len(group)} questions")
            answers += units
        return answers

    def _units(self, message: str, reply: str) -> list[str]:
        try:
            return split_units(reply)
        except ValueError as error:
            raise self._malformed(message, reply, str(error)) from error

    def _greet(self, ask: Ask) -> None:
        try:
            self._guard(ask)
        except RebootDetected:
            self._lock_again(ask)
            raise
        self._lock_again(ask)

    def _lock_again(self, ask: Ask) -> None:
        """Closing a connection gives the lock back: take it again as often as it was taken."""
        for _ in range(self._locks):
            if ask(_LOCK) != "1":
                raise LockedByOther(ask(":SYST:LOCK:OWN?").strip('"'), appliance=self.name, command=_LOCK)

    def _read_as(self, read: Callable[[str], T], text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise self._malformed("", text, str(error)) from error

    def _read_string(self, read: Callable[[str], T], text: str) -> T:
        """Read what a quoted string holds. Without quotes it is no answer: a blank line is not the empty string."""
        return self._read_as(lambda quoted: read(unquote(quoted)), text)

    def _malformed(self, command: str, reply: str, problem: str) -> MalformedResponse:
        self._link.desynchronise(problem)
        return MalformedResponse(problem, appliance=self.name, command=command, seen=reply.encode(), state_known=False)

    def _owner(self) -> str:
        return self._link.query(":SYST:LOCK:OWN?").strip('"')

    def _read_what_it_is(self) -> None:
        identity = self._guard.identity
        if identity is None:
            raise MalformedResponse("did not say who it is", appliance=self.name)
        self.identity = identity
        reply = self._link.query(FACTS)
        try:
            self.capabilities = read_capabilities(Facts.read(self._units(FACTS, reply)), self._ask)
        except ValueError as error:
            raise self._malformed(FACTS, reply, str(error)) from error


def _node(target: Target) -> str:
    node = f":PATH{target.path}:{_DIRECTION_NODES[target.direction]}"
    return f"{node}:FLOW{target.flow}" if target.flow else node


def _strings(target: Target) -> tuple[str, ...]:
    """Return the nodes of the strings that hold a flow's state; "everything else" has no filter."""
    return ("COND", "FILT:DEF") if target.flow else ("COND",)


def _state_queries(target: Target) -> Iterator[str]:
    for setting in _strings(target):
        yield f"{_node(target)}:{setting}?"


def _messages(units: Sequence[str]) -> Iterator[list[str]]:
    """Group units so that each message stays below the appliance's longest."""
    group: list[str] = []
    length = 0
    for unit in units:
        if group and length + len(unit) > LONGEST_MESSAGE:
            yield group
            group, length = [], 0
        group.append(unit)
        length += len(unit) + 1
    if group:
        yield group
