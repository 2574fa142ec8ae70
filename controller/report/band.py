"""The impairment band: for each direction what was programmed, when it was planned and when it was acknowledged."""

from collections.abc import Sequence

from .markup import Markup, element, join
from .scales import Linear, duration
from .view import Lane, StateSpan

LANE_HEIGHT = 54.0
_BAR = 26.0
_LETTER = 6.1


def lanes(shown: Sequence[Lane], time: Linear, top: float, left: float) -> Markup:
    """All lanes, one under the other."""
    if not shown:
        nothing = "nothing was programmed on any direction"
        return element("text", nothing, x=left + 8, y=top + 24, class_="tick")
    return join(_lane(lane, time, top + LANE_HEIGHT * number, left) for number, lane in enumerate(shown))


def _lane(lane: Lane, time: Linear, top: float, left: float) -> Markup:
    name = element("text", lane.name, x=left - 8, y=top + 16 + _BAR / 2, text_anchor="end", class_="lane-name")
    rail = element("rect", x=left, y=top + 12, width=time.end - left, height=_BAR, class_="rail")
    return join([rail, name, *(_state(state, time, top + 12) for state in lane.states)])


def _state(state: StateSpan, time: Linear, top: float) -> Markup:
    """A bar from the acknowledgement on, a hatched part before it from the plan on, and a mark at either."""
    planned, end = time(state.planned_ns), time(state.end_ns)
    begun = end if state.acknowledged_ns is None else time(state.acknowledged_ns)
    first = min(planned, begun)
    parts = [
        element("title", _told(state)),
        element("rect", x=first, y=top, width=max(0.0, begun - first), height=_BAR, class_="settling"),
        element(
            "rect", x=begun, y=top, width=max(0.0, end - begun), height=_BAR, class_=f"state {state.severity.value}"
        ),
        element("line", x1=planned, x2=planned, y1=top - 6, y2=top + _BAR, class_="planned"),
        element("path", d=_flag(planned, top - 6), class_="planned-mark"),
    ]
    if state.acknowledged_ns is not None:
        parts.append(element("line", x1=begun, x2=begun, y1=top, y2=top + _BAR + 5, class_="acknowledged"))
    parts.append(_label(state, begun, end - begun, top))
    return element("g", *parts)


def _label(state: StateSpan, left: float, room: float, top: float) -> Markup:
    number = str(state.step)
    if room < 6 + _LETTER * len(number):
        middle = left + room / 2
        return element("text", number, x=middle, y=top - 8, text_anchor="middle", class_="step-above")
    most = int((room - 10) / _LETTER) - len(number) - 2
    text = state.label if len(state.label) <= most else f"{state.label[: most - 1]}…" if most > 5 else ""
    return element("text", element("tspan", number, class_="step"), f" {text}" if text else "", x=left + 5, y=top + 17,
                   class_=f"state-name on-{state.severity.value}")  # fmt: skip


def _told(state: StateSpan) -> str:
    planned = f"step {state.step}: {state.label}\nplanned at {duration(state.planned_ns)}"
    if state.acknowledged_ns is None:
        return f"{planned}, never acknowledged"
    late = f"{planned}, acknowledged {duration(state.acknowledged_ns - state.planned_ns)} later"
    return (
        late
        if state.sent_ns is None
        else f"{late} ({duration(state.acknowledged_ns - state.sent_ns)} after it was sent)"
    )


def _flag(x: float, y: float) -> str:
    return f"M{x - 3.5:.1f} {y:.1f}h7l-3.5 5z"
