"""The timeline chart: latencies over the scenario, with what was done to the path under them on the same axis."""

from collections.abc import Iterator, Sequence
from math import inf

from .band import LANE_HEIGHT, lanes
from .downsample import Point, rolling, thin
from .markup import Markup, coordinate, element, join
from .scales import Linear, Logarithmic, duration, instant, latency_scale, latency_ticks, time_ticks
from .view import Limit, TimelineFigure

WIDTH, LEFT, RIGHT = 1080.0, 84.0, 1064.0
_PHASES_TOP, _PHASES_HEIGHT = 0.0, 22.0
_RUG_TOP, _RUG_BOTTOM = 30.0, 46.0
_TTFT_TOP, _TTFT_BOTTOM = 74.0, 294.0
_GAP_TOP, _GAP_BOTTOM = 324.0, 414.0
_LANES_TOP = 440.0
_LETTER = 7.4
_GAP_FLOOR_NS = 1_000_000.0


def timeline_chart(timeline: TimelineFigure) -> Markup:
    """The whole chart as inline SVG; without requests there is only the band."""
    time = Linear(0, timeline.end_ns, LEFT, RIGHT)
    band_top = _LANES_TOP if timeline.requests else _RUG_TOP
    bottom = band_top + LANE_HEIGHT * max(1, len(timeline.lanes))
    measured = (_first_tokens, _failures, _gaps) if timeline.requests else ()
    return element(
        "svg",
        _title(timeline),
        _phases(timeline, time, bottom),
        _time_axis(timeline, time, bottom),
        *(part(timeline, time) for part in measured),
        lanes(timeline.lanes, time, band_top, LEFT),
        viewBox=f"0 0 {WIDTH:.0f} {bottom + 34:.0f}",
        role="img",
        class_="chart",
    )


def windows_of(timeline: TimelineFigure) -> int:
    """How many windows the rolling quantiles have: about 20 requests in each, between 12 and 90 windows."""
    return max(12, min(90, len(timeline.requests) // 20))


def _title(timeline: TimelineFigure) -> Markup:
    failed = sum(request.failed for request in timeline.requests)
    return element("title", f"{len(timeline.requests)} requests over {duration(timeline.end_ns)}, {failed} failed")


def _phases(timeline: TimelineFigure, time: Linear, bottom: float) -> Markup:
    parts, free = [], LEFT
    for number, phase in enumerate(timeline.phases):
        left, right = time(phase.start_ns), time(phase.end_ns)
        shade = element(
            "rect", x=left, y=_PHASES_TOP, width=right - left, height=bottom, class_=f"phase phase-{number % 2}"
        )
        parts.append(shade)
        if number:
            parts.append(element("line", x1=left, x2=left, y1=_PHASES_TOP, y2=bottom, class_="border"))
        named = element("title", f"{phase.name}: {instant(phase.start_ns)} to {instant(phase.end_ns)}")
        if label := fitting(phase.name, right - left - 12, _LETTER):
            parts.append(element("text", named, label, x=left + 7, y=_PHASES_TOP + 15, class_="phase-name"))
            free = left + 7 + _LETTER * (len(label) + 1)
        elif left - free > _LETTER * (len(phase.name) + 3):  # too narrow for its name, which points at it from before
            parts.append(element("text", named, f"{phase.name} ▸", x=left - 4, y=_PHASES_TOP + 15, text_anchor="end",
                                 class_="phase-name"))  # fmt: skip
            free = left
    return join(parts)


def _time_axis(timeline: TimelineFigure, time: Linear, bottom: float) -> Markup:
    parts = []
    for tick in time_ticks(timeline.end_ns):
        at = time(tick)
        parts.append(element("line", x1=at, x2=at, y1=_RUG_TOP, y2=bottom, class_="grid"))
        anchor = "end" if at > RIGHT - 12 else "middle"
        parts.append(element("text", instant(tick), x=at, y=bottom + 16, text_anchor=anchor, class_="tick"))
    caption = element("text", "time since the scenario began", x=LEFT, y=bottom + 31, class_="tick")
    return join([*parts, caption])


def _first_tokens(timeline: TimelineFigure, time: Linear) -> Markup:
    values = [request.ttft_ns for request in timeline.requests]
    scale = latency_scale([*values, *(limit.value_ns for limit in timeline.limits)], _TTFT_BOTTOM, _TTFT_TOP)
    points = [(float(request.at_ns), request.ttft_ns) for request in timeline.requests]
    windows = windows_of(timeline)
    parts = [
        _strip("TTFT", _TTFT_TOP, _TTFT_BOTTOM),
        _latency_axis(scale),
        _dots([point for point in points if point[1] < inf], time, scale, "dots"),
        _line(rolling(points, 0.5, windows), time, scale, "p50"),
        _line(rolling(points, 0.99, windows), time, scale, "p99"),
    ]
    return join([*parts, *(_limit(limit, time, scale) for limit in timeline.limits)])


def _limit(limit: Limit, time: Linear, scale: Logarithmic) -> Markup:
    """The limit over its phase, with its name where there is room."""
    left, right, at = time(limit.start_ns), time(limit.end_ns), scale(limit.value_ns)
    line = element("line", element("title", limit.name), x1=left, x2=right, y1=at, y2=at, class_="limit")
    if right - left < _LETTER * len(limit.name):
        return line
    return join([line, element("text", limit.name, x=right - 4, y=at - 5, text_anchor="end", class_="limit-name")])


def _failures(timeline: TimelineFigure, time: Linear) -> Markup:
    """Every failure has its tick: failures are never thinned out."""
    parts = [element("text", "failed", x=LEFT - 8, y=_RUG_BOTTOM - 4, text_anchor="end", class_="tick")]
    failed = [request for request in timeline.requests if request.failed]
    for status in sorted({request.status for request in failed}):
        instants = [request.at_ns for request in failed if request.status == status]
        places = sorted({coordinate(round(2 * time(at)) / 2) for at in instants}, key=float)
        path = "".join(f"M{place} {coordinate(_RUG_TOP)}V{coordinate(_RUG_BOTTOM)}" for place in places)
        parts.append(element("path", element("title", f"{len(instants)} {status}"), d=path, class_="rug"))
    return join(parts)


def _gaps(timeline: TimelineFigure, time: Linear) -> Markup:
    points = [
        (float(point.at_ns), max(point.gap_ns, _GAP_FLOOR_NS))
        for point in timeline.requests
        if point.gap_ns is not None
    ]
    scale = latency_scale([gap for _, gap in points], _GAP_BOTTOM, _GAP_TOP)
    return join(
        [
            _strip("worst gap", _GAP_TOP, _GAP_BOTTOM),
            _latency_axis(scale),
            _dots(points, time, scale, "dots gap-dots"),
            _line(rolling(points, 0.99, windows_of(timeline)), time, scale, "p99"),
        ]
    )


def _strip(name: str, top: float, bottom: float) -> Markup:
    frame = element("rect", x=LEFT, y=top, width=RIGHT - LEFT, height=bottom - top, class_="strip")
    return join([frame, element("text", name, x=LEFT, y=top - 7, class_="strip-name")])


def _latency_axis(scale: Logarithmic) -> Markup:
    parts = []
    for tick in latency_ticks(scale):
        at = scale(tick)
        parts.append(element("line", x1=LEFT, x2=RIGHT, y1=at, y2=at, class_="grid"))
        parts.append(element("text", duration(tick), x=LEFT - 8, y=at + 4, text_anchor="end", class_="tick"))
    return join(parts)


def _dots(points: Sequence[Point], time: Linear, scale: Logarithmic, kind: str) -> Markup:
    """All dots as one path of zero-length strokes with round ends, a tenth of the size of as many circles."""
    places = dict.fromkeys(f"M{coordinate(time(x))} {coordinate(scale(y))}h0" for x, y in thin(points))
    return element("path", d="".join(places), class_=kind)


def _line(points: Sequence[Point], time: Linear, scale: Logarithmic, kind: str) -> Markup:
    path = " ".join(_vertices(points, time, scale))
    return element("polyline", points=path, class_=f"rolling {kind}") if path else Markup()


def _vertices(points: Sequence[Point], time: Linear, scale: Logarithmic) -> Iterator[str]:
    for x, y in points:
        height = (_RUG_TOP + _RUG_BOTTOM) / 2 if y == inf else scale(y)  # a failure is off the scale, not at its end
        yield f"{coordinate(time(x))},{coordinate(height)}"


def fitting(text: str, room: float, per_character: float) -> str:
    """The text cut to the room there is, or nothing where not even a few letters fit."""
    most = int(room / per_character)
    if len(text) <= most:
        return text
    return f"{text[: most - 1]}…" if most >= 4 else ""
