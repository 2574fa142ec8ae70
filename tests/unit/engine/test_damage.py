"""Damage: the layer that is meant is wrong afterwards, and nothing else."""

import random

import pytest

from impairlab.drivers.model import Corrupt
from impairlab.sim_hardware.engine.damage import damaged

PAYLOAD = bytes(range(100, 160))


def checksum(content: bytes) -> int:
    total = sum(int.from_bytes(content[at : at + 2].ljust(2, b"\0"), "big") for at in range(0, len(content), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def segment_sum(frame: bytes) -> int:
    """What a receiver computes over pseudo-header and segment: 0 is right (RFC 768, RFC 9293)."""
    ip, length = frame[14:34], len(frame) - 34
    return checksum(ip[12:20] + bytes((0, ip[9])) + length.to_bytes(2, "big") + frame[34:])


@pytest.fixture
def datagram(frame):
    whole = frame(PAYLOAD)
    at = 34 + 6
    sums = checksum(whole[26:34] + bytes((0, 17)) + (len(whole) - 34).to_bytes(2, "big") + whole[34:])
    return whole[:at] + sums.to_bytes(2, "big") + whole[at + 2 :]


@pytest.fixture
def segment(frame):
    whole = bytearray(frame(bytes(12) + PAYLOAD, protocol=6))
    whole[34 + 16 : 34 + 18] = b"\0\0"
    sums = checksum(whole[26:34] + bytes((0, 6)) + (len(whole) - 34).to_bytes(2, "big") + whole[34:])
    whole[34 + 16 : 34 + 18] = sums.to_bytes(2, "big")
    return bytes(whole)


@pytest.mark.parametrize("seed", range(20))
def test_the_ip_header_checksum_is_wrong_and_nothing_else(datagram, seed) -> None:
    worse = damaged(datagram, Corrupt(rate=1, damages="ip"), random.Random(seed))
    assert checksum(datagram[14:34]) == 0 != checksum(worse[14:34])
    assert worse[:24] + worse[26:] == datagram[:24] + datagram[26:]


def test_the_checksum_of_tcp_or_udp_is_wrong_and_nothing_else(datagram, segment) -> None:
    for whole, layer, at in ((datagram, "udp", 40), (segment, "tcp", 50)):
        worse = damaged(whole, Corrupt(rate=1, damages=layer), random.Random(1))
        assert segment_sum(whole) == 0 != segment_sum(worse)
        assert worse[:at] + worse[at + 2 :] == whole[:at] + whole[at + 2 :]
    assert damaged(datagram, Corrupt(rate=1, damages="tcp"), random.Random(1)) is None
    assert damaged(segment, Corrupt(rate=1, damages="udp"), random.Random(1)) is None


@pytest.mark.parametrize("before", range(0xFFF0, 0x10000))
def test_a_wrong_checksum_is_never_right_by_accident(datagram, before) -> None:
    """0 and 0xFFFF are the same in ones' complement, and 0 is no checksum at all in UDP."""
    whole = datagram[:40] + before.to_bytes(2, "big") + datagram[42:]
    worse = damaged(whole, Corrupt(rate=1, damages="udp"), random.Random(1))
    after = int.from_bytes(worse[40:42], "big")
    assert after
    assert after % 0xFFFF != before % 0xFFFF


@pytest.mark.parametrize("how", ["flip", "random", "transpose"])
@pytest.mark.parametrize("kind", ["datagram", "segment"])
def test_fixed_checksums_leave_the_damage_to_the_application(request, how, kind) -> None:
    whole = request.getfixturevalue(kind)
    corrupt = Corrupt(rate=1, bits=3, how=how, first_byte=60, checksums="fixed")
    worse = damaged(whole, corrupt, random.Random(3))
    assert worse != whole
    assert worse[60:] != whole[60:]
    assert checksum(worse[14:34]) == segment_sum(worse) == 0


def test_damage_stays_between_its_bytes(datagram) -> None:
    for seed in range(50):
        worse = damaged(datagram, Corrupt(rate=1, bits=4, first_byte=50, last_byte=52), random.Random(seed))
        assert worse[:50] + worse[53:] == datagram[:50] + datagram[53:]
        flipped = sum((a ^ b).bit_count() for a, b in zip(datagram, worse, strict=True))
        assert flipped == 4


def test_transposed_bytes_are_the_same_bytes(datagram) -> None:
    worse = damaged(datagram, Corrupt(rate=1, how="transpose"), random.Random(5))
    assert sorted(worse) == sorted(datagram)
    assert worse != datagram


def test_a_frame_with_a_wrong_fcs_goes_no_further(run_model) -> None:
    model = run_model(Corrupt(rate=1, damages="ethernet"))
    assert model.send(10) == []
    assert (model.statistics.corrupted, model.statistics.dropped_other, model.statistics.dropped_total) == (10, 10, 10)
