"""NetropyAppliance: an Apposite Netropy over its interactive command line.

Source: com/apposite/api in github.com/Neotys-Partner-Solutions/Netropy, written by Apposite: commands, prompt, errors,
the shape of `show` and of statistics. What it does not say is inferred and said to be. Nothing was tried on hardware.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic_ns, sleep
from typing import Literal, TypeVar

from impairlab.drivers.aftermath import find_out
from impairlab.drivers.appliance import Appliance, Commit
from impairlab.drivers.apposite.capabilities import SUBJECTS, read_capabilities
from impairlab.drivers.apposite.numbers import rate_in
from impairlab.drivers.apposite.show import Access, Shown, read_show
from impairlab.drivers.apposite.site import EXAMPLE, SETTINGS, Site
from impairlab.drivers.apposite.statistics import NoStatisticsYetError, Row, read_statistics
from impairlab.drivers.apposite.words import (
    NotInOurWordsError,
    is_nothing,
    read_delay,
    read_duplication,
    read_loss,
    read_outage,
)
from impairlab.drivers.links.link import Exchange
from impairlab.drivers.links.ssh import Manners, ShellLink, SshEndpoint, parse_ssh
from impairlab.drivers.model.applied import FlowEntry, Identity, Snapshot, Statistics
from impairlab.drivers.model.capabilities import Violation
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import (
    CapabilityError,
    ExchangeTimeout,
    IdentityMismatch,
    ImpairlabError,
    InstrumentCommandError,
    InstrumentDeviceError,
    InstrumentError,
    InstrumentExecutionError,
    MalformedResponse,
    ProtocolError,
    TransportError,
    VerifyMismatch,
)
from impairlab.drivers.model.flows import Filter, Target
from impairlab.drivers.model.impairments import RateLimit
from impairlab.drivers.options import Options

T = TypeVar("T")

MANNERS = Manners(prompt=re.compile(r".*\]> "))

_ERROR = "*** Error:"
_UNKNOWN = "Usage: "
_NO_NUMBER = 0
"""The appliance numbers no errors."""

_ONLY_SHOWN = ("Corruption", "Reordering")
_WIRE_OVERHEAD = "38"
_NOT_YET_NS = 2_500_000_000
"""Statistics are there about one second after a reset; a slow box is given more."""
_POLL_S = 0.1


class NetropyAppliance(Appliance):
    """A Netropy: one engine of it, with some of its paths. Direction a-b leads from the first port to the second.

    There is no lock: `lock` keeps nobody out. Each setting acts by itself, as soon as it is set. What its command line
    has no public words for (corruption, reordering, queues, MTU) is never touched; see `only_shown`.

    Args:
        address: "ssh://admin@192.0.2.1?engine=1&paths=1,2" with the settings of `Site` and of all SSH addresses.
        options: How to connect. Without a secret the password is empty, as it is in the published examples. `serial` is
            the fingerprint of its host key: it tells no serial number.

    Raises:
        ConnectError, SessionLimit, AuthError, HostKeyUnknown, HostKeyChanged, ExchangeTimeout: No way in.
        IdentityMismatch: Another fingerprint than expected.
        InstrumentError: It has no such engine or path.
        MalformedResponse: What answers does not show paths as a Netropy does.
    """

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        where = parse_ssh(address, settings=SETTINGS, example=EXAMPLE, name=options.name)
        self._site = Site.of(where, self.name)
        self._patience_ns = options.timeout_ns
        self._beside: dict[str, Mapping[str, str]] = {}
        self._link = ShellLink(
            SshEndpoint.of(where, options.secret or "", self.name),
            MANNERS,
            name=self.name,
            wire_log=options.wire_log,
            secrets=[options.secret] if options.secret else [],
            timeout_ns=options.timeout_ns,
            gap_ns=options.gap_ns,
        )
        try:
            self.identity = self._who(options.serial)
            for path in self._site.paths:
                self._show(path)
            texts = {subject: self._help(subject) for subject in SUBJECTS}
            self.capabilities = read_capabilities(self._site.paths, texts, self._site.line)
        except ImpairlabError:
            self._link.close()
            raise

    def close(self) -> None:
        """Close the session: one that is left open takes up room on the appliance. A second call does nothing."""
        self._link.close()

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows, one question a path.

        Raises:
            CapabilityError: Something is set that no value here says, a recording for instance.
        """
        targets = tuple(targets)
        shown = {path: self._show(path) for path in dict.fromkeys(target.path for target in targets)}
        return [FlowEntry(target=each, conditions=self._conditions(each, shown[each.path])) for each in targets]

    def snapshot(self, targets: Iterable[Target] | None = None) -> Snapshot:
        """Return what is programmed, and note what is only shown: `restore` sees whether it is still so."""
        snapshot = super().snapshot(targets)
        for path in dict.fromkeys(entry.target.path for entry in snapshot.entries):
            self._beside[path] = self.only_shown(path)
        return snapshot

    def restore(self, snapshot: Snapshot) -> Commit:
        """Program what a snapshot holds; see `Appliance.restore`.

        Raises:
            VerifyMismatch: Also when somebody changed what can be seen and not be set.
        """
        commit = super().restore(snapshot)
        for path in dict.fromkeys(entry.target.path for entry in snapshot.entries):
            before, now = self._beside.get(path), self.only_shown(path)
            if before is not None and before != now:
                changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
                problem = "; ".join(f"{key}: was {before.get(key)}, is {now.get(key)}" for key in changed)
                raise VerifyMismatch(f"path {path}, beyond what can be set: {problem}", appliance=self.name)
        return commit

    def only_shown(self, path: str) -> Mapping[str, str]:
        """Return what a path shows and what no public words can set, by section and key, where it is not "none".

        Corruption, reordering, and all of the access links but the bandwidth that the setting `line` is for.
        """
        shown = self._show(path)
        found = {}
        for (source, destination), values in shown.conditions.items():
            for key in _ONLY_SHOWN:
                if key in values and not is_nothing(values[key]):
                    found[f"Port {source} to Port {destination}: {key}"] = values[key]
        used = {self._site.limited_at("a-b"), self._site.limited_at("b-a")} if self._site.line is not None else set()
        for (port, side), access in shown.access.items():
            for key, value in access.values.items():
                if key != "Bandwidth" or (port, side) not in used:
                    found[f"Port {port}, {side}: {key}"] = value
        return found

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one direction of a path, from `statistics total`.

        Raises:
            InstrumentDeviceError: There are none yet, for longer than the about one second after a reset.
        """
        name = self._show(target.path).path
        rows = self._statistics("total")
        if not rows:
            raise self._malformed(self._site.statistics("total"), "", "statistics without a row")
        counters = rows[-1].of(name, *self._site.ends(target.direction))
        try:
            frames, size, drops = (int(counters[kind]) for kind in ("tx_frames", "tx_bytes", "drops"))
        except KeyError as error:
            problem = f"statistics have no {error} of path {name!r} {target.direction}"
            raise self._malformed(self._site.statistics("total"), "", problem) from error
        return Statistics(at_ns=monotonic_ns(), forwarded_packets=frames, forwarded_bytes=size, dropped_total=drops)

    def history(self, kind: Literal["interval", "cumulative"]) -> Sequence[Row]:
        """Return the counters of all paths second by second. It grows without bound: reset it before long tests.

        Raises:
            MalformedResponse: Also when it is longer than 1 MiB.
        """
        return self._statistics(kind)

    def clear_statistics(self, target: Target) -> None:
        """Set the counters of the whole engine to zero: it has no word for those of one direction."""
        del target
        self._change(self._site.statistics("reset"))

    def emulate(self, state: Literal["on", "off"]) -> Commit:
        """Switch the engine on or off. Off, its paths impair nothing, whatever is programmed."""
        done = self._change(self._site.emulate(state))
        return Commit(done.sent_ns, done.acknowledged_ns)

    def lock(self) -> None:
        """Do nothing: no reservation is known, so nobody is kept out."""

    def unlock(self) -> None:
        """Do nothing, as `lock`."""

    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        before = {entry.target: entry.conditions for entry in self.read_many(settings)}
        try:
            return self._carry_out(before, settings)
        except InstrumentError as refusal:
            self._put_back(before, refusal)
            raise
        except (TransportError, ExchangeTimeout, ProtocolError) as failure:
            find_out(self, settings, failure, lambda: self._link.resynchronise(self._patience_ns))
            raise

    def _carry_out(self, before: Mapping[Target, Conditions], after: Mapping[Target, Conditions]) -> Commit:
        commands = [
            command for target in after for command in self._site.changes(target, before[target], after[target])
        ]
        if self._site.emulation == "on" and not all(conditions.is_neutral for conditions in after.values()):
            commands.append(self._site.emulate("on"))
        if not commands:  # it is so already: asking again shows that, and when
            commands = [self._site.show(next(iter(after)).path)]
        done = [self._change(command) for command in commands]
        return Commit(done[0].sent_ns, done[-1].acknowledged_ns)

    def _put_back(self, before: Mapping[Target, Conditions], refusal: InstrumentError) -> None:
        """After a refusal undo what was set before it."""
        try:
            now = {entry.target: entry.conditions for entry in self.read_many(before)}
            self._carry_out(now, before)
        except ImpairlabError as error:
            refusal.state_known = False
            refusal.add_note(f"and what was there before could not be put back: {error}")

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        raise CapabilityError([*self._check_filter(target, selector)], appliance=self.name)

    def _conditions(self, target: Target, shown: Shown) -> Conditions:
        ends = self._site.ends(target.direction)
        command = self._site.show(target.path)
        if ends not in shown.conditions:
            raise self._malformed(command, "", f"no section 'WAN Conditions: Port {ends[0]} to Port {ends[1]}'")
        values = shown.conditions[ends]
        access = shown.access.get(self._site.limited_at(target.direction))
        try:
            return Conditions(
                delay=read_delay(values["Delay"]),
                loss=read_loss(values["Loss"]),
                link=read_outage(values["Network outage"]),
                duplicate=read_duplication(values["Duplication"]),
                rate=None if access is None or self._site.line is None else self._rate(access, self._site.line),
            )
        except KeyError as error:
            raise self._malformed(command, "", f"{target}: no line {error}") from error
        except NotInOurWordsError as error:
            problem = f"set on the appliance is what no value here says: {error}"
            wrong = Violation(where=str(target), field="conditions", problem=problem, legal="set it to none there")
            raise CapabilityError([wrong], appliance=self.name) from error
        except ValueError as error:
            raise self._malformed(command, "", f"{target}: {error}") from error

    def _rate(self, access: Access, line: int) -> RateLimit | None:
        """Return the limit of an access link; none where it is not enabled, or as quick as the line."""
        if not access.enabled or "Bandwidth" not in access.values:
            return None
        rate = rate_in(access.values["Bandwidth"])
        if rate >= line:
            return None
        overhead = access.values.get("Frame Overhead", _WIRE_OVERHEAD).split()[0]
        if overhead != _WIRE_OVERHEAD:
            raise NotInOurWordsError(f"Frame Overhead {overhead}: rates here count {_WIRE_OVERHEAD}")
        return RateLimit(rate=rate, mode="link", layer="l1")

    def _show(self, path: str) -> Shown:
        command = self._site.show(path)
        reply = self._ask(command)
        return self._understood(read_show, command, reply)

    def _help(self, subject: str) -> str:
        """Return what the appliance says to `?`, as an error or as a usage too: it may list what would be legal."""
        return self._link.query(self._site.help(subject))

    def _statistics(self, what: Literal["total", "interval", "cumulative"]) -> list[Row]:
        command = self._site.statistics(what)
        until_ns = monotonic_ns() + _NOT_YET_NS
        while True:
            reply = self._ask(command)
            try:
                return self._understood(read_statistics, command, reply)
            except NoStatisticsYetError as error:
                if monotonic_ns() >= until_ns:
                    problem = f"no statistics {_NOT_YET_NS / 10**9:g} s after they were asked for: {error}"
                    raise InstrumentDeviceError(
                        [(_NO_NUMBER, problem)], appliance=self.name, command=command
                    ) from error
            sleep(_POLL_S)

    def _ask(self, command: str) -> str:
        reply = self._link.query(command)
        self._raise_refusal(command, reply)
        return reply

    def _change(self, command: str) -> Exchange:
        done = self._link.exchange(command)
        self._raise_refusal(command, done.reply)
        return done

    def _raise_refusal(self, command: str, reply: str) -> None:
        """Raise what the appliance says against a command; its words stand in the error."""
        if _ERROR in reply:
            text = " ".join(reply[reply.index(_ERROR) :].split())
            raise InstrumentExecutionError([(_NO_NUMBER, text)], appliance=self.name, command=command)
        if _UNKNOWN in reply:
            text = " ".join(reply[reply.index(_UNKNOWN) :].split())
            raise InstrumentCommandError([(_NO_NUMBER, text)], appliance=self.name, command=command)

    def _understood(self, read: Callable[[str], T], command: str, reply: str) -> T:
        try:
            return read(reply)
        except NoStatisticsYetError:
            raise
        except ValueError as error:
            raise self._malformed(command, reply, str(error)) from error

    def _malformed(self, command: str, reply: str, problem: str) -> MalformedResponse:
        return MalformedResponse(problem, appliance=self.name, command=command, seen=reply.encode(), retryable=True)

    def _who(self, serial: str | None) -> Identity:
        key = self._link.host_key
        fingerprint = "" if key is None else key.fingerprint
        if serial is not None and serial != fingerprint:
            problem = f"expected the host key {serial}, it is {fingerprint}"
            raise IdentityMismatch(problem, appliance=self.name)
        return Identity(manufacturer="Apposite", model="Netropy", serial=fingerprint, firmware="?")
