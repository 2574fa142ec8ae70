"""The page: whole, small, alone, escaped, and with nothing hidden that failed."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from math import inf

import pytest

from impairlab.controller.report.markup import Markup, element
from impairlab.controller.report.page import page
from impairlab.controller.report.view import (
    AppliedStep,
    Lane,
    PhaseSpan,
    Report,
    RequestPoint,
    Severity,
    StateSpan,
    TimelineFigure,
    TrafficFigures,
)

MakeReport = Callable[..., Report]

HOSTILE = "<script>alert(1)</script>\"'&"
VOID = {"meta", "br"}


class Balance(HTMLParser):
    """Fails when an element is closed that is not open; `open` is empty after a well-formed page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def balance(html: str) -> Balance:
    parser = Balance()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def test_the_page_loads_nothing_and_runs_nothing(make_report: MakeReport) -> None:
    html = page(make_report())
    seen = balance(html).seen
    assert not re.search(r"https?:|//|@import|url\(", html)
    assert not seen & {"script", "link", "img", "iframe", "object", "embed"}
    assert not re.search(r"\son\w+=|\ssrc=|\shref=", html)


def test_twenty_thousand_requests_stay_below_two_megabytes(make_report: MakeReport) -> None:
    assert len(page(make_report(20_000)).encode()) < 2_000_000


def test_everything_hostile_is_escaped(make_report: MakeReport) -> None:
    whole = make_report(50)
    phases = tuple(PhaseSpan(HOSTILE, phase.start_ns, phase.end_ns) for phase in whole.traffics[0].timeline.phases)
    state = StateSpan(1, 0, 1, 2, whole.traffics[0].timeline.end_ns, HOSTILE, Severity.IMPAIRED)
    requests = (RequestPoint(5, inf, None, HOSTILE),)
    timeline = TimelineFigure(whole.traffics[0].timeline.end_ns, phases, requests, (Lane(HOSTILE, (state,)),))
    rows = tuple(replace(row, target=HOSTILE, asked=HOSTILE, sent=HOSTILE, read_back=HOSTILE)
                 for step in whole.applied for row in step.rows)  # fmt: skip
    step = AppliedStep(1, HOSTILE, 0, 0, late=False, error=HOSTILE, rows=rows)
    traffics = (replace(whole.traffics[0], name=HOSTILE, timeline=timeline),) * 2
    html = page(replace(whole, title=HOSTILE, run=HOSTILE, reason=HOSTILE, notices=(HOSTILE,), traffics=traffics,
                        applied=(step,)))  # fmt: skip
    assert "script" not in balance(html).seen
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 10


def test_a_failure_is_never_thinned_out(make_report: MakeReport) -> None:
    whole = make_report(20_000)
    failed = RequestPoint(59_990_000_000, inf, None, "refused")
    chat = whole.traffics[0]
    timeline = replace(chat.timeline, requests=(*chat.timeline.requests, failed))
    html = page(replace(whole, traffics=(replace(chat, timeline=timeline),)))
    assert "1 refused" in html
    assert 'class="rug"' in html


def test_without_requests_phases_or_states_it_is_still_a_page(make_report: MakeReport) -> None:
    empty = TimelineFigure(1_000_000_000, (), (), ())
    nothing = (TrafficFigures("", empty, (), (), ()),)
    html = page(make_report(10, traffics=nothing, judged=(), applied=(), counters=(), facts=(), outcome=None))
    balance(html)
    assert "NO VERDICT" in html
    assert "nothing was programmed" in html


def test_a_value_that_was_changed_on_the_way_stands_out(make_report: MakeReport) -> None:
    html = page(make_report(10))
    assert '<span class="differs">8 ms</span>' in html
    assert '<span class="differs">40 ms</span>' not in html


@pytest.mark.parametrize(("given", "kept"), [("<b>", "&lt;b&gt;"), (Markup("<b>"), "<b>")])
def test_only_markup_goes_in_unescaped(given: str, kept: str) -> None:
    assert element("p", given, class_='a"b', data_x="1") == f'<p class="a&quot;b" data-x="1">{kept}</p>'
