"""Which flow a frame belongs to, what each stage does to it, and that no packet is ever lost without a trace."""

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impairlab.drivers.model import (
    BurstLoss,
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    EcnMark,
    Filter,
    LinkState,
    Mtu,
    Outage,
    PfcPause,
    RateLimit,
    Reorder,
)
from impairlab.drivers.model.factories import link_flap, loss
from impairlab.sim_hardware.engine import DirectionEngine, FlowProgram

MS = 1_000_000
LOSE_ALL = Conditions(loss=Outage())


def survivors(wanted: Filter, *frames: bytes) -> list[bool]:
    """Tell which frames do not belong to a flow that loses everything."""
    engine = DirectionEngine(1)
    engine.switch(0, [FlowProgram(1, wanted, LOSE_ALL)])
    survived = []
    for frame in frames:
        engine.offer(0, frame)
        survived.append(bool(engine.due(0)))
    return survived


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        (Filter(vlan=7), {"vlan": 7}, {}),
        (Filter(vlan=7), {"vlan": 7 | 3 << 13}, {"vlan": 8}),
        (Filter(dscp=46), {"tos": 46 << 2 | 1}, {"tos": 45 << 2}),
        (Filter(protocol="udp"), {}, {"protocol": 6}),
        (Filter(protocol="tcp", destination_port=2000), {"protocol": 6}, {}),
        (Filter(protocol="udp", source_port=1000), {"vlan": 3}, {"ports": (1001, 2000)}),
        (Filter(source=ip_network("10.0.0.0/30")), {}, {"source": "10.0.0.5"}),
        (Filter(destination=ip_network("10.0.0.2")), {}, {"source": "fd00::1", "destination": "fd00::2"}),
        (
            Filter(destination=ip_network("fd00::/64"), dscp=46, protocol="udp", destination_port=2000),
            {"source": "fd00::1", "destination": "fd00::2", "tos": 46 << 2},
            {"source": "fd00::1", "destination": "fd01::2", "tos": 46 << 2},
        ),
        (Filter(protocol="udp", destination_port=2000), {}, {"fragment": 100}),
    ],
)
def test_a_filter_selects_its_packets_and_no_others(frame: Any, wanted: Any, inside: Any, outside: Any) -> None:
    assert survivors(wanted, frame(b"x", **inside), frame(b"x", **outside)) == [False, True]


def test_ipv6_extension_headers_and_fragments_are_walked(frame: Any) -> None:
    plain = frame(b"x", source="fd00::1", destination="fd00::2")
    options, first, later = bytes((17, 0)) + bytes(6), bytes((17, 0, 0, 1)) + bytes(4), bytes((17, 0, 1, 0)) + bytes(4)

    def extended(next_header: int, extension: bytes) -> bytes:
        length = int.from_bytes(plain[18:20], "big") + 8
        return plain[:18] + length.to_bytes(2, "big") + bytes((next_header,)) + plain[21:54] + extension + plain[54:]

    wanted = Filter(protocol="udp", destination_port=2000)
    assert survivors(wanted, extended(60, options), extended(44, first), extended(44, later)) == [False, False, True]


@settings(max_examples=200)
@given(st.binary(max_size=80), st.sampled_from([b"", bytes(12) + b"\x08\x00", bytes(12) + b"\x86\xdd"]))
def test_no_frame_is_too_broken_to_be_sorted(tail: Any, head: Any) -> None:
    wanted = Filter(protocol="udp", destination_port=1, vlan=1, source=ip_network("::/0"))
    engine = DirectionEngine(1)
    engine.switch(0, [FlowProgram(1, wanted, LOSE_ALL), FlowProgram(0, None, Conditions(mtu=Mtu(size=9000)))])
    engine.offer(0, head + tail)
    assert engine.due(0) == [head + tail]


def test_the_first_flow_that_matches_takes_the_packet_and_flows_count_apart(frame: Any) -> None:
    engine = DirectionEngine(1)
    engine.switch(
        0, [FlowProgram(2, Filter(protocol="udp"), LOSE_ALL), FlowProgram(1, Filter(protocol="udp", source_port=1000))]
    )
    engine.offer(0, frame(b"x"))
    engine.offer(0, frame(b"x", ports=(5, 5)))
    engine.offer(0, frame(b"x", protocol=6))
    assert len(engine.due(0)) == 2
    assert [engine.statistics(0, flow).forwarded_packets for flow in (0, 1, 2)] == [1, 1, 0]
    assert engine.statistics(0, 2).dropped_loss == 1

    engine.switch(0, [])
    engine.offer(0, frame(b"x", ports=(5, 5)))
    assert len(engine.due(0)) == 1


@pytest.mark.parametrize(
    "program",
    [
        FlowProgram(0, Filter(), Conditions()),
        FlowProgram(1, None, Conditions()),
        FlowProgram(0, None, Conditions(pfc=PfcPause(priorities=(3,), duration=0.001, period=0.01))),
    ],
)
def test_a_program_that_makes_no_sense_is_refused_and_changes_nothing(program: Any) -> None:
    engine = DirectionEngine(1)
    engine.switch(0, [FlowProgram(0, None, LOSE_ALL)])
    with pytest.raises(ValueError, match=r"flow \d"):
        engine.switch(0, [FlowProgram(), program])
    engine.offer(0, bytes(60))
    assert engine.due(0) == []


@pytest.mark.parametrize("ends", [{"source": "10.0.0.1"}, {"source": "fd00::1", "destination": "fd00::2"}])
@pytest.mark.parametrize(("codepoint", "after"), [(0, 0), (1, 3), (2, 3), (3, 3)])
def test_ecn_marks_capable_packets_and_keeps_the_checksum_right(
    run_model: Any, frame: Any, ends: Any, codepoint: Any, after: Any
) -> None:
    model = run_model(EcnMark(rate=1))
    tos = 46 << 2 | codepoint
    model.offer(0, frame(b"x", **ends, tos=tos, vlan=5))
    model.drain()
    expected = frame(b"x", **ends, tos=46 << 2 | after, vlan=5)
    assert model.out == [(0, expected)]
    assert model.statistics.marked == (codepoint in {1, 2})


@pytest.mark.parametrize("bits", [1, 7])
def test_corruption_flips_so_many_bits_behind_the_ip_header(run_model: Any, frame: Any, bits: Any) -> None:
    model = run_model(Corrupt(rate=1, bits=bits))
    original = frame(bytes(50))
    for number in range(200):
        model.offer(number, original)
    model.drain()
    for _, damaged in model.out:
        assert damaged[:34] == original[:34]
        assert sum((a ^ b).bit_count() for a, b in zip(damaged, original, strict=True)) == bits
    assert len({damaged for _, damaged in model.out}) > 100
    assert model.statistics.corrupted == 200


def test_nothing_can_be_corrupted_in_a_packet_without_content(run_model: Any) -> None:
    model = run_model(Corrupt(rate=1))
    model.offer(0, bytes(14))
    model.drain()
    assert model.out == [(0, bytes(14))]
    assert model.statistics.corrupted == 0


def test_mtu_drops_by_layer_3_length(run_model: Any, frame: Any) -> None:
    model = run_model(Mtu(size=1500))
    for extra in (0, 1):
        model.offer(0, frame(bytes(1500 - 28 + extra), vlan=5))
    model.drain()
    assert len(model.out) == 1
    assert model.statistics.dropped_mtu == 1


def test_link_down_and_flap_drop_what_arrives_then(run_model: Any) -> None:
    down = run_model(LinkState(state="down"))
    assert down.send(10) == []
    assert down.statistics.dropped_link == 10

    model = run_model(link_flap("3 ms", "10 ms"))
    assert [number for number, _ in model.send(20)] == [n for n in range(20) if n % 10 >= 3]


def test_a_duplicate_follows_its_original(run_model: Any) -> None:
    model = run_model(Duplicate(rate=1, copies=2))
    assert [number for number, _ in model.send(3)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert model.statistics.duplicated == 6


@pytest.mark.parametrize("depth", [1, 3])
def test_a_reordered_packet_is_overtaken_by_exactly_so_many(run_model: Any, depth: Any) -> None:
    model = run_model(Reorder(rate="2 %", depth=depth))
    numbers = [number for number, _ in model.send(20_000)]
    behind = {n: i for i, n in enumerate(numbers)}
    overtaken = [
        sum(behind[later] < behind[n] for later in range(n + 1, min(n + 20, 20_000)))
        for n in range(20_000)
        if behind[n] > n
    ]
    assert len(overtaken) == pytest.approx(400, abs=90)
    assert overtaken.count(depth) >= 0.95 * len(overtaken)
    assert max(overtaken) <= depth


def test_a_packet_that_nothing_overtakes_is_released_after_hold(run_model: Any) -> None:
    model = run_model(Delay(mean="5 ms"), Reorder(rate=1, hold="20 ms"))
    assert model.send(1) == [(0, 25 * MS)]
    assert model.statistics.reordered == 0


conditions = st.builds(
    Conditions,
    delay=st.none() | st.builds(Delay, mean=st.just("3 ms"), keep_order=st.booleans())
    | st.just(Delay(mean="3 ms", spread="2 ms", distribution="gamma", keep_order=False)),
    loss=st.none() | st.just(loss("20 %")) | st.just(BurstLoss(rate="20 %", burst=3)),
    duplicate=st.none() | st.just(Duplicate(rate="30 %", copies=2)),
    corrupt=st.none() | st.just(Corrupt(rate="30 %")),
    reorder=st.none() | st.just(Reorder(rate="30 %", depth=2, hold="4 ms")),
    rate=st.none()
    | st.builds(
        RateLimit, rate=st.just("1 Mbit/s"), mode=st.sampled_from(["shaper", "policer", "link"]), queue=st.just("500 B")
    ),
    link=st.none() | st.just(link_flap("1 ms", "4 ms")),
    mtu=st.none() | st.just(Mtu(size=100)),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2 * MS), st.one_of(conditions, st.integers(60, 200))), min_size=1, max_size=80),
    st.integers(0, 3),
)
def test_every_packet_is_accounted_for(steps: Any, seed: Any) -> None:
    engine, now, released = DirectionEngine(seed), 0, 0

    def balance() -> None:
        s = engine.statistics(now)
        dropped = s.dropped_loss + s.dropped_rate + s.dropped_link + s.dropped_mtu
        assert s.received_packets + s.duplicated == s.forwarded_packets + dropped + engine.inside
        assert s.forwarded_packets == released

    for wait, step in steps:
        now += wait
        released += len(engine.due(now))
        upcoming = engine.next_release()
        assert upcoming is None or upcoming > now
        if isinstance(step, Conditions):
            engine.switch(now, [FlowProgram(conditions=step)])
        else:
            engine.offer(now, bytes(step))
        balance()
    while (upcoming := engine.next_release()) is not None:
        now = upcoming
        released += len(engine.due(now))
    assert engine.inside == 0
    balance()


def test_clearing_counters_starts_them_again(run_model: Any) -> None:
    model = run_model()
    model.send(5)
    model.engine.clear_statistics()
    assert model.statistics.received_packets == 0
    model.send(2)
    assert model.statistics.forwarded_packets == 2
