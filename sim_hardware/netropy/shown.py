"""What `show` and `statistics` print.

Source: what PathConfigToJson and StatsToJson take apart, com.apposite.api in Neotys-Partner-Solutions/Netropy @c25bca2.
"""

from collections.abc import Callable, Iterator, Sequence

from impairlab.drivers.model import Direction, Statistics
from impairlab.sim_hardware.netropy import house
from impairlab.sim_hardware.netropy.box import ACCESS, DIRECTIONS, Counts, NetropyBox, PathState
from impairlab.sim_hardware.netropy.forms import DELAY, DUPLICATION, LOSS, OUTAGE

PORTS: dict[Direction, tuple[int, int]] = {"a-b": (1, 2), "b-a": (2, 1)}
_UNITS = (("Gbps", 10**9), ("Mbps", 10**6), ("Kbps", 10**3), ("bps", 1))
_TYPES = ("tx_rate(bps)", "tx_bytes", "tx_frames", "drops")


def path_page(box: NetropyBox, number: int) -> str:
    """Return what `engine 1 path <number> show` prints. Raises `BoxError`."""
    path = box.path(number)
    sections = [f"Engine 1 path {number}: {box.names[number - 1]}"]
    sections += [_access(path, port, way) for port, way in ACCESS]
    sections += [_conditions(path, direction) for direction in DIRECTIONS]
    return "\n\n\n".join(sections)


def _access(path: PathState, port: int, way: str) -> str:
    rate = path.bandwidths.get((port, way))
    if rate is None:
        return f"WAN Access: Port {port}, {way}: not enabled"
    return "\n  ".join(
        (
            f"WAN Access: Port {port}, {way}:",
            "Ethernet",
            f"Bandwidth: Fixed {_bandwidth(rate)}",
            "Background Utilization: None",
            f"Queue: Default ({house.QUEUE_MS}ms)",
            "Queue Type: FIFO",
            "MTU Limit: None",
            f"Frame Overhead: {house.FRAME_OVERHEAD}",
        )
    )


def _bandwidth(rate: int) -> str:
    unit, factor = next((unit, factor) for unit, factor in _UNITS if rate % factor == 0)
    return f"{rate // factor} {unit}"


def _conditions(path: PathState, direction: Direction) -> str:
    told = {each.key: path.setting(direction, each.word).shown for each in (LOSS, DELAY, DUPLICATION, OUTAGE)}
    one, other = PORTS[direction]
    return "\n  ".join(
        (
            f"WAN Conditions: Port {one} to Port {other}:",
            f"{LOSS.key}: {told[LOSS.key]}",
            "Corruption: None",
            f"{DELAY.key}: {told[DELAY.key]}",
            "Reordering: None",
            f"{DUPLICATION.key}: {told[DUPLICATION.key]}",
            f"{OUTAGE.key}: {told[OUTAGE.key]}",
        )
    )


def statistics_page(box: NetropyBox, kind: str) -> str:
    """Return what `engine 1 statistics total|interval|cumulative` prints. Raises `BoxError`."""
    columns = [(name, direction) for name in box.names for direction in DIRECTIONS]
    spread = [column for column in columns for _ in _TYPES]
    heads = [
        ["", *(name for name, _ in spread)],
        ["", *("Port {} to Port {}".format(*PORTS[direction]) for _, direction in spread)],
        ["time", *(_TYPES * len(columns))],
    ]
    rows = box.counted()
    lines = [",".join(head) for head in heads]
    if rows is None:
        return "\n".join([*lines, "ERROR"])
    body = {"total": _total, "cumulative": _cumulative, "interval": _interval}[kind](rows)
    for seconds, length, counts, before in body:
        cells = [cell for column in columns for cell in _cells(counts[column], before.get(column), length)]
        lines.append(",".join([str(seconds), *cells]))
    return "\n".join(lines)


Row = tuple[int, int, Counts, Counts]
"""At which second, over how many, the counts then, and those to take off."""


def _total(rows: Sequence[tuple[int, Counts]]) -> Iterator[Row]:
    seconds, counts = rows[-1]
    yield seconds, seconds, counts, {}


def _cumulative(rows: Sequence[tuple[int, Counts]]) -> Iterator[Row]:
    for seconds, counts in rows:
        yield seconds, seconds, counts, {}


def _interval(rows: Sequence[tuple[int, Counts]]) -> Iterator[Row]:
    then, before = 0, dict[tuple[str, Direction], Statistics]()
    for seconds, counts in rows:
        yield seconds, seconds - then, counts, before
        then, before = seconds, dict(counts)


def _cells(now: Statistics, before: Statistics | None, seconds: int) -> Iterator[str]:
    def since(read: Callable[[Statistics], int | None]) -> int | None:
        count = read(now)
        return count if count is None or before is None else count - (read(before) or 0)

    sent = since(lambda each: each.forwarded_bytes)
    for count in (
        None if sent is None else sent * 8 // seconds,
        sent,
        since(lambda each: each.forwarded_packets),
        since(lambda each: each.dropped_total),
    ):
        yield "" if count is None else str(count)
