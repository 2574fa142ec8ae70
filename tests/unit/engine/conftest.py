"""Frames to offer, and a run of the engine on a model clock that tells when each frame came out."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address

import pytest

from impairlab.drivers.model import Conditions, Statistics
from impairlab.sim_hardware.engine import DirectionEngine, FlowProgram

Frames = Callable[..., bytes]


def checksum(data: bytes) -> int:
    total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def udp_frame(
    payload: bytes = b"",
    *,
    source: str = "10.0.0.1",
    destination: str = "10.0.0.2",
    ports: tuple[int, int] = (1000, 2000),
    tos: int = 0,
    vlan: int | None = None,
    protocol: int = 17,
    fragment: int = 0,
) -> bytes:
    layer4 = ports[0].to_bytes(2, "big") + ports[1].to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0"
    layer4 += payload
    tag = b"" if vlan is None else b"\x81\x00" + vlan.to_bytes(2, "big")
    if ":" in source:
        header = (6 << 28 | tos << 20).to_bytes(4, "big") + len(layer4).to_bytes(2, "big") + bytes((protocol, 64))
        header += IPv6Address(source).packed + IPv6Address(destination).packed
        return bytes(12) + tag + b"\x86\xdd" + header + layer4
    header = bytes((0x45, tos)) + (20 + len(layer4)).to_bytes(2, "big") + b"\0\1" + fragment.to_bytes(2, "big")
    header += bytes((64, protocol, 0, 0)) + IPv4Address(source).packed + IPv4Address(destination).packed
    header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
    return bytes(12) + tag + b"\x08\x00" + header + layer4


class ModelRun:
    """Offers frames at given times to an engine and records (release time, frame) on the model clock."""

    def __init__(self, conditions: Conditions, seed: int = 1) -> None:
        self.engine = DirectionEngine(seed)
        self.now_ns = 0
        self.out: list[tuple[int, bytes]] = []
        self.program(conditions)

    def program(self, conditions: Conditions) -> None:
        self.engine.switch(self.now_ns, [FlowProgram(conditions=conditions)])

    def until(self, now_ns: int) -> None:
        while (release := self.engine.next_release()) is not None and release <= now_ns:
            self.out.extend((release, frame) for frame in self.engine.due(release))
        self.now_ns = now_ns

    def offer(self, at_ns: int, frame: bytes) -> None:
        self.until(at_ns)
        self.engine.offer(at_ns, frame)

    def send(self, count: int, every_ns: int = 1_000_000, size: int = 100) -> list[tuple[int, int]]:
        """Send numbered frames, drain, and return (number, time from arrival to release) in order of release."""
        begin = self.now_ns
        for number in range(count):
            self.offer(begin + number * every_ns, number.to_bytes(8, "big").rjust(size, b"\0"))
        self.drain()
        numbers = [(int.from_bytes(frame[-8:], "big"), release) for release, frame in self.out]
        return [(number, release - begin - number * every_ns) for number, release in numbers]

    def drain(self) -> None:
        while (release := self.engine.next_release()) is not None:
            self.until(release)

    @property
    def statistics(self) -> Statistics:
        return self.engine.statistics(self.now_ns)


@pytest.fixture
def frame() -> Frames:
    return udp_frame


@pytest.fixture
def run_model() -> Callable[..., ModelRun]:
    def run(*impairments: object, seed: int = 1) -> ModelRun:
        return ModelRun(Conditions.of(*impairments), seed)

    return run


@pytest.fixture
def lost_runs() -> Callable[[Iterable[int], int], list[int]]:
    """Lengths of the runs of numbers below `count` that are missing."""

    def runs(arrived: Iterable[int], count: int) -> list[int]:
        present, lengths, length = set(arrived), [], 0
        for number in range(count):
            if number in present:
                lengths += [length] if length else []
                length = 0
            else:
                length += 1
        return lengths + ([length] if length else [])

    return runs
