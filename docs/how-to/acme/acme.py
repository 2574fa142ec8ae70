"""A driver for the Acme Delay-o-Matic: one path, a constant delay in each direction, one text line per command.

id                     -> Acme,Delay-o-Matic,SERIAL,FIRMWARE
get                    -> a-b=MICROSECONDS b-a=MICROSECONDS
set a-b=MICROSECONDS   -> ok     (one direction or both; what is set together takes effect together)
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from time import monotonic_ns

from impairlab.drivers import (
    Appliance,
    Capabilities,
    Commit,
    Conditions,
    Filter,
    FlowEntry,
    Identity,
    IdentityMismatch,
    InstrumentExecutionError,
    MalformedResponse,
    Statistics,
    Target,
    delay,
)
from impairlab.drivers.links.address import open_link
from impairlab.drivers.links.link import Ask
from impairlab.drivers.model.capabilities import Feature, Provenance, Range
from impairlab.drivers.options import Options

MICROSECOND_NS = 1_000

CAPABILITIES = Capabilities(
    paths=("1",),
    features={
        "delay.constant": Feature(
            name="delay.constant",
            ranges={"mean": Range(dimension="time", low=Decimal(0), high=Decimal(10**9), step=Decimal(MICROSECOND_NS))},
            provenance=Provenance(basis="documented", detail="Delay-o-Matic manual, section 3"),
        )
    },
    update_interval_ns=5_000_000,
)


class AcmeAppliance(Appliance):
    """A Delay-o-Matic. `address` is like tcp://192.0.2.9:4000."""

    capabilities = CAPABILITIES

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        self._serial = options.serial
        self._link = open_link(
            address,
            name=self.name,
            greeting=self._greet,
            wire_log=options.wire_log,
            timeout_ns=options.timeout_ns,
            default_port=4000,
        )

    def close(self) -> None:
        self._link.close()

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        reply = self._link.query("get")
        try:
            delays = {way: int(us) * MICROSECOND_NS for way, us in (pair.split("=") for pair in reply.split())}
            return [FlowEntry(target=target, conditions=_conditions(delays[target.direction])) for target in targets]
        except (KeyError, ValueError) as error:
            raise MalformedResponse(f"{reply!r} is no state", appliance=self.name, command="get") from error

    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        words = [f"{target.direction}={_microseconds(conditions)}" for target, conditions in settings.items()]
        command = f"set {' '.join(words)}"
        exchange = self._link.exchange(command)
        if exchange.reply != "ok":
            raise InstrumentExecutionError([(-200, exchange.reply)], appliance=self.name, command=command)
        return Commit(exchange.sent_ns, exchange.acknowledged_ns)

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        """Never called: the capabilities state no flow with a filter, so the check refuses."""

    def statistics(self, target: Target) -> Statistics:
        return Statistics(at_ns=monotonic_ns())  # it counts nothing

    def clear_statistics(self, target: Target) -> None:
        """There is nothing to clear."""

    def lock(self) -> None:
        """It has no lock."""

    def unlock(self) -> None:
        """It has no lock."""

    def _greet(self, ask: Ask) -> None:
        """On every new connection: the same box as before, and the one that was asked for."""
        reply = ask("id")
        try:
            manufacturer, model, serial, firmware = reply.split(",")
        except ValueError as error:
            raise MalformedResponse(f"{reply!r} is no identity", appliance=self.name, command="id") from error
        identity = Identity(manufacturer=manufacturer, model=model, serial=serial, firmware=firmware)
        if self._serial not in {None, serial} or getattr(self, "identity", identity) != identity:
            raise IdentityMismatch(f"{identity} answers", appliance=self.name)
        self.identity = identity


def _conditions(delay_ns: int) -> Conditions:
    return Conditions.of(delay(f"{delay_ns} ns")) if delay_ns else Conditions()


def _microseconds(conditions: Conditions) -> int:
    return conditions.delay.mean // MICROSECOND_NS if conditions.delay else 0
