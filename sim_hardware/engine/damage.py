"""Damage: what corruption does to the bytes of a frame."""

from random import Random

from impairlab.drivers.model import Corrupt
from impairlab.sim_hardware.engine.frames import Headers, parse

_TCP, _UDP = 6, 17
_CHECKSUM_AT = {_TCP: 16, _UDP: 6}
"""Offset of the checksum in the header (RFC 9293 3.1, RFC 768)."""

_PROTOCOL = {"tcp": _TCP, "udp": _UDP}


def damaged(frame: bytes, corrupt: Corrupt, random: Random) -> bytes | None:
    """Return the frame as it is after the damage; None if there is nothing in it that could be damaged.

    Frames carry no FCS here, so damage to it is not shown: a receiver would have dropped the frame.
    """
    headers = parse(frame)
    match corrupt.damages:
        case "payload":
            return _payload(frame, headers, corrupt, random)
        case "ip":
            return _off_by_one(frame, headers.layer3 + 10) if headers.version == 4 else None
        case "tcp" | "udp":
            at = _checksum_at(headers)
            return _off_by_one(frame, at) if at and headers.protocol == _PROTOCOL[corrupt.damages] else None
        case "ethernet":
            raise ValueError("a frame without FCS cannot have a wrong one")


def _checksum_at(headers: Headers) -> int | None:
    if headers.protocol not in _CHECKSUM_AT or headers.source_port is None:
        return None
    return headers.payload + _CHECKSUM_AT[headers.protocol]


def _off_by_one(frame: bytes, at: int) -> bytes | None:
    """One more modulo 2**16 is another sum in ones' complement, unless it was 0xFFFE: 0xFFFF is 0 again."""
    if len(frame) < at + 2:
        return None
    checksum = int.from_bytes(frame[at : at + 2], "big")
    wrong = (checksum + (2 if checksum == 0xFFFE else 1)) & 0xFFFF or 1
    return frame[:at] + wrong.to_bytes(2, "big") + frame[at + 2 :]


def _payload(frame: bytes, headers: Headers, corrupt: Corrupt, random: Random) -> bytes | None:
    first = headers.payload if corrupt.first_byte is None else corrupt.first_byte
    end = headers.layer3 + headers.length
    if corrupt.last_byte is not None:
        end = min(end, corrupt.last_byte + 1)
    if end <= first:
        return None
    changed = bytearray(frame)
    match corrupt.how:
        case "flip":
            for bit in random.sample(range(first * 8, end * 8), min(corrupt.bits, (end - first) * 8)):
                changed[bit >> 3] ^= 0x80 >> (bit & 7)
        case "random":
            for at in random.sample(range(first, end), min(corrupt.bits, end - first)):
                changed[at] = random.randrange(256)
        case "transpose":
            for at in random.sample(range(first, end - 1), min(corrupt.bits, end - first - 1)):
                changed[at], changed[at + 1] = changed[at + 1], changed[at]
    return _with_right_sums(changed, headers) if corrupt.checksums == "fixed" else bytes(changed)


def _with_right_sums(frame: bytearray, headers: Headers) -> bytes:
    """Make the checksums of IPv4, TCP and UDP right (RFC 1071); a UDP datagram without one keeps none (RFC 768)."""
    if headers.version == 4:
        at = headers.layer3
        frame[at + 10 : at + 12] = bytes(2)
        frame[at + 10 : at + 12] = _sum(bytes(frame[at : headers.payload])).to_bytes(2, "big")
    at_sum = _checksum_at(headers)
    if at_sum is not None and (headers.protocol == _TCP or any(frame[at_sum : at_sum + 2])):
        segment_end = headers.layer3 + headers.length
        length = segment_end - headers.payload
        addresses = (12, 20) if headers.version == 4 else (8, 40)
        pseudo = bytes(frame[headers.layer3 + addresses[0] : headers.layer3 + addresses[1]])
        frame[at_sum : at_sum + 2] = bytes(2)
        content = pseudo + length.to_bytes(4, "big") + bytes((0, headers.protocol or 0))
        total = _sum(content + bytes(frame[headers.payload : segment_end]))
        frame[at_sum : at_sum + 2] = (total or 0xFFFF if headers.protocol == _UDP else total).to_bytes(2, "big")
    return bytes(frame)


def _sum(content: bytes) -> int:
    total = sum(int.from_bytes(content[at : at + 2].ljust(2, b"\0"), "big") for at in range(0, len(content), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
