"""The encoder against the kernel: what is set is read back, nothing sticks, and tc sees the same."""

import itertools
import json
import random
import subprocess
from collections.abc import Iterator

import pytest

from impairlab.drivers.netem.wire import links, messages, netem, tables, tbf
from impairlab.drivers.netem.wire.netem import ALWAYS, FourState, GilbertElliott, NetemState, Slot
from impairlab.drivers.netem.wire.socket import RouteSocket

ROOT = 0x1A7E0000
NUMBERS = itertools.count()
TC_SEES_NS = (2**32 - 1) * 64
"""Longest delay that iproute2 6.1 can show: 32 bits of 64 ns."""


@pytest.fixture
def route() -> Iterator[RouteSocket]:
    with RouteSocket() as route:
        yield route


@pytest.fixture
def device(route: RouteSocket) -> Iterator[links.Link]:
    name = f"enc{next(NUMBERS)}"
    route.change([links.add_link(name, "dummy")])
    link = links.links(route)[name]
    route.change([links.set_up(link.index)])
    yield link
    route.change([links.delete_link(link.index)])


def write(route: RouteSocket, device: links.Link, state: NetemState) -> None:
    place = messages.Place(device.index, ROOT, messages.ROOT)
    route.change([messages.graft_qdisc(place, "netem", netem.encode(state))])


def told(route: RouteSocket, device: links.Link) -> messages.Qdisc:
    every = (messages.read_qdisc(message) for message in route.ask(messages.list_qdiscs(device.index)))
    return next(each for each in every if each.place.index == device.index and each.place.handle == ROOT)


def as_tc_sees(device: links.Link) -> dict[str, object]:
    done = subprocess.run(
        ["tc", "-j", "-s", "qdisc", "show", "dev", device.name], capture_output=True, text=True, check=True
    )
    (root,) = json.loads(done.stdout)
    return root


def probability(chance: random.Random) -> int:
    return chance.choice([0, 1, 2**31, ALWAYS, chance.randrange(2**32)])


def any_state(chance: random.Random) -> NetemState:
    jitter = chance.choice([0, 1, chance.randrange(2**31)])
    least = chance.choice([0, chance.randrange(1, 10**9)])
    reorder = probability(chance)
    return NetemState(
        limit=chance.choice([0, 1, 1000, 2**31 - 1]),
        latency_ns=chance.choice([0, 1, 45_000_000, chance.randrange(2**45)]),
        jitter_ns=jitter,
        table=tables.normal().entries if jitter else b"",
        delay_correlation=probability(chance),
        loss=probability(chance),
        loss_correlation=probability(chance),
        model=chance.choice(
            [
                None,
                GilbertElliott(*(probability(chance) for _ in range(4))),
                FourState(*(probability(chance) for _ in range(5))),
            ]
        ),
        ecn=chance.random() < 0.5,
        duplicate=probability(chance),
        duplicate_correlation=probability(chance),
        reorder=reorder,
        reorder_correlation=probability(chance),
        gap=1 if reorder else 0,
        corrupt=probability(chance),
        corrupt_correlation=probability(chance),
        rate=chance.choice([0, 1, 1_250_000, 2**32 - 1, 2**32, 2**40]),
        packet_overhead=chance.choice([0, 24, -14]),
        cell_size=chance.choice([0, 48]),
        cell_overhead=chance.choice([0, 5]),
        slot=Slot(least, least + chance.randrange(10**9), chance.choice([0, 7]), chance.choice([0, 9000]))
        if least
        else Slot(),
    )


def test_what_is_set_is_read_back_and_nothing_sticks(route: RouteSocket, device: links.Link) -> None:
    """Each of 300 random states follows another on the same netem: whatever stuck would show."""
    chance = random.Random(5)
    for _ in range(300):
        state = any_state(chance)
        write(route, device, state)
        assert netem.decode(told(route, device).options) == state.as_told()


def test_neutral_clears_all_that_sticks(route: RouteSocket, device: links.Link) -> None:
    """Correlation, reordering, corruption, rate, ECN and slot stay where a change does not say otherwise."""
    everything = NetemState(
        latency_ns=10**7, jitter_ns=10**6, table=tables.pareto().entries, delay_correlation=2**30,
        loss_correlation=2**30, duplicate_correlation=2**30, reorder=2**30, reorder_correlation=2**30, gap=1,
        corrupt=2**28, corrupt_correlation=2**30, rate=10**6, packet_overhead=24, ecn=True, loss=2**28,
        slot=Slot(10**6, 10**7),
    )  # fmt: skip
    write(route, device, everything)
    write(route, device, NetemState())
    assert netem.decode(told(route, device).options) == NetemState()
    assert as_tc_sees(device)["options"] == {"limit": 1000, "ecn": False, "gap": 0}


def test_tc_changes_what_it_is_told_and_no_more(route: RouteSocket, device: links.Link) -> None:
    """The reason for it: `tc qdisc change` leaves corruption and rate as they were."""
    write(route, device, NetemState(corrupt=2**28, rate=10**6))
    subprocess.run(["tc", "qdisc", "change", "dev", device.name, "handle", "1a7e:", "root", "netem", "delay", "20ms"],
                   check=True)  # fmt: skip
    state = netem.decode(told(route, device).options)
    assert (state.latency_ns, state.corrupt, state.rate) == (20_000_000, 2**28, 10**6)


def test_tc_sees_what_was_set(route: RouteSocket, device: links.Link) -> None:
    """iproute2 as a witness that shares no line with us: seconds, fractions of one, bytes a second."""
    chance = random.Random(7)
    for _ in range(40):
        state = any_state(chance)
        write(route, device, state)
        seen = as_tc_sees(device)
        options = seen["options"]
        assert seen["handle"] == "1a7e:"
        assert options["limit"] == state.limit
        delay = options.get("delay", {"delay": 0, "jitter": 0 if state.latency_ns >= 64 else state.jitter_ns / 1e9})
        assert delay["delay"] == pytest.approx(min(state.latency_ns, TC_SEES_NS) / 1e9, rel=1e-5, abs=1e-6)
        assert delay["jitter"] == pytest.approx(state.jitter_ns / 1e9, rel=1e-5, abs=1e-6)
        if "delay" in options and delay["jitter"]:
            assert delay.get("correlation", 0) == pytest.approx(state.delay_correlation / ALWAYS, rel=1e-5, abs=1e-6)
        check_loss(options, state)
        check_share(options, "duplicate", state.duplicate)
        check_share(options, "corrupt", state.corrupt)
        check_share(options, "reorder", state.reorder)
        assert options.get("rate", {}).get("rate", 0) == state.rate
        assert options["ecn"] == state.ecn
        slot = options.get("slot", {})
        assert slot.get("min-delay", 0) == pytest.approx(state.slot.least_ns / 1e9, rel=1e-5, abs=1e-9)


def check_share(options: dict, name: str, raw: int) -> None:
    shown = options.get(name, {name: 0})[name]
    assert shown == pytest.approx(raw / ALWAYS, rel=1e-5, abs=1e-6), name


def check_loss(options: dict, state: NetemState) -> None:
    match state.model:
        case GilbertElliott(p, r, h, k1):
            shown = options["loss-gemodel"]
            assert [shown["p"], shown["r"], shown["1-h"], shown["1-k"]] == pytest.approx(
                [p / ALWAYS, r / ALWAYS, 1 - h / ALWAYS, k1 / ALWAYS], rel=1e-5, abs=1e-6
            )
        case FourState():
            shown = options["loss-state"]
            assert {name: shown[name] for name in shown} == pytest.approx(
                {name: getattr(state.model, name) / ALWAYS for name in shown}, rel=1e-5, abs=1e-6
            )
        case None:
            shown = options.get("loss-random", {"loss": 0})["loss"]
            assert shown == pytest.approx(state.loss / ALWAYS, rel=1e-5, abs=1e-6)


def test_a_token_bucket_reads_back(route: RouteSocket, device: links.Link) -> None:
    place = messages.Place(device.index, ROOT, messages.ROOT)
    for rate in (1000, 1_250_000, 125_000_000, 2**32, 2**40):
        state = tbf.TbfState(rate, 3028, 256_000)
        route.change([messages.graft_qdisc(place, "tbf", tbf.encode(state))])
        assert state.reads_as(tbf.decode(told(route, device).options)), rate


def test_a_refusal_has_the_words_of_the_kernel(route: RouteSocket, device: links.Link) -> None:
    with pytest.raises(messages.KernelRefused, match="qdisc kind is unknown"):
        route.change([messages.add_qdisc(messages.Place(device.index, ROOT, messages.ROOT), "nosuch", b"")])
    write(route, device, NetemState())  # the socket is in step


def test_many_changes_in_one_call_are_all_acknowledged(route: RouteSocket, device: links.Link) -> None:
    write(route, device, NetemState())
    place = messages.Place(device.index, ROOT, messages.ROOT)
    law = tables.normal()
    route.change(
        [
            messages.change_qdisc(place, "netem", netem.encode(NetemState(jitter_ns=each, table=law.entries)))
            for each in range(1, 101)
        ]
    )
    assert netem.decode(told(route, device).options).jitter_ns == 100
