"""The port mapper's answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.sim_hardware.transports.vxi11 import rpc
from impairlab.sim_hardware.transports.vxi11.portmapper import TCP, UDP, Mapping, PortMapper
from impairlab.sim_hardware.transports.vxi11.xdr import unsigned

CORE = Mapping(0x0607AF, 1, TCP, 4711)
MAPPER = PortMapper([Mapping(100000, 2, UDP, 111), CORE])


def ask(procedure: int, *arguments: int, program: int = 100000, version: int = 2, broadcast: bool = False):
    return MAPPER.answer(rpc.call(5, program, version, procedure, unsigned(*arguments)), broadcast=broadcast)


def test_tells_the_port_of_a_program():
    assert ask(3, 0x0607AF, 1, TCP, 0) == rpc.success(5, unsigned(4711))
    assert ask(3, 0x0607AF, 1, UDP, 0) == rpc.success(5, unsigned(0))
    assert ask(3, 0x0607AF, 2, TCP, 0) == rpc.success(5, unsigned(0))


def test_null_and_dump():
    assert ask(0) == rpc.success(5, b"")
    assert ask(4) == rpc.success(5, unsigned(1, 100000, 2, UDP, 111, 1, 0x0607AF, 1, TCP, 4711, 0))


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        (rpc.call(5, 100000, 2, 5, b""), rpc.procedure_unavailable(5)),
        (rpc.call(5, 100000, 4, 3, b""), rpc.program_mismatch(5, 2)),
        (rpc.call(5, 100003, 2, 3, b""), rpc.program_unavailable(5)),
        (rpc.call(5, 100000, 2, 3, unsigned(1)), rpc.garbage_arguments(5)),
        (unsigned(5, 0, 3, 0, 0, 0), rpc.rpc_mismatch(5)),
    ],
)
def test_refuses_what_it_does_not_have_but_never_a_broadcast(call, reply):
    assert MAPPER.answer(call) == reply
    assert MAPPER.answer(call, broadcast=True) is None


def test_answers_a_broadcast_and_is_silent_to_what_is_no_call():
    assert ask(3, 0x0607AF, 1, TCP, 0, broadcast=True) == rpc.success(5, unsigned(4711))
    assert MAPPER.answer(b"hello") is None


@given(st.binary(max_size=80), st.booleans())
def test_any_datagram(record, broadcast):
    MAPPER.answer(record, broadcast=broadcast)
