"""Where, who and proof: targets, filters, snapshots, statistics and applied records are plain frozen values."""

from decimal import Decimal
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from impairlab.drivers.model import (
    DIRECTIONS,
    Applied,
    Conditions,
    Delay,
    Filter,
    FlowEntry,
    Identity,
    RandomLoss,
    Snapshot,
    Statistics,
    Target,
)

quickly = settings(max_examples=60, deadline=None)

targets = st.builds(
    Target, path=st.text(min_size=1, max_size=5), direction=st.sampled_from(DIRECTIONS), flow=st.integers(0, 99)
)
networks = st.none() | st.ip_addresses(v=4).map(ip_network) | st.ip_addresses(v=6).map(ip_network)
filters = st.builds(
    Filter, vlan=st.none() | st.integers(0, 4095), dscp=st.none() | st.integers(0, 63),
    protocol=st.sampled_from(["tcp", "udp"]), source=networks, destination=networks,
    source_port=st.none() | st.integers(0, 65535), destination_port=st.none() | st.integers(0, 65535),
)  # fmt: skip
identities = st.builds(Identity, manufacturer=st.text(), model=st.text(), serial=st.text(), firmware=st.text())
states = st.decimals(0, 1, places=9).map(lambda share: Conditions.of(RandomLoss(rate=share), Delay(mean="1 ms")))
entries = st.builds(FlowEntry, target=targets, filter=st.none() | filters, conditions=states)
snapshots = st.builds(
    Snapshot, identity=identities, entries=st.lists(entries, max_size=3).map(tuple), taken_ns=st.integers(0, 2**63)
)
applied = st.builds(Applied, target=targets, sent_ns=st.integers(0, 2**63), acknowledged_ns=st.integers(0, 2**63))
counted = st.builds(Statistics, at_ns=st.integers(0, 2**63), received_packets=st.none() | st.integers(0, 2**64))


@quickly
@given(st.one_of(targets, filters, identities, entries, snapshots, applied, counted), st.data())
def test_values_survive_json_and_cannot_be_changed(value, data) -> None:
    assert type(value).model_validate_json(value.model_dump_json()) == value
    fields = value.model_dump(mode="json")
    assert type(value).model_validate(fields, context={"units": "required"}) == value
    field = data.draw(st.sampled_from(sorted(type(value).model_fields)))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(value, field, getattr(value, field))
    assert len({value, value.model_copy(deep=True)}) == 1
    with pytest.raises(ValidationError, match="Extra inputs"):
        type(value).model_validate({**fields, "colour": "red"})


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"vlan": 4096}, "less than or equal to 4095"),
        ({"vlan": -1}, "greater than or equal to 0"),
        ({"dscp": 64}, "less than or equal to 63"),
        ({"protocol": "sctp"}, "'tcp', 'udp' or 'icmp'"),
        ({"source": "10.1.0.1/16"}, "not a valid IPv4 or IPv6 network"),
        ({"source_port": 80}, "ports need protocol tcp or udp"),
        ({"destination_port": 0, "protocol": "icmp"}, "ports need protocol tcp or udp"),
        ({"destination_port": 65536, "protocol": "tcp"}, "less than or equal to 65535"),
    ],
)
def test_filters_that_make_no_sense_are_refused_with_the_reason(fields, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Filter(**fields)


def test_targets_say_where() -> None:
    assert str(Target(path="1", direction="a-b")) == "path 1 a-b"
    assert str(Target(path="wan", direction="b-a", flow=3)) == "path wan b-a flow 3"
    for fields in ({"direction": "both"}, {"direction": "a-b", "flow": -1}):
        with pytest.raises(ValidationError):
            Target(path="1", **fields)


def test_identity_reads_as_a_line() -> None:
    assert str(Identity(manufacturer="Acme", model="X1", serial="7", firmware="2.0")) == "Acme X1 7 2.0"


@pytest.mark.parametrize(("sent", "moved"), [("1.0001 ms", False), ("1 ms", True)])
def test_a_record_says_whether_the_value_was_moved(sent: str, moved) -> None:
    where = Target(path="1", direction="a-b")
    record = Applied(target=where, field="delay.mean", asked="1.0001 ms", sent=sent, sent_ns=1, acknowledged_ns=2)
    assert record.quantised is moved
    assert record.read_back is None


def test_time_does_not_begin_before_zero() -> None:
    fields = {"target": Target(path="1", direction="a-b"), "field": "mtu", "asked": "-", "sent": "-"}
    for bracket in ({"sent_ns": -1, "acknowledged_ns": 0}, {"sent_ns": 0, "acknowledged_ns": -1}):
        with pytest.raises(ValidationError, match="greater than or equal to 0"):
            Applied(**fields, **bracket)


def test_snapshot_keeps_exact_values() -> None:
    wanted = Conditions.of(RandomLoss(rate=Decimal("1e-9")), Delay(mean="1 ns"))
    entry = FlowEntry(target=Target(path="1", direction="a-b"), conditions=wanted)
    identity = Identity(manufacturer="", model="", serial="", firmware="")
    text = Snapshot(identity=identity, entries=(entry,), taken_ns=2**63).model_dump_json()
    read = Snapshot.model_validate_json(text)
    assert (read.entries[0].conditions.loss.rate, read.entries[0].conditions.delay.mean) == (Decimal("1e-9"), 1)
    assert '"1 ns"' in text
    assert read.taken_ns == 2**63
