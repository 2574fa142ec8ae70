"""NeOneAppliance: virtual interfaces of an iTrinegy NE-ONE (INE), now Calnex's, by text commands over TCP.

Source of the dialect: itrinegy.py in github.com/nijokarively/itrinegy-api. Nothing was tried on hardware.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic_ns

from impairlab.drivers.aftermath import find_out
from impairlab.drivers.appliance import Appliance, Commit
from impairlab.drivers.itrinegy.capabilities import capabilities
from impairlab.drivers.itrinegy.emulations import Emulations
from impairlab.drivers.itrinegy.modules import OURS, Module, NotInOurWordsError, changes, modules_of, read_conditions
from impairlab.drivers.itrinegy.session import SESSION_ID, Session
from impairlab.drivers.itrinegy.site import Site
from impairlab.drivers.itrinegy.text import options_in, quoted
from impairlab.drivers.links.link import Exchange
from impairlab.drivers.links.one_shot import OneShotLink
from impairlab.drivers.model.applied import FlowEntry, Identity, Snapshot, Statistics
from impairlab.drivers.model.capabilities import Violation
from impairlab.drivers.model.conditions import NEUTRAL, Conditions
from impairlab.drivers.model.errors import (
    AuthError,
    CapabilityError,
    ExchangeTimeout,
    IdentityMismatch,
    ImpairlabError,
    InstrumentError,
    InstrumentExecutionError,
    ProtocolError,
    TransportError,
    VerifyMismatch,
)
from impairlab.drivers.model.flows import Filter, Target
from impairlab.drivers.options import Options


class NeOneAppliance(Appliance):
    """Virtual interfaces of an NE-ONE. A path is two of them, one a direction.

    Every command has a connection of its own and names the session; a session that has expired is made anew. What
    changes in a direction is set by one command; modules that are no impairment are never touched. There are no
    counters and there is no lock.

    Args:
        address: "tcp://lab@192.0.2.1:8099?paths=wan:11/12" with the settings of `Site`.
        options: How to connect. The secret is the password; without one it is empty. It tells no serial number.

    Attributes:
        emulations: Its emulations and ports, to list and to make.

    Raises:
        ConnectError, SessionLimit, ExchangeTimeout: Nobody answers.
        AuthError: The login is refused.
        IdentityMismatch: A serial number is expected.
        InstrumentError: It has no such emulation or interface.
    """

    emulations: Emulations
    identity = Identity(manufacturer="iTrinegy", model="NE-ONE", serial="", firmware="")

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        if options.serial:
            raise IdentityMismatch(f"tells no serial number, {options.serial} was expected", appliance=self.name)
        self._site = Site.parse(address, self.name)
        password = options.secret or ""
        both = self._site.user + password
        if {'"', ";"} & {*both} or not both.isascii() or not both.isprintable():
            raise AuthError('a user or password with " or ; cannot be sent, nor one beyond ASCII', appliance=self.name)
        self._patience_ns = options.timeout_ns
        self._beside: dict[Target, Sequence[Module]] = {}
        self.capabilities = capabilities(self._site)
        self._link = OneShotLink(
            self._site.host,
            self._site.port,
            hidden=SESSION_ID,
            name=self.name,
            wire_log=options.wire_log,
            secrets=[password, quoted(password)[1:-1]],
            timeout_ns=options.timeout_ns,
            gap_ns=options.gap_ns,
        )
        self._session = Session(self._link, self._site.user, password, self.name)
        self.emulations = Emulations(self._session)
        try:
            self._look_around()
        except ImpairlabError:
            self._link.close()
            raise

    def close(self) -> None:
        """Close the connection, if one is open. What is programmed stays. A second call does nothing."""
        self._link.close()

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows, one question each.

        Raises:
            CapabilityError: Something is set that no value here says.
        """
        return [FlowEntry(target=target, conditions=self._conditions(target)) for target in targets]

    def beside(self, target: Target) -> Sequence[Module]:
        """Return the modules of a direction that conditions are not made of and that are never touched.

        Routes and filters, and `Fragment_MTU`: it breaks packets up, which the vocabulary has no word for.
        """
        return [module for number, module in self._modules(target).items() if number not in OURS]

    def snapshot(self, targets: Iterable[Target] | None = None) -> Snapshot:
        """Return what is programmed, and note what is beside it: `restore` sees whether that is still so."""
        snapshot = super().snapshot(targets)
        self._beside.update((entry.target, self.beside(entry.target)) for entry in snapshot.entries)
        return snapshot

    def restore(self, snapshot: Snapshot) -> Commit:
        """Program what a snapshot holds; see `Appliance.restore`.

        Raises:
            VerifyMismatch: Also when somebody changed modules that are never touched here.
        """
        commit = super().restore(snapshot)
        for target in (entry.target for entry in snapshot.entries if entry.target in self._beside):
            was, now = (" ".join(map(str, each)) for each in (self._beside[target], self.beside(target)))
            if was != now:
                problem = f"{target}, beyond what can be set here: was {was or 'nothing'}, is {now or 'nothing'}"
                raise VerifyMismatch(problem, appliance=self.name)
        return commit

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

    def _look_around(self) -> None:
        """See that what the address names is there."""
        emulation = self._site.emulation
        if emulation is not None:
            self._must_be_there(emulation, [each.id for each in self.emulations.all()], "emulation")
            there = self.emulations.interfaces(emulation)
            for target in self.targets():
                self._must_be_there(self._site.interface(target), there, f"virtual interface of emulation {emulation},")
        for target in self.targets():
            self._modules(target)

    def _must_be_there(self, number: int, there: Sequence[int], what: str) -> None:
        if number not in there:
            words = f"there is no {what} {number}; there is {', '.join(map(str, there)) or 'none'}"
            raise InstrumentExecutionError([(0, words)], appliance=self.name)

    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        begun_ns = monotonic_ns()
        before = {target: self._modules(target) for target in settings}
        wanted = {target: self._changes(target, settings[target], before[target]) for target in settings}
        try:
            done = self._send(wanted)
            if not all(conditions.is_neutral for conditions in settings.values()):
                done += self._started()
        except InstrumentError as refused:
            self._put_back(before, refused)
            raise
        except (TransportError, ExchangeTimeout, ProtocolError) as failure:
            find_out(self, settings, failure, lambda: self._link.resynchronise(self._patience_ns))
            raise
        if not done:  # it is so already: having asked shows that, and when
            return Commit(begun_ns, monotonic_ns())
        return Commit(done[0].sent_ns, done[-1].acknowledged_ns)

    def _send(self, modules: Mapping[Target, Sequence[Module]]) -> list[Exchange]:
        """Send the modules of each direction in one command."""
        return [
            self._session.change(
                f"--Id {self._site.interface(target)} " + " ".join(f"--procModule {quoted(str(each))}" for each in some)
            )
            for target, some in modules.items()
            if some
        ]

    def _started(self) -> list[Exchange]:
        """Start the emulation that the address names, unless the appliance says that it runs."""
        emulation = self._site.emulation
        running = [each.id for each in self.emulations.all() if each.running] if emulation is not None else []
        return [] if emulation is None or emulation in running else [self.emulations.start(emulation)]

    def _put_back(self, before: Mapping[Target, Mapping[int, Module]], refused: InstrumentError) -> None:
        """After a refusal set again what was there, in the words in which it was answered."""
        try:
            self._send({target: self._way_back(modules, self._modules(target)) for target, modules in before.items()})
        except ImpairlabError as error:
            refused.state_known = False
            refused.add_note(f"and what was there before could not be put back: {error}")
            return
        refused.add_note("what was programmed before is programmed again")

    def _way_back(self, before: Mapping[int, Module], now: Mapping[int, Module]) -> list[Module]:
        """Return what makes of the modules that are there those that were; one that was not becomes neutral."""
        idle = {each.number: each for each in modules_of(NEUTRAL, self._site.speed_unit)}
        return [before.get(number, idle[number]) for number in sorted(OURS) if now.get(number) != before.get(number)]

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        raise CapabilityError([*self._check_filter(target, selector)], appliance=self.name)

    def _changes(self, target: Target, conditions: Conditions, present: Mapping[int, Module]) -> list[Module]:
        with self._in_our_words(target):
            return changes(conditions, present, self._site.speed_unit)

    def _conditions(self, target: Target) -> Conditions:
        modules = self._modules(target)
        with self._in_our_words(target):
            return read_conditions(modules, self._site.speed_unit)

    @contextmanager
    def _in_our_words(self, target: Target) -> Iterator[None]:
        """Name the appliance and the direction in errors about modules."""
        try:
            yield
        except NotInOurWordsError as error:
            problem = f"set on the appliance is what no value here says: {error}"
            wrong = Violation(where=str(target), field="conditions", problem=problem, legal="take it away there")
            raise CapabilityError([wrong], appliance=self.name) from error
        except ValueError as error:
            raise self._session.malformed("--getVISettings", "", f"{target}: {error}") from error

    def _modules(self, target: Target) -> dict[int, Module]:
        violations = self.capabilities.check_target(target)
        if violations:
            raise CapabilityError(violations, appliance=self.name)
        command = f"--Id {self._site.interface(target)} --getVISettings"
        reply = self._session.ask(command)
        try:
            found = [Module.read(value) for option, value in options_in(reply) if option == "procModule"]
        except ValueError as error:
            raise self._session.malformed(command, reply, f"{target}: {error}") from error
        if not found:
            raise self._session.malformed(command, reply, f"{target}: no module")
        return {module.number: module for module in found}
