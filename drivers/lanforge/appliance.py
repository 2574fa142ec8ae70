"""LanforgeIce: WanLinks of Candela's LANforge-ICE on its command line, TCP port 4001.

Source of the dialect: github.com/greearb/lanforge-scripts (lf_icemod.pl, LANforge/Utils.pm, LANforge/Endpoint.pm) and
candelatech.com/lfcli_ug.php. Nothing was tried on hardware.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic_ns

from impairlab.drivers.aftermath import find_out
from impairlab.drivers.appliance import Appliance, Commit
from impairlab.drivers.lanforge.capabilities import COUNTERS, capabilities
from impairlab.drivers.lanforge.site import Site
from impairlab.drivers.lanforge.words import (
    Endpoint,
    NotInOurWordsError,
    Unshown,
    corruption_words,
    info_words,
    read_conditions,
)
from impairlab.drivers.links.link import Ask, Exchange
from impairlab.drivers.links.prompt import PromptLink
from impairlab.drivers.model.applied import FlowEntry, Identity, Statistics
from impairlab.drivers.model.capabilities import Violation
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import (
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

PROMPT = "btbits>> "
_TELL_RESULTS = "set_flag brief 0"
_RESULT = re.compile(r"^\s*>>RSLT:\s+(?P<code>-?\d+)\s+Cmd:(?P<text>.*)$", re.MULTILINE)


class LanforgeIce(Appliance):
    """WanLinks of a LANforge. A path is a cross-connect; each of its endpoints impairs one direction.

    All of a direction but its corruption is set by one command. A WanLink that does not run is started when something
    is to be impaired. There is no lock.

    Args:
        address: "tcp://192.0.2.1:4001?paths=t1" with the settings of `Site`.
        options: How to connect. A LANforge tells no serial number on its command line.

    Raises:
        ConnectError, SessionLimit, ExchangeTimeout: Nobody answers, or without a prompt.
        IdentityMismatch: A serial number is expected.
        InstrumentError: It has no such endpoint.
    """

    identity = Identity(manufacturer="Candela", model="LANforge-ICE", serial="", firmware="")

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        if options.serial:
            raise IdentityMismatch(f"tells no serial number, {options.serial} was expected", appliance=self.name)
        self._site = Site.parse(address, self.name)
        self._patience_ns = options.timeout_ns
        self._unshown: dict[Target, Unshown] = {}
        self.capabilities = capabilities(self._site)
        self._link = PromptLink(
            self._site.host,
            self._site.port,
            prompt=PROMPT,
            name=self.name,
            greeting=self._greet,
            wire_log=options.wire_log,
            secrets=[options.secret] if options.secret else [],
            timeout_ns=options.timeout_ns,
            gap_ns=options.gap_ns,
        )
        try:
            for target in self.targets():
                self._endpoint(target)
        except ImpairlabError:
            self._link.close()
            raise

    def close(self) -> None:
        """Close the connection. What is programmed stays. A second call does nothing."""
        self._link.close()

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows, one question each.

        Corruption, and how far packets are moved, are not shown: for these it answers what this connection has written.

        Raises:
            CapabilityError: Something is set that no value here says.
        """
        return [FlowEntry(target=target, conditions=self._conditions(target)) for target in targets]

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of the endpoint of a direction."""
        totals = self._endpoint(target).totals
        missing = sorted(set(COUNTERS.values()) - set(totals))
        if missing:
            raise self._malformed("nc_show_endpoint", f"{target}: no counter {', '.join(missing)}")
        return Statistics(at_ns=monotonic_ns(), **{ours: totals[theirs] for ours, theirs in COUNTERS.items()})

    def clear_statistics(self, target: Target) -> None:
        """Set the counters of the endpoint of a direction to zero."""
        self._change(f"clear_endp_counters {self._site.endpoint(target)}")

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
        done: list[Exchange] = []
        for target, conditions in settings.items():
            endpoint = self._site.endpoint(target)
            done.append(self._change(info_words(endpoint, conditions, self._site.line)))
            known = self._unshown.get(target)
            if known is None or known.corrupt != conditions.corrupt:
                done.append(self._change(corruption_words(endpoint, conditions.corrupt)))
            self._unshown[target] = Unshown(conditions.reorder, conditions.corrupt)
        done += [self._change(f"set_cx_state all {cx} RUNNING") for cx in self._idle(settings)]
        return Commit(done[0].sent_ns, done[-1].acknowledged_ns)

    def _idle(self, settings: Mapping[Target, Conditions]) -> list[str]:
        """Return the cross-connects that must be started for what is set to be suffered."""
        if self._site.start == "no":
            return []
        busy = [target for target, conditions in settings.items() if not conditions.is_neutral]
        return [
            self._site.wanlinks[path].cx
            for path in dict.fromkeys(target.path for target in busy)
            if not all(self._endpoint(target).runs for target in busy if target.path == path)
        ]

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
        endpoint = self._endpoint(target)
        try:
            return read_conditions(endpoint, self._unshown.get(target, Unshown()), self._site.line)
        except NotInOurWordsError as error:
            problem = f"set on the appliance is what no value here says: {error}"
            wrong = Violation(where=str(target), field="conditions", problem=problem, legal="take it away there")
            raise CapabilityError([wrong], appliance=self.name) from error

    def _endpoint(self, target: Target) -> Endpoint:
        violations = self.capabilities.check_target(target)
        if violations:
            raise CapabilityError(violations, appliance=self.name)
        name = self._site.endpoint(target)
        command = f"nc_show_endpoint {name}"
        text = self._link.query(command)
        self._expect_success(command, text)
        try:
            return Endpoint.read(name, text)
        except ValueError as error:
            raise self._malformed(command, f"{target}: {error}", text) from error

    def _change(self, command: str) -> Exchange:
        done = self._link.exchange(command)
        self._expect_success(command, done.reply)
        return done

    def _greet(self, ask: Ask) -> None:
        """Have every command answered by its result. What is not shown is not known any more: it may have restarted."""
        self._unshown.clear()
        if _RESULT.search(ask(_TELL_RESULTS)) is None:
            raise MalformedResponse("tells no results", appliance=self.name, command=_TELL_RESULTS)

    def _expect_success(self, command: str, reply: str) -> None:
        result = _RESULT.search(reply)
        if result is None:
            raise self._malformed(command, "no result", reply)
        code = int(result["code"])
        if code:
            words = " ".join(_RESULT.sub("", reply).split()) or result["text"].strip()
            raise InstrumentExecutionError([(code, words)], appliance=self.name, command=command, state_known=True)

    def _malformed(self, command: str, problem: str, seen: str = "") -> MalformedResponse:
        self._link.desynchronise(problem)
        return MalformedResponse(
            problem, appliance=self.name, command=command, seen=seen.encode(), state_known=False
        )  # fmt: skip
