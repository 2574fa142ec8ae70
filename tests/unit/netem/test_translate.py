"""Conditions, addresses and filters in the words of netem and back: pure, and so on any machine."""

from decimal import Decimal
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.drivers import Conditions, ConnectError, Filter
from impairlab.drivers.netem import trees
from impairlab.drivers.netem.address import NetemAddress, PathPorts
from impairlab.drivers.netem.capabilities import capabilities
from impairlab.drivers.netem.filters import flower_filters, flows_of, matches, selector_of
from impairlab.drivers.netem.probe import KernelFeatures
from impairlab.drivers.netem.topology import OWN_HANDLE, Topology
from impairlab.drivers.netem.translate import UNLIMITED, Sizing, conditions_of, fraction, raw, stages_of
from impairlab.drivers.netem.wire.messages import ROOT
from impairlab.drivers.netem.wire.netem import ALWAYS, NO_LIMIT, NetemState
from impairlab.drivers.netem.wire.tbf import TbfState

SIZING = Sizing(10**9)
ALL = KernelFeatures(
    release="6.1",
    wide_times=True, negative_latency=True, seed=True, slot=True, duplicate=True, shaper=True, flower=True,
    ingress=True, own_counters=False,
)  # fmt: skip

shares = st.integers(1, 10**9).map(lambda billionths: Decimal(billionths).scaleb(-9))


@given(shares)
def test_a_share_of_nine_digits_comes_back(share: Decimal) -> None:
    assert fraction(raw(share)) == share


delays = st.none() | st.builds(
    lambda mean, keep_order: {"mean": f"{mean} ns", "keep_order": keep_order},
    st.integers(1, 3600 * 10**9),
    st.booleans(),
)
losses = st.none() | st.builds(lambda rate: {"rate": rate}, shares) | st.just("outage")
gates = (
    st.just({})
    | st.builds(lambda rate: {"rate": {"rate": rate * 8, "burst": 3028}}, st.integers(1000, 10**9))
    | st.builds(
        lambda packets: {"rate": {"rate": 8000, "mode": "link", "queue": packets * 1514, "layer": "l1"}},
        st.integers(1, 10**6),
    )
    | st.builds(lambda rate: {"reorder": {"rate": rate, "depth": 0, "hold": "3 ms"}}, shares)
)


@given(delays, losses, gates, st.none() | shares, st.none() | shares)
def test_what_the_kernel_tells_is_read_as_what_was_wanted(delay, loss, gate, corrupt, duplicate) -> None:
    wanted = Conditions.model_validate(
        {
            "delay": delay,
            "loss": loss,
            "corrupt": corrupt and {"rate": corrupt},
            "duplicate": duplicate and {"rate": duplicate},
            **gate,
        }
    )
    told = {
        role: state.as_told() if isinstance(state, NetemState) else state
        for role, state in stages_of(wanted, SIZING).items()
    }
    assert conditions_of(told) == wanted


def test_neutral_passes_everything_in_order_and_reads_as_neutral() -> None:
    stages = stages_of(Conditions(), SIZING)
    assert conditions_of(stages).is_neutral
    assert stages["loss"].limit == NO_LIMIT


def test_a_delay_line_holds_more_than_a_full_line_brings() -> None:
    """100 ms of 1 Gbit/s in the smallest frames: 148 809 packets."""
    state = stages_of(Conditions(delay="100 ms"), SIZING)["delay"]
    assert state.limit >= 148_809 * 1.5


def test_a_chain_that_is_as_it_should_be_is_not_written() -> None:
    chain = Topology().chain(0)
    before = stages_of(Conditions(loss={"rate": "1 %", "burst": 3}), SIZING)
    after = stages_of(Conditions(loss={"rate": "1 %", "burst": 3}, delay="9 ms"), SIZING)
    have = {role: state.as_told() for role, state in before.items()}
    assert len(trees.requests(chain, after, have, 3)) == 2
    other = stages_of(Conditions(loss={"rate": "1 %", "burst": 4}), SIZING)
    assert len(trees.requests(chain, other, have, 3)) == 3


def test_a_shaper_that_is_not_wanted_any_more_drains() -> None:
    have = stages_of(Conditions(rate={"rate": 8000, "burst": 3028}), SIZING)
    assert isinstance(have["gate"], TbfState)
    assert trees.wanted(stages_of(Conditions(), SIZING), Topology(), have)["gate"] == UNLIMITED


@pytest.mark.parametrize("topology", [Topology(), Topology(flows=15), Topology(flows=3, separate=False)])
def test_every_discipline_has_a_handle_of_its_own(topology: Topology) -> None:
    spots = [spot for flow in range(topology.flows + 1) for each in topology.chain(flow) for spot in each.either]
    handles = [spot.handle for spot in spots] + ([OWN_HANDLE] if topology.flows else [])
    assert len(set(handles)) == len(handles)
    assert all(handle & 0xFFFF == 0 and handle <= 0xFFFE0000 for handle in handles)
    assert (spots[0].parent == ROOT) == (topology.flows == 0)


def test_addresses() -> None:
    assert NetemAddress.parse("netem://local?paths=wan:eth1-eth2,lan:eth3&flows=2&chain=single&seed=7") == NetemAddress(
        (PathPorts("wan", "eth1", "eth2"), PathPorts("lan", "eth3")), flows=2, separate=False, seed=7
    )
    assert NetemAddress.parse("netem://local?paths=wan:br-a/br-b,x:br-c/").paths == (
        PathPorts("wan", "br-a", "br-b"),
        PathPorts("x", "br-c"),
    )


@pytest.mark.parametrize(
    "address",
    [
        "netem://local",
        "netem://elsewhere?paths=wan:eth1-eth2",
        "netem://local?paths=wan",
        "netem://local?paths=wan:a-b-c",
        "netem://local?paths=wan:eth1-eth1",
        "netem://local?paths=wan:eth1,wan:eth2",
        "netem://local?paths=wan:a-b&flows=16",
        "netem://local?paths=wan:a-b&chain=long",
        "netem://local?paths=wan:a-b&seed=-1",
        "netem://local?paths=wan:a-b&colour=red",
        "netem://local?paths=wan:a_name_that_is_too_long-b",
        "tcp://local?paths=wan:a-b",
    ],
)
def test_a_wrong_address_is_answered_with_a_right_one(address: str) -> None:
    with pytest.raises(ConnectError, match="write it like netem://local"):
        NetemAddress.parse(address)


networks = st.sampled_from(["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "0.0.0.0/0"]).map(ip_network)
selectors = st.builds(
    lambda vlan, dscp, protocol, source, port: Filter(
        vlan=vlan, dscp=dscp, protocol=protocol, source=source, source_port=port if protocol in {"tcp", "udp"} else None
    ),
    st.none() | st.integers(0, 4095),
    st.none() | st.integers(0, 63),
    st.sampled_from([None, "tcp", "udp", "icmp"]),
    st.none() | networks,
    st.none() | st.integers(0, 65535),
)


@given(selectors, st.integers(1, 15))
def test_a_filter_of_a_flow_comes_back(selector: Filter, flow: int) -> None:
    found = flower_filters(flow, 0x1A7E0002, selector)
    assert flows_of(found) == {flow: found}
    assert selector_of(found) == selector


def test_no_packet_comes_from_one_version_and_goes_to_another() -> None:
    assert matches(Filter(source="10.0.0.0/8", destination="2001:db8::/32")) == []


def test_filters_of_somebody_else_are_not_read_as_ours() -> None:
    found = flower_filters(1, 0x1A7E0002, Filter(protocol="udp"))[:1]
    with pytest.raises(ValueError, match="not of this driver"):
        selector_of(found)


def test_what_a_kernel_lacks_is_not_offered() -> None:
    none = KernelFeatures(**dict.fromkeys(vars(ALL), False))
    caps = capabilities(none, Topology(flows=2), ("wan",), SIZING, 1514)
    assert caps.flows == 0
    assert not caps.supports("duplicate")
    assert not caps.supports("rate.shaper")
    assert caps.features["delay.constant"].ranges["mean"].high < 275 * 10**9


def test_a_check_names_offline_what_netem_cannot_do() -> None:
    caps = capabilities(ALL, Topology(), ("wan",), SIZING, 1514)
    problems = caps.check(
        Conditions(loss={"ber": 1e-6}, ecn="1 %", reorder={"rate": "1 %", "depth": 2}, rate="1 Mbit/s", mtu="576 B")
    )
    assert {problem.field for problem in problems} == {"loss", "ecn", "reorder.depth", "rate", "mtu"}
    assert caps.check(Conditions(loss="1 %", ecn="1 %")) == ()


def test_raw_probabilities_reach_both_ends() -> None:
    assert raw(Decimal(1)) == ALWAYS
    assert raw(Decimal(0)) == 0
