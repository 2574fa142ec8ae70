"""netem's bytes: what is encoded is decoded again, everything is said every time, and no bytes crash a decoder."""

import shutil
import struct
import subprocess
import sys
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

import impairlab.drivers.netem.wire
from impairlab.drivers.netem.wire import filters, messages, netem, prio, tables, tbf
from impairlab.drivers.netem.wire.attributes import WireError, unpack
from impairlab.drivers.netem.wire.netem import FourState, GilbertElliott, NetemState, Slot

u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
nanoseconds = st.integers(0, 2**62)
table = st.lists(st.integers(-(2**15), 2**15 - 1), max_size=64).map(tables.packed)

slots = st.builds(
    Slot,
    least_ns=nanoseconds,
    most_ns=nanoseconds,
    packets=st.integers(0, 2**31 - 1),
    size=st.integers(0, 2**31 - 1),
    mean_ns=nanoseconds,
    jitter_ns=nanoseconds,
    table=table,
)
states = st.builds(
    NetemState,
    limit=u32,
    latency_ns=st.integers(-(2**62), 2**62),
    jitter_ns=nanoseconds,
    table=table,
    delay_correlation=u32,
    loss=u32,
    loss_correlation=u32,
    model=st.none() | st.builds(GilbertElliott, u32, u32, u32, u32) | st.builds(FourState, u32, u32, u32, u32, u32),
    ecn=st.booleans(),
    duplicate=u32,
    duplicate_correlation=u32,
    reorder=u32,
    reorder_correlation=u32,
    gap=u32,
    corrupt=u32,
    corrupt_correlation=u32,
    rate=u64,
    packet_overhead=st.integers(-(2**31), 2**31 - 1),
    cell_size=u32,
    cell_overhead=st.integers(-(2**31), 2**31 - 1),
    slot=slots,
    seed=st.none() | u64,
)


@given(states)
def test_what_is_encoded_is_decoded(state: NetemState) -> None:
    untold = replace(state, table=b"", slot=replace(state.slot, table=b""))
    assert netem.decode(netem.encode(state)) == untold


@given(states)
def test_everything_is_said_every_time(state: NetemState) -> None:
    """Correlation, reordering, corruption, rate, ECN, slot, and 64-bit rate, latency and jitter: none may stick."""
    assert {1, 3, 4, 6, 7, 8, 10, 11, 12} <= unpack(netem.encode(state)[24:]).keys()


def test_the_structures_are_those_of_the_kernel_headers() -> None:
    """Written out by hand: struct tc_netem_qopt, tc_netem_corr, tc_netem_rate, tc_netem_gemodel."""
    state = NetemState(
        limit=7, latency_ns=6400, jitter_ns=640, loss=1, gap=2, duplicate=3, loss_correlation=5, rate=9,
        packet_overhead=-4, model=GilbertElliott(11, 12, 13, 14), ecn=True, seed=99,
    )  # fmt: skip
    options = netem.encode(state)
    assert struct.unpack_from("=6I", options) == (100, 7, 1, 2, 3, 10)
    said = unpack(options[24:])
    assert said[1] == struct.pack("=3I", 0, 5, 0)
    assert said[6] == struct.pack("=IiIi", 9, -4, 0, 0)
    assert said[7] == struct.pack("=I", 1)
    assert unpack(said[5]) == {2: struct.pack("=4I", 11, 12, 13, 14)}
    assert said[14] == struct.pack("=Q", 99)


def test_a_four_state_chain_is_in_the_order_of_the_kernel() -> None:
    options = netem.encode(NetemState(model=FourState(p13=1, p31=2, p32=3, p14=4, p23=5)))
    assert unpack(unpack(options[24:])[5]) == {1: struct.pack("=5I", 1, 2, 3, 4, 5)}


def test_a_table_is_sent_where_there_is_jitter_for_it() -> None:
    state = NetemState(jitter_ns=1, table=tables.packed([-8192, 0, 8192]))
    assert unpack(netem.encode(state)[24:])[2] == struct.pack("=3h", -8192, 0, 8192)
    assert 2 not in unpack(netem.encode(replace(state, jitter_ns=0))[24:])


@pytest.mark.parametrize(
    "state",
    [
        NetemState(limit=2**32),
        NetemState(loss=-1),
        NetemState(latency_ns=2**63),
        NetemState(jitter_ns=1, table=bytes(2 * 16_385)),
        NetemState(jitter_ns=1, table=b"odd"),
    ],
)
def test_what_does_not_fit_is_refused(state: NetemState) -> None:
    with pytest.raises(WireError):
        netem.encode(state)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_decoders(data: bytes) -> None:
    for decode in (netem.decode, tbf.decode, prio.decode):
        with suppress(WireError):
            decode(data)
    with suppress(WireError):
        for message in messages.messages(data):
            messages.read_qdisc(message)
            filters.read_filter(message)
            messages.refusal(message)


@given(st.builds(tbf.TbfState, st.integers(1000, 2**40), st.integers(1514, 10**6), u32, st.integers(0, 40)))
def test_a_token_bucket_reads_as_itself(state: tbf.TbfState) -> None:
    assert state.reads_as(tbf.decode(tbf.encode(state)))


def test_a_prio_sends_what_no_filter_takes_to_its_first_class() -> None:
    assert prio.decode(prio.encode(5)) == (5, bytes(16))


PREFIXES = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)


@given(
    st.integers(0, 63) | st.none(),
    st.sampled_from([6, 17]),
    st.integers(0, 65535),
    st.tuples(PREFIXES, PREFIXES).filter(lambda pair: len(pair[0]) == len(pair[1])),
)
def test_a_filter_reads_as_itself(dscp: int | None, protocol: int, port: int, prefix: tuple[bytes, bytes]) -> None:
    match = filters.Match(filters.IPV4, ip_protocol=protocol, dscp=dscp, source=prefix, destination_port=port)
    wanted = filters.FlowerFilter(9, 0x1A7E0002, match)
    request = filters.add_filter(3, 0x1A7E0000, wanted)
    body = bytearray(request.body)
    struct.pack_into("=I", body, 8, 1)  # the kernel numbers its filters
    assert filters.read_filter(messages.Message(request.kind, 0, 1, bytes(body))) == wanted


@pytest.mark.parametrize("law", [tables.normal, tables.exponential, tables.pareto])
def test_a_law_has_mean_zero_and_deviation_one(law) -> None:
    deviations = [entry * law().width / netem.SIGMA for entry in tables.unpacked(law().entries)]
    assert fmean(deviations) == pytest.approx(0, abs=1e-3)
    assert pstdev(deviations) == pytest.approx(1, abs=1e-3)


def test_the_uniform_law_is_as_wide_as_its_spread() -> None:
    entries = tables.unpacked(tables.uniform().entries)
    assert fmean(entries) == 0
    assert max(entries) == -min(entries) == pytest.approx(netem.SIGMA, rel=1e-3)


def test_a_refusal_has_the_words_of_the_kernel() -> None:
    """As the kernel of this test's machine answered: capped, with an extended acknowledgement."""
    body = struct.pack("=iIHHII", -2, 100, 36, 0x605, 1, 0) + struct.pack("=HH", 12, 1) + b"unknown\0"
    refused = messages.refusal(messages.Message(messages.ERROR, 0x300, 1, body))
    assert refused is not None
    assert (refused.errno, refused.text) == (2, "unknown")
    assert "unknown" in str(refused)


def test_it_needs_neither_the_project_nor_any_package(tmp_path: Path) -> None:
    """A host without this project can carry it: here under another name, without site-packages."""
    source = Path(impairlab.drivers.netem.wire.__file__).parent
    shutil.copytree(source, tmp_path / "carried")
    modules = sorted(path.stem for path in source.glob("*.py") if path.stem != "__init__")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + "\n".join(f"import carried.{m}" for m in modules)
    code += "\nassert not [name for name in sys.modules if name.startswith(('impairlab', 'pyroute2', 'pydantic'))]"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(modules) >= 8


def test_every_field_of_a_state_is_covered_by_the_round_trip() -> None:
    neutral = NetemState()
    assert neutral == netem.decode(netem.encode(neutral))
    assert {field.name for field in fields(NetemState)} == set(vars(neutral))
