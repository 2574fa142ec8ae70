"""Bulk headers and transfers (USBTMC 1.0, 3.2 and 3.3), by the examples of the specification's tables, and fuzzed."""

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.sim_hardware.transports.usbtmc.codec import (
    Attribute,
    BadTransferError,
    BulkOut,
    Data,
    Header,
    MessageId,
    Request,
    Trigger,
    response_transfer,
)
from impairlab.sim_hardware.transports.usbtmc.descriptors import descriptors, strings
from impairlab.sim_hardware.transports.usbtmc.requests import CAPABILITIES, RequestCode, Setup

PACKET = 512


def data_out(content: bytes, *, tag: int = 1, end: bool = True, size: int | None = None) -> bytes:
    """Written out by hand: MsgID, bTag, ~bTag, reserved, TransferSize, bmTransferAttributes, reserved."""
    header = struct.pack("<BBBBIB3x", 1, tag, 255 - tag, 0, len(content) if size is None else size, end)
    return header + content + bytes(-len(content) % 4)


def packets(transfer: bytes, size: int = PACKET) -> list[bytes]:
    return [transfer[at : at + size] for at in range(0, len(transfer), size)]


def feed(reader: BulkOut, transfer: bytes) -> list:
    return [part for packet in packets(transfer, reader.packet_size) for part in reader.feed(packet)]


def test_a_short_message():
    assert feed(BulkOut(PACKET), data_out(b"*IDN?\n")) == [Data(b"*IDN?\n", end=True)]


def test_a_request_to_read_and_a_trigger():
    request = bytes.fromhex("02 07 f8 00 00 04 00 00 02 0a 00 00")
    assert feed(BulkOut(PACKET), request) == [Request(7, 1024, b"\n")]
    assert feed(BulkOut(PACKET), request[:8] + b"\0\x0a\0\0") == [Request(7, 1024, b"")]
    assert feed(BulkOut(PACKET), bytes.fromhex("80 01 fe 00") + bytes(8)) == [Trigger(1)]


@pytest.mark.parametrize("packet_size", [64, 512])
@given(content=st.binary(min_size=1, max_size=3000), end=st.booleans(), tag=st.integers(1, 255))
def test_a_message_comes_out_as_it_went_in(packet_size, content, end, tag):
    reader = BulkOut(packet_size)
    transfer = data_out(content, end=end, tag=tag)
    parts = feed(reader, transfer)
    if not len(transfer) % packet_size:
        parts += reader.feed(b"")  # a packet of no bytes may end it, and needs not
    assert b"".join(part.content for part in parts) == content
    assert [part.end for part in parts] == [False] * (len(parts) - 1) + [end]
    assert reader.tag is None
    assert reader.received == len(content)


@pytest.mark.parametrize(
    ("transfer", "why"),
    [
        (b"\x01\x01\xfe", "12 bytes"),
        (b"\x01\x00\xff\x00" + bytes(8), "inverse"),
        (b"\x01\x05\xfb\x00" + bytes(8), "inverse"),
        (b"\x03\x05\xfa\x00" + bytes(8), "MsgID 3"),
        (b"\x7e\x05\xfa\x00" + bytes(8), "MsgID 126"),
        (b"\x02\x05\xfa\x00" + bytes(8), "no bytes"),
        (data_out(b"*IDN?\n", size=7 + 3), "early"),
    ],
)
def test_what_breaks_the_rules_is_told_and_forgotten(transfer, why):
    reader = BulkOut(PACKET)
    with pytest.raises(BadTransferError, match=why):
        feed(reader, transfer)
    assert feed(reader, data_out(b"*CLS", end=False)) == [Data(b"*CLS", end=False)]


def test_a_transfer_of_four_gigabytes_takes_no_memory():
    reader = BulkOut(PACKET)
    list(reader.feed(data_out(bytes(500), size=0xFFFF_FFFF)))
    tracemalloc.start()
    for _ in range(2000):
        list(reader.feed(bytes(PACKET)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50_000
    assert reader.received == 500 + 2000 * PACKET


@given(st.lists(st.binary(max_size=70), max_size=20))
def test_any_packets_give_no_more_than_came(given_packets):
    reader = BulkOut(64)
    for packet in given_packets:
        try:
            parts = list(reader.feed(packet[:64]))
        except BadTransferError:
            assert reader.tag is None
            continue
        assert sum(len(part.content) for part in parts if isinstance(part, Data)) <= len(packet)


def test_a_response_is_padded_and_says_how_it_ended():
    request = Request(9, 1024, b"\n")
    assert response_transfer(request, b"1\n", end=True) == bytes.fromhex("02 09 f6 00 02000000 03 000000 310a 0000")
    plain = Request(9, 1024, b"")
    assert response_transfer(plain, b"1;22", end=False) == bytes.fromhex("02 09 f6 00 04000000 00 000000 313b3232")


@given(st.sampled_from(MessageId), st.integers(1, 255), st.integers(1, 2**32 - 1), st.integers(0, 3))
def test_a_header_reads_as_it_was_written(kind, tag, size, attributes):
    header = Header(kind, tag, size, Attribute(attributes), 10)
    read = Header.unpack(header.pack())
    assert read == (Header(kind, tag) if kind is MessageId.TRIGGER else header)


def test_capabilities_are_those_of_the_tables():
    assert len(CAPABILITIES) == 24
    assert (CAPABILITIES[0], CAPABILITIES[2:4], CAPABILITIES[12:14]) == (1, b"\0\1", b"\0\1")
    assert (CAPABILITIES[4], CAPABILITIES[5], CAPABILITIES[14], CAPABILITIES[15]) == (0, 1, 7, 15)


@pytest.mark.parametrize(
    ("packet", "request_code"),
    [
        ("a1 07 0000 0000 1800", RequestCode.GET_CAPABILITIES),
        ("a2 03 0500 0200 0200", RequestCode.INITIATE_ABORT_BULK_IN),
        ("a1 80 0200 0000 0300", RequestCode.READ_STATUS_BYTE),
        ("a1 03 0500 0200 0200", None),
        ("21 05 0000 0000 0000", None),
        ("c1 07 0000 0000 1800", None),
        ("a1 40 0000 0000 0100", None),
    ],
)
def test_a_request_is_known_by_its_kind_and_its_code(packet, request_code):
    assert Setup.unpack(bytes.fromhex(packet)).request() == request_code


def test_descriptors_say_how_long_they_are_and_that_it_is_an_instrument():
    told = descriptors()
    magic, length, flags, full, high = struct.unpack_from("<5I", told)
    assert (magic, length, flags, full, high) == (3, len(told), 3, 4, 4)
    interface = told[20:29]
    assert interface == bytes([9, 4, 0, 0, 3, 0xFE, 3, 1, 1])
    assert struct.unpack_from("<II", strings()) == (2, len(strings()))
