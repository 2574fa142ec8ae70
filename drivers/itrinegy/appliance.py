"""NeOneAppliance: virtual interfaces of an iTrinegy NE-ONE (INE), now Calnex's, by text commands over TCP.

Source of the dialect: itrinegy.py in github.com/nijokarively/itrinegy-api. Nothing was tried on hardware.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from threading import Lock
from time import monotonic_ns, sleep

from impairlab.drivers.aftermath import find_out
from impairlab.drivers.appliance import Appliance, Commit
from impairlab.drivers.itrinegy.capabilities import capabilities
from impairlab.drivers.itrinegy.modules import Module, NotInOurWordsError, modules_of, read_conditions
from impairlab.drivers.itrinegy.site import Site
from impairlab.drivers.links.link import Exchange
from impairlab.drivers.links.one_shot import OneShotLink
from impairlab.drivers.model.applied import FlowEntry, Identity, Statistics
from impairlab.drivers.model.capabilities import Violation
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import (
    AuthError,
    CapabilityError,
    ExchangeTimeout,
    IdentityMismatch,
    ImpairlabError,
    InstrumentError,
    InstrumentExecutionError,
    MalformedResponse,
    ProtocolError,
    TransportError,
)
from impairlab.drivers.model.flows import Filter, Target
from impairlab.drivers.options import Options

_EXPIRED = "Unable to find user session"
_IN_USE = "in use"
_IN_USE_ATTEMPTS = 3
_IN_USE_PAUSE_S = 2.0
"""As the published client waits: a port may be told to be in use shortly after it was let go."""

_FIELDS_OF_AN_EMULATION = 8
_PLACE_WITHOUT_MODULE = "Default:;"


class NeOneAppliance(Appliance):
    """Virtual interfaces of an NE-ONE. A path is two of them, one a direction.

    Every command has a connection of its own and names the session; a session that has expired is made anew. All of a
    direction is set by one command. There are no counters and there is no lock.

    Args:
        address: "tcp://lab@192.0.2.1:8099?paths=wan:11/12" with the settings of `Site`.
        options: How to connect. The secret is the password; without one it is empty. It tells no serial number.

    Raises:
        ConnectError, SessionLimit, ExchangeTimeout: Nobody answers.
        AuthError: The login is refused.
        IdentityMismatch: A serial number is expected.
        InstrumentError: It has no such interface.
    """

    identity = Identity(manufacturer="iTrinegy", model="NE-ONE", serial="", firmware="")

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        if options.serial:
            raise IdentityMismatch(f"tells no serial number, {options.serial} was expected", appliance=self.name)
        self._site = Site.parse(address, self.name)
        self._password = options.secret or ""
        if {'"', ";", "\n"} & {*self._site.user, *self._password}:
            raise AuthError('a user or password with ", ; or a line feed cannot be sent', appliance=self.name)
        self._patience_ns = options.timeout_ns
        self._login = Lock()
        self._session = ""
        self.capabilities = capabilities(self._site)
        self._link = OneShotLink(
            self._site.host,
            self._site.port,
            name=self.name,
            wire_log=options.wire_log,
            secrets=[options.secret] if options.secret else [],
            timeout_ns=options.timeout_ns,
            gap_ns=options.gap_ns,
        )
        try:
            self._log_in("")
            for target in self.targets():
                self._modules(target)
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

    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        before = {entry.target: entry.conditions for entry in self.read_many(settings)}
        try:
            return self._carry_out(settings)
        except InstrumentError as refused:
            self._put_back(before, refused)
            raise
        except (TransportError, ExchangeTimeout, ProtocolError) as failure:
            find_out(self, settings, failure, lambda: self._link.resynchronise(self._patience_ns))
            raise

    def _carry_out(self, settings: Mapping[Target, Conditions]) -> Commit:
        done = [
            self._change(f"--Id {self._site.interface(target)} {self._words(conditions)}")
            for target, conditions in settings.items()
        ]
        emulation = self._site.emulation
        if (
            emulation is not None
            and not all(each.is_neutral for each in settings.values())
            and not self._runs(emulation)
        ):
            done.append(self._change(f"--emulationId {emulation} --start"))
        return Commit(done[0].sent_ns, done[-1].acknowledged_ns)

    def _words(self, conditions: Conditions) -> str:
        return " ".join(f'--procModule "{module}"' for module in modules_of(conditions, self._site.speed_unit))

    def _put_back(self, before: Mapping[Target, Conditions], refused: InstrumentError) -> None:
        """After a refusal set again what was there."""
        try:
            self._carry_out(before)
        except ImpairlabError as error:
            refused.state_known = False
            refused.add_note(f"and what was there before could not be put back: {error}")
            return
        refused.add_note("what was programmed before is programmed again")

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        raise CapabilityError([*self._check_filter(target, selector)], appliance=self.name)

    def _conditions(self, target: Target) -> Conditions:
        modules = self._modules(target)
        try:
            return read_conditions(modules, self._site.speed_unit)
        except NotInOurWordsError as error:
            problem = f"set on the appliance is what no value here says: {error}"
            wrong = Violation(where=str(target), field="conditions", problem=problem, legal="take it away there")
            raise CapabilityError([wrong], appliance=self.name) from error
        except ValueError as error:
            raise self._malformed("--getVISettings", f"{target}: {error}") from error

    def _modules(self, target: Target) -> dict[int, Module]:
        violations = self.capabilities.check_target(target)
        if violations:
            raise CapabilityError(violations, appliance=self.name)
        command = f"--Id {self._site.interface(target)} --getVISettings"
        reply = self._ask(command)
        try:
            told = [value for key, value in pairwise(shlex.split(reply)) if key == "--procModule"]
            found = [Module.read(value) for value in told if not value.startswith(_PLACE_WITHOUT_MODULE)]
        except ValueError as error:
            raise self._malformed(command, f"{target}: {error}", reply) from error
        if not found:
            raise self._malformed(command, f"{target}: no module", reply)
        return {module.number: module for module in found}

    def _runs(self, emulation: int) -> bool:
        """Whether an emulation runs. Raises InstrumentExecutionError where there is none."""
        command = "--getemulations"
        reply = self._ask(command)
        header, _, data = reply.partition(" ")
        fields = data.strip("\"' ").split(";")[1:]
        rows = [fields[at : at + _FIELDS_OF_AN_EMULATION] for at in range(0, len(fields), _FIELDS_OF_AN_EMULATION)]
        if header != "--emulations":
            raise self._malformed(command, "no emulations", reply)
        for row in rows:
            if len(row) == _FIELDS_OF_AN_EMULATION and row[0] == str(emulation):
                return row[2].strip().lower() in {"1", "true", "yes", "running"}
        raise InstrumentExecutionError(
            [(0, f"there is no emulation {emulation}")], appliance=self.name, command=command, state_known=True
        )

    def _ask(self, command: str) -> str:
        """Return the answer to something that changes nothing."""
        for _ in range(2):
            session = self._session
            reply = self._link.query(f"{session} {command}")
            if not self._has_expired(reply, session):
                break
        return self._expect_success(command, reply)

    def _change(self, command: str) -> Exchange:
        """Carry out something that changes the appliance, again as long as it is told that a port is in use."""
        attempts = 0
        while True:
            session = self._session
            done = self._link.exchange(f"{session} {command}")
            if self._has_expired(done.reply, session) and attempts == 0:
                attempts += 1
                continue
            attempts += 1
            if not (done.reply.startswith("--error") and _IN_USE in done.reply) or attempts > _IN_USE_ATTEMPTS:
                self._expect_success(command, done.reply)
                return done
            sleep(_IN_USE_PAUSE_S)

    def _has_expired(self, reply: str, session: str) -> bool:
        """Log in again if a reply says that the session is gone; say whether it did."""
        if not (reply.startswith("--error") and _EXPIRED in reply):
            return False
        self._log_in(session)
        return True

    def _log_in(self, stale: str) -> None:
        """Begin a session, unless somebody has begun one since `stale` was in use."""
        with self._login:
            if self._session != stale:
                return
            command = f'--login "{self._site.user};{self._password}"'
            reply = self._link.query(command)
            if reply.startswith("--error"):
                raise AuthError(f"does not let {self._site.user!r} in: {reply}", appliance=self.name)
            if not reply.startswith("--sessionId "):
                raise self._malformed("--login", "no session", reply)
            self._session = reply.strip()

    def _expect_success(self, command: str, reply: str) -> str:
        if reply.startswith("--error"):
            words = reply.removeprefix("--error").strip().strip('"')
            raise InstrumentExecutionError([(0, words)], appliance=self.name, command=command, state_known=True)
        if not reply.startswith("--"):
            raise self._malformed(command, "neither --ok nor an answer", reply)
        return reply

    def _malformed(self, command: str, problem: str, seen: str = "") -> MalformedResponse:
        return MalformedResponse(
            problem, appliance=self.name, command=command, seen=seen.encode(), state_known=False
        )  # fmt: skip
