"""ONC RPC: records on a stream, calls and replies, judged by PyVISA-py's client code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyvisa_py.protocols import rpc as independent

from impairlab.sim_hardware.transports.vxi11 import rpc
from impairlab.sim_hardware.transports.vxi11.xdr import XdrError, opaque, unsigned


def records(longest: int, *pieces: bytes) -> list[bytes]:
    reader = rpc.Records(longest)
    return [record for piece in pieces for record in reader.push(piece)]


@given(st.lists(st.binary(max_size=20), max_size=4), st.data())
def test_records_survive_any_cutting_of_the_stream(wanted, data):
    stream = b"".join(map(rpc.marked, wanted))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert records(20, *pieces) == wanted


def test_fragments_are_joined():
    fragments = unsigned(3) + b"abc" + unsigned(0) + unsigned(2) + b"de" + unsigned(0x8000_0001) + b"f"
    assert records(100, fragments + rpc.marked(b"next")) == [b"abcdef", b"next"]


def test_of_a_record_that_is_too_long_the_front_is_kept():
    assert records(4, rpc.marked(b"abcdefgh") + rpc.marked(b"ij")) == [b"abcd", b"ij"]


def test_memory_is_bounded_while_an_endless_record_comes_in():
    reader = rpc.Records(1000)
    assert list(reader.push(unsigned(0x7FFF_FFFF))) == []
    for _ in range(100):
        assert list(reader.push(bytes(10_000))) == []
        assert len(reader._record) == 1000


def test_a_call_of_an_independent_client():
    packer = independent.Packer()
    packer.pack_callheader(77, 100000, 2, 3, (0, b""), (0, b""))
    packer.pack_uint(5)
    call = rpc.read_call(packer.get_buf())
    assert (call.xid, call.rpc_version, call.program, call.version, call.procedure) == (77, 2, 100000, 2, 3)
    assert call.arguments.unsigned() == 5
    unix = unsigned(1, 0, 2, 9, 8, 7, 1) + opaque(bytes(400)) + unsigned(0) + opaque(b"") + unsigned(6)
    assert rpc.read_call(unix).arguments.unsigned() == 6


def test_a_call_of_ours_is_read_by_an_independent_server():
    unpacker = independent.Unpacker(rpc.call(1, 2, 3, 4, unsigned(5)))
    assert unpacker.unpack_callheader() == (1, 2, 3, 4, (0, b""), (0, b""))
    assert unpacker.unpack_uint() == 5


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (rpc.program_unavailable(9), "program_unavailable"),
        (rpc.program_mismatch(9, 1), r"program_mismatch: \(1, 1\)"),
        (rpc.procedure_unavailable(9), "procedure_unavailable"),
        (rpc.rpc_mismatch(9), r"rpc_mismatch: \(2, 2\)"),
    ],
)
def test_refusals_are_understood_by_an_independent_client(reply, told):
    with pytest.raises(independent.RPCUnpackError, match=told):
        independent.Unpacker(reply).unpack_replyheader()


def test_success_and_garbage_are_understood_by_an_independent_client():
    unpacker = independent.Unpacker(rpc.success(9, unsigned(3)))
    assert unpacker.unpack_replyheader()[0] == 9
    assert unpacker.unpack_uint() == 3
    with pytest.raises(independent.RPCGarbageArgs):
        independent.Unpacker(rpc.garbage_arguments(9)).unpack_replyheader()


def test_what_is_no_call_is_not_answered():
    for record in (
        b"",
        unsigned(1),
        rpc.success(1, b""),
        unsigned(1, 0, 2, 3, 4),
        unsigned(1, 0, 2, 3, 4, 5, 0, 2**31),
    ):
        with pytest.raises(XdrError):
            rpc.read_call(record)
    assert rpc.read_call(unsigned(1, 0, 3)).rpc_version == 3


@given(st.binary(max_size=100))
def test_any_record_is_a_call_or_refused(record):
    try:
        rpc.read_call(record)
    except XdrError:
        return
