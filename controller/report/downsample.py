"""Downsampling: fewer points, the same picture. Extremes and outliers always stay."""

from collections import defaultdict
from collections.abc import Sequence

from impairlab.controller.analysis.quantiles import quantile

Point = tuple[float, float]


def thin(points: Sequence[Point], most: int = 4_000) -> list[Point]:
    """At most about `most` points: of each bin in x the smallest and the largest, and every one beyond the p99 of y.

    Up to half of `most` are kept as outliers, the largest first; the bins share the rest.
    """
    if len(points) <= most:
        return list(points)
    outliers = _beyond_p99(points, most // 2)
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    bins = max(1, (most - len(outliers)) // 2)
    width = (high - low) / bins or 1.0
    members: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        members[min(bins - 1, int((point[0] - low) / width))].append(point)
    kept = set(outliers)
    for group in members.values():
        kept.add(min(group, key=lambda point: point[1]))
        kept.add(max(group, key=lambda point: point[1]))
    return sorted(kept)


def rolling(points: Sequence[Point], q: float, windows: int = 60, least: int = 5) -> list[Point]:
    """The q-quantile in each of `windows` equal windows along x, placed in its middle.

    A window with fewer than `least` points has none: a quantile of three values is noise with a name.
    """
    if not points:
        return []
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    width = (high - low) / windows or 1.0
    members: dict[int, list[float]] = defaultdict(list)
    for x, y in points:
        members[min(windows - 1, int((x - low) / width))].append(y)
    line = []
    for number in sorted(members):
        value = quantile(members[number], q)
        if value is not None and len(members[number]) >= least:
            line.append((low + (number + 0.5) * width, value))
    return line


def _beyond_p99(points: Sequence[Point], most: int) -> list[Point]:
    border = quantile([y for _, y in points], 0.99)
    beyond = [point for point in points if border is not None and point[1] > border]
    return sorted(beyond, key=lambda point: -point[1])[:most]
