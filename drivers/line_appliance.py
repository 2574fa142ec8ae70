"""LineAppliance: what a driver for a plain box shares with every other: one flow a direction, one text line a command.

A subclass says what the box can do, reads and writes; connecting, the greeting and what the box lacks are here.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import ClassVar

from impairlab.drivers.appliance import Appliance
from impairlab.drivers.links.address import open_link
from impairlab.drivers.links.link import Ask
from impairlab.drivers.model.applied import Identity, Statistics
from impairlab.drivers.model.capabilities import Capabilities
from impairlab.drivers.model.errors import CapabilityError, IdentityMismatch, MalformedResponse
from impairlab.drivers.model.flows import Filter, Target
from impairlab.drivers.options import Options


class LineAppliance(Appliance):
    """A box without filtered flows, counters and lock, that answers each line with a line.

    Attributes:
        capabilities: Data of the class: what every such box can do.
        default_port: Of `tcp://host`.
        question: Asked on every new connection; the answer is manufacturer, model, serial number and firmware, between
            commas.
        link: Carries one exchange at a time; see `Link`.

    Args:
        address: E.g. "tcp://192.0.2.9:4000".
        options: How to connect.

    Raises:
        ConnectError, SessionLimit, ExchangeTimeout: Nobody answers.
        IdentityMismatch: Another serial number answers than is expected, or on a later connection another box.
        MalformedResponse: The answer to the question is no identity.
    """

    capabilities: Capabilities
    default_port: ClassVar[int]
    question: ClassVar[str]

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        self._serial = options.serial
        self._known: Identity | None = None
        self.link = open_link(
            address,
            name=self.name,
            greeting=self._greet,
            wire_log=options.wire_log,
            secrets=[options.secret] if options.secret else [],
            timeout_ns=options.timeout_ns,
            gap_ns=options.gap_ns,
            default_port=self.default_port,
        )

    def close(self) -> None:
        """Close the connection. A second call does nothing."""
        self.link.close()

    def statistics(self, target: Target) -> Statistics:  # noqa: ARG002 - every flow is alike
        """Return that nothing is counted."""
        return Statistics(at_ns=monotonic_ns())

    def clear_statistics(self, target: Target) -> None:
        """There is nothing to clear."""

    def lock(self) -> None:
        """There is no lock: other sessions may change things."""

    def unlock(self) -> None:
        """There is no lock."""

    def malformed(self, command: str, reply: str, problem: str) -> MalformedResponse:
        """Return the error for an answer that cannot be read, and have the next question asked on a new connection."""
        self.link.desynchronise(problem)
        return MalformedResponse(
            problem, appliance=self.name, command=command, seen=reply.encode(), state_known=False
        )  # fmt: skip

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        raise CapabilityError([*self._check_filter(target, selector)], appliance=self.name)

    def _greet(self, ask: Ask) -> None:
        reply = ask(self.question)
        words = reply.split(",")
        if len(words) != 4:
            raise MalformedResponse(f"{reply!r} is no identity", appliance=self.name, command=self.question)
        identity = Identity(manufacturer=words[0], model=words[1], serial=words[2], firmware=words[3])
        if self._serial not in {None, identity.serial} or self._known not in {None, identity}:
            expected = self._known or f"serial number {self._serial}"
            raise IdentityMismatch(f"expected {expected}, {identity} answers", appliance=self.name)
        self.identity = self._known = identity
