"""Appliance: what every driver offers, and what none may get wrong: checks first, whole writes, proof afterwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic_ns
from typing import Literal, Self

from impairlab.drivers.model.applied import Applied, FlowEntry, Identity, Snapshot, Statistics
from impairlab.drivers.model.capabilities import Capabilities, Violation
from impairlab.drivers.model.conditions import NEUTRAL, Conditions
from impairlab.drivers.model.errors import CapabilityError, IdentityMismatch, VerifyMismatch
from impairlab.drivers.model.flows import DIRECTIONS, EVERYTHING_ELSE, Filter, Target
from impairlab.drivers.path import Path
from impairlab.drivers.proof import applied_records, differences

OnMismatch = Literal["refuse", "nearest"]
"""What to do with a value that lies between the appliance's steps: refuse it, or send the nearest and record that."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The time bracket of one change, on time.monotonic_ns(): the change took effect somewhere inside.

    Attributes:
        sent_ns: Just before the first byte of the write left.
        acknowledged_ns: Just after the appliance's acknowledgement arrived.
    """

    sent_ns: int
    acknowledged_ns: int


Witness = Callable[[Mapping[Target, Conditions], Commit], None]
"""Is told of conditions that an appliance has acknowledged, flow by flow, and when; must be quick and not raise."""


class Appliance(ABC):
    """A connected appliance; a context manager that closes the connection and leaves what is programmed alone.

    Attributes:
        name: What messages and errors call it.
        identity: Who it says it is.
        capabilities: What it can do.

    Every method that talks to the appliance raises the errors of `Link` (TransportError, ExchangeTimeout,
    ProtocolError, RebootDetected), InstrumentError when the appliance refuses, LockedByOther when another session
    holds it. An error whose `state_known` is False says that the appliance's state must be read before it is trusted.
    """

    name: str
    identity: Identity
    capabilities: Capabilities

    def __init__(self, name: str) -> None:
        self.name = name
        self._last: dict[Target, Conditions] = {}
        self._witnesses: list[Witness] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def paths(self) -> tuple[str, ...]:
        """Names of its paths."""
        return self.capabilities.paths

    def path(self, name: str) -> Path:
        """Return one of its paths.

        Raises:
            CapabilityError: It has no such path.
        """
        target = Target(path=name, direction="a-b")
        violations = self.capabilities.check_target(target)
        if violations:
            raise CapabilityError(violations, appliance=self.name)
        return Path(self, name)

    def add_witness(self, witness: Witness) -> None:
        """Have every write of conditions told from now on, a restoration's as well."""
        self._witnesses.append(witness)

    def targets(self) -> tuple[Target, ...]:
        """Return every flow of every direction of every path."""
        return tuple(
            Target(path=path, direction=direction, flow=flow)
            for path in self.paths
            for direction in DIRECTIONS
            for flow in range(self.capabilities.flows + 1)
        )

    def check(self, settings: Mapping[Target, Conditions], on_mismatch: OnMismatch = "refuse") -> tuple[Violation, ...]:
        """Return all that the appliance cannot do; talks to nobody."""
        on_step = on_mismatch == "refuse"
        return tuple(
            violation
            for target, conditions in settings.items()
            for violation in self.capabilities.check_at(target, conditions, on_step=on_step)
        )

    def apply(
        self, target: Target, conditions: Conditions, *, on_mismatch: OnMismatch = "refuse"
    ) -> tuple[Applied, ...]:
        """Replace the conditions of one flow, in one commit; see `apply_many`."""
        return self.apply_many({target: conditions}, on_mismatch=on_mismatch)

    def apply_many(
        self, settings: Mapping[Target, Conditions], *, on_mismatch: OnMismatch = "refuse"
    ) -> tuple[Applied, ...]:
        """Replace the conditions of several flows in one commit, and read them back.

        Args:
            settings: Whole conditions by flow: what is not mentioned is cleared.
            on_mismatch: For values between the appliance's steps.

        Returns:
            One record per field that was set or cleared; never none for a flow.

        Raises:
            CapabilityError: All violations at once; nothing was sent.
            VerifyMismatch: The appliance took the values and then answered others.
        """
        violations = self.check(settings, on_mismatch)
        if violations:
            raise CapabilityError(violations, appliance=self.name)
        sent = {target: self.capabilities.nearest(conditions) for target, conditions in settings.items()}
        before = {target: self._last.pop(target, NEUTRAL) for target in settings}
        commit = self._write_and_tell(sent)
        read_back = {target: entry.conditions for target, entry in zip(sent, self.read_many(sent), strict=True)}
        wrong = differences(sent, read_back)
        if wrong:
            raise VerifyMismatch(f"read back otherwise than set: {'; '.join(wrong)}", appliance=self.name)
        self._last.update(read_back)
        return tuple(
            record
            for target in settings
            for record in applied_records(
                target,
                self.capabilities,
                before=before[target],
                asked=settings[target],
                sent=sent[target],
                read_back=read_back[target],
                bracket=(commit.sent_ns, commit.acknowledged_ns),
            )
        )

    def set_filter(self, target: Target, selector: Filter | None) -> None:
        """Have a flow select the packets of `selector`; None puts the flow out of use.

        Raises:
            CapabilityError: No such flow, the flow "everything else", or a field the appliance cannot match on.
            VerifyMismatch: The appliance answered another filter afterwards.
        """
        violations = [*self.capabilities.check_target(target), *self._check_filter(target, selector)]
        if violations:
            raise CapabilityError(violations, appliance=self.name)
        self._write_filter(target, selector)
        read_back = self.read(target).filter
        if read_back != selector:
            raise VerifyMismatch(f"{target}: filter set to {selector!r}, read back {read_back!r}", appliance=self.name)

    def read(self, target: Target) -> FlowEntry:
        """Return what is programmed on one flow."""
        return self.read_many((target,))[0]

    def snapshot(self, targets: Iterable[Target] | None = None) -> Snapshot:
        """Return what is programmed, on `targets` or on every flow."""
        entries = self.read_many(self.targets() if targets is None else tuple(targets))
        self._last.update((entry.target, entry.conditions) for entry in entries)
        return Snapshot(identity=self.identity, entries=tuple(entries), taken_ns=monotonic_ns())

    def restore(self, snapshot: Snapshot) -> Commit:
        """Program what a snapshot holds, all conditions in one commit, and prove it by reading back.

        Returns:
            The time bracket of the commit.

        Raises:
            IdentityMismatch: The snapshot is of another appliance; nothing was sent.
            VerifyMismatch: What is read back is not what the snapshot holds.
        """
        if snapshot.identity != self.identity:
            raise IdentityMismatch(
                f"the snapshot is of {snapshot.identity}, this is {self.identity}", appliance=self.name
            )
        targets = [entry.target for entry in snapshot.entries]
        for wanted, present in zip(snapshot.entries, self.read_many(targets), strict=True):
            if wanted.filter != present.filter:
                self._write_filter(wanted.target, wanted.filter)
        settings = {entry.target: entry.conditions for entry in snapshot.entries}
        commit = self._write_and_tell(settings)
        read_back = self.read_many(targets)
        wrong = differences(settings, {entry.target: entry.conditions for entry in read_back})
        wrong += [
            f"{wanted.target} filter: wanted {wanted.filter!r}, read {found.filter!r}"
            for wanted, found in zip(snapshot.entries, read_back, strict=True)
            if wanted.filter != found.filter
        ]
        if wrong:
            raise VerifyMismatch(f"not restored: {'; '.join(wrong)}", appliance=self.name)
        self._last.update(settings)
        return commit

    def neutral(self) -> Commit:
        """Clear every impairment of every flow in one commit, keep the filters, and prove it by reading back."""
        entries = self.read_many(self.targets())
        cleared = tuple(entry.model_copy(update={"conditions": NEUTRAL}) for entry in entries)
        return self.restore(Snapshot(identity=self.identity, entries=cleared, taken_ns=monotonic_ns()))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the appliance's own lock meanwhile."""
        self.lock()
        try:
            yield
        finally:
            self.unlock()

    @abstractmethod
    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows, in their order."""

    @abstractmethod
    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one flow."""

    @abstractmethod
    def clear_statistics(self, target: Target) -> None:
        """Set the counters of one flow to zero."""

    @abstractmethod
    def lock(self) -> None:
        """Keep other sessions from changing anything. Raises LockedByOther."""

    @abstractmethod
    def unlock(self) -> None:
        """Let other sessions change things again."""

    def take_over(self) -> None:
        """Take the appliance from whoever holds it, and hold it until `unlock`.

        Where an appliance has no word for that, this is `lock`. Raises LockedByOther.
        """
        self.lock()

    @abstractmethod
    def close(self) -> None:
        """Close the connection. What is programmed stays. A second call does nothing."""

    @abstractmethod
    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        """Program whole conditions in one commit and have the appliance acknowledge it. They are legal already."""

    @abstractmethod
    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        """Program a filter. It is legal already."""

    def _write_and_tell(self, settings: Mapping[Target, Conditions]) -> Commit:
        commit = self._write(settings)
        for witness in self._witnesses:
            witness(settings, commit)
        return commit

    def _check_filter(self, target: Target, selector: Filter | None) -> Iterator[Violation]:
        if target.flow == EVERYTHING_ELSE:
            yield Violation(
                where=str(target), field="filter", problem="'everything else' has no filter", legal="flow 1 .."
            )
        fields = selector.model_dump(exclude_none=True) if selector is not None else {}
        for field in sorted(set(fields) - self.capabilities.filter_fields):
            legal = ", ".join(sorted(self.capabilities.filter_fields)) or "nothing"
            yield Violation(where=str(target), field=f"filter.{field}", problem="cannot be matched on", legal=legal)
