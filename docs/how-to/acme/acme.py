"""A driver for the Acme Delay-o-Matic: one path, a constant delay in each direction, one text line per command.

id                     -> Acme,Delay-o-Matic,SERIAL,FIRMWARE
get                    -> a-b=MICROSECONDS b-a=MICROSECONDS
set a-b=MICROSECONDS   -> ok     (one direction or both; what is set together takes effect together)
"""

from decimal import Decimal

from impairlab.drivers import Capabilities, Commit, Conditions, FlowEntry, InstrumentExecutionError, delay
from impairlab.drivers.aftermath import find_out
from impairlab.drivers.line_appliance import LineAppliance
from impairlab.drivers.model import Feature, Provenance, Range
from impairlab.drivers.model.errors import ExchangeTimeout, TransportError

MICROSECOND_NS = 1_000


class AcmeAppliance(LineAppliance):
    """A Delay-o-Matic. `address` is like tcp://192.0.2.9:4000."""

    default_port = 4000
    question = "id"
    capabilities = Capabilities(
        paths=("1",),
        features={
            "delay.constant": Feature(
                name="delay.constant",
                ranges={
                    "mean": Range(dimension="time", low=Decimal(0), high=Decimal(10**9), step=Decimal(MICROSECOND_NS))
                },
                provenance=Provenance(basis="documented", detail="Delay-o-Matic manual, section 3"),
            )
        },
        update_interval_ns=5_000_000,
    )

    def read_many(self, targets):
        reply = self.link.query("get")
        try:
            delays = {way: int(us) * MICROSECOND_NS for way, us in (pair.split("=") for pair in reply.split())}
            return [FlowEntry(target=target, conditions=_conditions(delays[target.direction])) for target in targets]
        except (KeyError, ValueError) as error:
            raise self.malformed("get", reply, f"{reply!r} is no state") from error

    def _write(self, settings):
        command = "set " + " ".join(f"{target.direction}={_microseconds(settings[target])}" for target in settings)
        try:
            exchange = self.link.exchange(command)
        except (TransportError, ExchangeTimeout) as failure:
            find_out(self, settings, failure, lambda: self.link.resynchronise(2_000_000_000))
            raise
        if exchange.reply != "ok":
            raise InstrumentExecutionError([(-200, exchange.reply)], appliance=self.name, command=command)
        return Commit(exchange.sent_ns, exchange.acknowledged_ns)


def _conditions(delay_ns):
    return Conditions.of(delay(f"{delay_ns} ns")) if delay_ns else Conditions()


def _microseconds(conditions):
    return conditions.delay.mean // MICROSECOND_NS if conditions.delay else 0
