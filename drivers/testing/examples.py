"""Examples: one impairment of each kind, and filters that select by each field."""

from __future__ import annotations

from impairlab.drivers.model.delays import AccumulateBurst, RampDelay, SineDelay
from impairlab.drivers.model.factories import (
    bit_errors,
    corrupt,
    delay,
    duplicate,
    gilbert_elliott,
    link_down,
    link_flap,
    loss,
    outage,
    periodic_loss,
    rate,
    reorder,
)
from impairlab.drivers.model.flows import Filter
from impairlab.drivers.model.impairments import EcnMark, Impairment, Mtu, PfcPause

EVERY_KIND: tuple[Impairment, ...] = (
    delay("1 ms"),
    delay("20 ms", jitter="2 ms"),
    RampDelay(start=0, end="10 ms", rise="1 s"),
    SineDelay(low=0, high="10 ms", period="1 s"),
    AccumulateBurst(hold="10 ms"),
    loss("1 %"),
    loss("1 %", burst=4),
    periodic_loss(100),
    gilbert_elliott("1 %", "30 %"),
    bit_errors("1 ppb"),
    outage(),
    reorder("1 %"),
    duplicate("1 %"),
    corrupt("1 %"),
    rate("10 Mbit/s"),
    rate("10 Mbit/s", mode="policer"),
    link_down(),
    link_flap("100 ms", "1 s"),
    EcnMark(rate="1 %"),
    Mtu(size="1400 B"),
    PfcPause(priorities=(3,), duration="1 ms", period="1 s"),
)
"""One of each kind of impairment: what an appliance does not offer among them, its driver refuses."""

EVERY_FIELD = Filter(
    source="10.1.0.0/16", destination="10.2.3.4/32", dscp=46, protocol="udp", source_port=53, destination_port=4791
)
"""A filter that says everything about one packet, but for its VLAN."""

FILTERS = (
    EVERY_FIELD,
    Filter(vlan=7),
    Filter(dscp=46),
    Filter(source="10.1.0.0/16"),
    Filter(destination="10.2.3.4/32"),
    Filter(protocol="udp", destination_port=4791),
    Filter(destination="10.2.3.4/32", protocol="tcp", source_port=80),
)
"""What an appliance with filters is asked for, as far as it can match on their fields."""
