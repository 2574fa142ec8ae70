"""The percentile plot: phases on the HdrHistogram axis 1/(1 - q), with intervals, grey where n is too small."""

from collections.abc import Sequence
from math import inf

from impairlab.controller.analysis.quantiles import PercentilePoint
from impairlab.controller.analysis.verdict import percentile

from .markup import Markup, coordinate, element, join
from .scales import Logarithmic, duration, latency_scale, latency_ticks
from .view import PercentileChart, Series

WIDTH, LEFT, RIGHT = 1080.0, 84.0, 900.0
_TOP, _BOTTOM, _NEVER = 36.0, 320.0, 12.0
_QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999)


def percentile_chart(chart: PercentileChart) -> Markup:
    """One chart as inline SVG."""
    points = [point for series in chart.series for point in series.points]
    values = [point.value for point in points]
    values += [end for point in points if point.interval for end in (point.interval.low, point.interval.high)]
    across = Logarithmic(1.0, max([10.0, *(point.axis for point in points)]), LEFT, RIGHT)
    up = latency_scale(values, _BOTTOM, _TOP)
    drawn = [_series(series, number, across, up) for number, series in enumerate(chart.series)]
    return element(
        "svg",
        element("title", f"{chart.title}: percentiles by phase"),
        _axes(across, up),
        _failures_zone(values),
        *drawn,
        _legend(chart.series, across, up),
        viewBox=f"0 0 {WIDTH:.0f} {_BOTTOM + 40:.0f}",
        role="img",
        class_="chart",
    )


def colour_of(series: Series, number: int) -> str:
    """The class of a series: the baseline is always the quiet one."""
    return "series-baseline" if series.baseline else f"series-{number % 5}"


def _axes(across: Logarithmic, up: Logarithmic) -> Markup:
    parts = [element("rect", x=LEFT, y=_NEVER, width=RIGHT - LEFT, height=_BOTTOM - _NEVER, class_="strip")]
    for q in _QUANTILES:
        if 1 / (1 - q) <= across.high * 1.001:
            at = across(1 / (1 - q))
            parts.append(element("line", x1=at, x2=at, y1=_NEVER, y2=_BOTTOM, class_="grid"))
            parts.append(element("text", percentile(q), x=at, y=_BOTTOM + 17, text_anchor="middle", class_="tick"))
    for tick in latency_ticks(up):
        at = up(tick)
        parts.append(element("line", x1=LEFT, x2=RIGHT, y1=at, y2=at, class_="grid"))
        parts.append(element("text", duration(tick), x=LEFT - 8, y=at + 4, text_anchor="end", class_="tick"))
    parts.append(element("text", "percentile, on the axis 1/(1 − q)", x=LEFT, y=_BOTTOM + 34, class_="tick"))
    return join(parts)


def _failures_zone(values: Sequence[float]) -> Markup:
    if inf not in values:
        return Markup()
    zone = element("rect", x=LEFT, y=_NEVER, width=RIGHT - LEFT, height=_TOP - _NEVER, class_="never-zone")
    return join([zone, element("text", "never", x=LEFT - 8, y=_TOP - 10, text_anchor="end", class_="tick")])


def _series(series: Series, number: int, across: Logarithmic, up: Logarithmic) -> Markup:
    supported = [point for point in series.points if point.interval is not None]
    first, last = (supported[0].axis, supported[-1].axis) if supported else (inf, -inf)
    before = [point for point in series.points if point.axis <= first]
    after = [point for point in series.points if point.axis >= last]
    parts = [
        _ribbon(supported, across, up),
        _line(before if supported else [], across, up, "unsupported"),
        _line(after, across, up, "unsupported"),
        _line(supported, across, up, "supported"),
    ]
    return element("g", *parts, class_=f"series {colour_of(series, number)}")


def _ribbon(points: Sequence[PercentilePoint], across: Logarithmic, up: Logarithmic) -> Markup:
    lower = [(across(p.axis), _height(p.interval.low, up)) for p in points if p.interval is not None]
    upper = [(across(p.axis), _height(p.interval.high, up)) for p in points if p.interval is not None]
    outline = [*upper, *reversed(lower)]
    return element("polygon", points=_joined(outline), class_="ribbon") if len(points) > 1 else Markup()


def _line(points: Sequence[PercentilePoint], across: Logarithmic, up: Logarithmic, kind: str) -> Markup:
    places = [(across(point.axis), _height(point.value, up)) for point in points]
    return element("polyline", points=_joined(places), class_=kind) if len(points) > 1 else Markup()


def _height(value: float, up: Logarithmic) -> float:
    return (_NEVER + _TOP) / 2 if value == inf else up(value)


def _joined(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in places)


def _legend(shown: Sequence[Series], across: Logarithmic, up: Logarithmic) -> Markup:
    """The name of each series beside the end of its line, moved down where two would overlap."""
    ends = sorted(
        (_height(series.points[-1].value, up), number, series) for number, series in enumerate(shown) if series.points
    )
    parts = []
    for end, number, series in _spread(ends, _NEVER):
        colour = colour_of(series, number)
        at = across(series.points[-1].axis)
        parts.append(element("line", x1=RIGHT + 6, x2=RIGHT + 16, y1=end, y2=end, class_=f"key {colour}"))
        told = f"{series.n} requests, {series.failures} failed" if series.failures else f"{series.n} requests"
        parts.append(element("text", series.name, x=RIGHT + 22, y=end + 4, class_="series-name"))
        parts.append(element("text", told, x=RIGHT + 22, y=end + 18, class_="tick"))
        parts.append(element("circle", cx=at, cy=_height(series.points[-1].value, up), r=2.5, class_=f"end {colour}"))
    return join(parts)


def _spread(ends: Sequence[tuple[float, int, Series]], top: float) -> list[tuple[float, int, Series]]:
    placed, free = [], top
    for end, number, series in ends:
        at = max(end, free)
        placed.append((at, number, series))
        free = at + 34
    return placed
