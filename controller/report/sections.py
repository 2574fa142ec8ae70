"""The sections of the page, each from its part of the view, in the order a reader asks."""

from collections.abc import Iterable, Sequence

from impairlab.controller.analysis.binomial import samples_for_interval
from impairlab.controller.analysis.quantiles import CONFIDENCE
from impairlab.drivers.proof import CLEARED

from .markup import Markup, element, join
from .percentile_chart import percentile_chart
from .scales import duration, instant
from .terms import TERMS
from .timeline import timeline_chart
from .view import (
    AppliedRow,
    AppliedStep,
    Check,
    Counters,
    Definition,
    Fact,
    Judged,
    PercentileChart,
    PhaseSummary,
    Report,
    TimelineFigure,
    TrafficFigures,
)
from .words import NOTHING, estimate_in_words, interval_in_words, margin_in_words, value_in_words

_OBJECTIVE = ("Limit", "Measured", "95 % interval", "Margin", "n", "Failed")


def banner(report: Report) -> Markup:
    """The verdict in one word, and why in one line."""
    word = "NO VERDICT" if report.outcome is None else report.outcome.value
    kind = "banner" if report.outcome is None else f"banner {word}"
    return element(
        "section", element("div", word, class_="word"), element("p", report.reason, class_="why"), class_=kind
    )


def notices(shown: Sequence[str]) -> Markup:
    """What a reader must know before trusting what follows."""
    return element("section", *(element("p", notice) for notice in shown), class_="notice") if shown else Markup()


def objectives(judged: Sequence[Judged]) -> Markup:
    """The table of verdicts: limit, estimate, n, interval, margin, method."""
    if not judged:
        return Markup()
    lead = "A verdict is passed only where the data carry it. Failed requests count as infinitely late."
    heads = ("", "Claim", *(f"#{head}" for head in _OBJECTIVE))
    return section("Objectives", lead, table(heads, (_objective(row) for row in judged)), kind="objectives")


def _objective(row: Judged) -> list[Markup]:
    verdict = row.verdict
    of_baseline = "" if verdict.baseline_n is None else f" / {verdict.baseline_n}"
    values = (
        value_in_words(verdict.threshold, verdict.unit),
        estimate_in_words(verdict),
        interval_in_words(verdict),
        margin_in_words(verdict),
        f"{verdict.n}{of_baseline}",
        str(verdict.failures),
    )
    return [
        cell(element("span", verdict.outcome.value, class_=f"mark {verdict.outcome.value}")),
        _claim(row),
        *(
            element("td", value, class_="number", data_head=head)
            for head, value in zip(_OBJECTIVE, values, strict=True)
        ),
    ]


def _claim(row: Judged) -> Markup:
    verdict = row.verdict
    lines = (verdict.reason, f"judged by {verdict.method}")
    of = f" of {row.traffic}" if row.traffic else ""
    return cell(f"{verdict.claim}{of}", *(element("div", line, class_="soft small") for line in lines))


def figures(traffics: Sequence[TrafficFigures]) -> list[Markup]:
    """Timeline, phases and percentiles of each traffic; named where there are several."""
    return [
        part
        for traffic in traffics
        for part in (
            timeline_section(traffic.timeline, _of(traffic, traffics)),
            phases_section(traffic.phases, _of(traffic, traffics)),
            percentiles_section(traffic.percentiles, _of(traffic, traffics)),
        )
    ]


def generators(traffics: Sequence[TrafficFigures]) -> list[Markup]:
    """The health of each traffic's generator."""
    return [health_section(traffic.health, _of(traffic, traffics)) for traffic in traffics if traffic.health]


def _of(traffic: TrafficFigures, traffics: Sequence[TrafficFigures]) -> str:
    return f" of {traffic.name}" if len(traffics) > 1 else ""


def timeline_section(timeline: TimelineFigure, of: str = "") -> Markup:
    """The latency timeline over the impairment band."""
    band = "for each direction, what was programmed on the path."
    lead = f"For the whole run, {band}"
    caption = (
        "A dashed line with a flag is the planned instant of a step, a solid line its acknowledgement, grey is the "
        "time between the two. Point at a step to read its times."
    )
    if timeline.requests:
        lead = f"Every request at the instant it was planned for, timed from that instant. Under it, {band}"
        caption = (
            "The rolling lines are order statistics of windows of equal length; where a window has fewer than 100 "
            f"requests its p99 is its largest value. {caption}"
        )
    figure = element("figure", _timeline_legend(timeline), timeline_chart(timeline), element("figcaption", caption))
    return section(f"Timeline{of}", lead, figure)


def _timeline_legend(timeline: TimelineFigure) -> Markup:
    of_requests = (
        ("dots", "a request"),
        ("rolling p50", "rolling p50"),
        ("rolling p99", "rolling p99"),
        ("rug", "a failed request"),
    )
    of_the_band = (
        ("state impaired", "impaired"),
        ("state down", "down"),
        ("planned", "planned"),
        ("acknowledged", "acknowledged"),
    )
    keys = (*(of_requests if timeline.requests else ()), *of_the_band)
    return element("ul", *(element("li", _key(kind), name) for kind, name in keys), class_="legend")


def _key(kind: str) -> Markup:
    if kind.startswith("state"):
        mark = element("rect", x=0, y=1, width=20, height=10, class_=kind)
    elif kind == "dots":
        mark = element("path", d="M4 6h0M11 3h0M17 8h0", class_=kind)
    elif kind in {"rug", "planned", "acknowledged"}:
        mark = element("path", d="M10 0V12", class_=kind)
    else:
        mark = element("path", d="M0 8L7 4L13 7L20 3", class_=kind)
    return element("svg", mark, viewBox="0 0 20 12", class_="chart", aria_hidden="true")


def phases_section(phases: Sequence[PhaseSummary], of: str = "") -> Markup:
    """What each phase was like, in one row."""
    heads = (
        "Phase",
        "#From",
        "#To",
        "#Requests",
        "#Failed",
        "#TTFT p50",
        "#TTFT p99",
        "#Worst gap p95",
        "#With a gap > 100 ms",
        "#Outlasted the phase",
    )
    lead = (
        "Requests belong to the phase in which they were planned, whenever they finished. "
        "Grey: too few requests for a 95 % interval of that percentile."
    )
    return section(f"Phases{of}", lead, table(heads, (_phase(phase) for phase in phases))) if phases else Markup()


def _phase(phase: PhaseSummary) -> list[Markup]:
    values = ((0.5, phase.ttft_p50_ns), (0.99, phase.ttft_p99_ns), (0.95, phase.gap_p95_ns))
    return [
        cell(phase.name) if phase.complete else cell(phase.name, element("div", "cut short", class_="soft small")),
        number(instant(phase.span.start_ns)),
        number(instant(phase.span.end_ns)),
        number(str(phase.requests)),
        number(str(phase.failures)),
        *(_quantile(value, phase.requests >= samples_for_interval(q, CONFIDENCE)) for q, value in values),
        number(str(phase.stalled)),
        number(str(phase.outlasted)),
    ]


def _quantile(value: float | None, supported: bool) -> Markup:  # noqa: FBT001 - reads well in a table
    text = NOTHING if value is None else duration(value)
    return number(text) if supported else element("td", text, class_="number soft")


def percentiles_section(charts: Sequence[PercentileChart], of: str = "") -> Markup:
    """The percentile plots."""
    if not charts:
        return Markup()
    drawn = [chart for chart in charts if any(series.points for series in chart.series)]
    if not drawn:
        return section(f"Percentiles{of}", "No request was recorded.")
    lead = (
        "The further right, the rarer. The ribbons are 95 % intervals from order statistics; a dashed grey line goes "
        "on where n is too small to have one, and nothing should be read from it."
    )
    figures = [
        element(
            "figure",
            element("h3", f"{chart.title}  ", element("span", chart.formula, class_="soft mono")),
            percentile_chart(chart),
        )
        for chart in drawn
    ]
    return section(f"Percentiles{of}, phase against phase", lead, *figures)


def applied_section(steps: Sequence[AppliedStep], left_out: int) -> Markup:
    """What was written to the appliance, field by field."""
    if not steps:
        return section("What was applied", "Nothing was written to any appliance.")
    heads = ("Where", "Field", "Asked", "Sent", "Read back", "#Acknowledged after plan", "#After sending")
    lead = "Every field that was written. Coloured where what was sent or read back is not what was asked."
    more = f" {left_out} steps without incident are left out; the run's documents have them all." if left_out else ""
    top = element("thead", element("tr", *(_head(head) for head in heads)))
    bodies = [
        element("tbody", element("tr", element("th", *_step(step), colspan=len(heads), scope="rowgroup")),
                *(element("tr", *_applied(row)) for row in step.rows))
        for step in steps
    ]  # fmt: skip
    whole = element("div", element("table", top, *bodies, class_="steps"), class_="scroll")
    return section("What was applied", lead + more, whole, kind="long")


def _step(step: AppliedStep) -> list[str]:
    planned = "before the start" if step.planned_ns is None else f"planned at {instant(step.planned_ns)}"
    began = "" if step.late_ns is None else f", began {duration(step.late_ns)} after it"
    told: list[str] = [
        element("b", str(step.number)),
        f" {step.label} ",
        element("span", planned, began, class_="soft"),
    ]
    if step.late:
        told += [" ", element("span", "late", class_="mark unsound")]
    if step.error:
        told += [" ", element("span", "failed", class_="mark FAIL"), " ", step.error]
    return told


def _applied(row: AppliedRow) -> list[Markup]:
    return [
        cell(row.target),
        cell(element("span", row.field, class_="mono")),
        cell(_set(row.asked)),
        _beside(row.asked, row.sent),
        cell(element("span", "not read", class_="soft")) if row.read_back is None else _beside(row.sent, row.read_back),
        number(NOTHING if row.late_ns is None else duration(row.late_ns)),
        number(duration(row.took_ns)),
    ]


def _set(text: str) -> str:
    return element("span", "none", class_="soft") if text == CLEARED else text


def _beside(expected: str, found: str) -> Markup:
    return cell(_set(found)) if expected == found else cell(element("span", found, class_="differs"))


def counters_section(counters: Sequence[Counters]) -> Markup:
    """The packet counters: a row for each that any appliance keeps, a column for each flow."""
    if not counters:
        return Markup()
    names = list(dict.fromkeys(name for row in counters for name in row.values))
    rows = ([cell(name), *(_counted(flow.values.get(name)) for flow in counters)] for name in names)
    over = [cell("counted over"), *(number(_span(flow)) for flow in counters)]
    lead = "What the appliance counted, from the first reading in the run to the last."
    heads = ("Counter", *(f"#{flow.target}" for flow in counters))
    return section("Packet counters", lead, table(heads, (*rows, over)), kind="narrow")


def _counted(value: int | None) -> Markup:
    return number(NOTHING if value is None else f"{value:,}".replace(",", "\u202f"))


def _span(row: Counters) -> str:
    return "since cleared" if row.over_ns is None else duration(row.over_ns)


def health_section(checks: Sequence[Check], of: str = "") -> Markup:
    """Whether the generator kept its own plan."""
    lead = "A generator that was late itself says nothing about the service: then the run is INVALID."
    return section(
        f"Generator health{of}", lead, table(("", "Measured", "#Value", "#Limit"), (_check(check) for check in checks))
    )


def _check(check: Check) -> list[Markup]:
    mark = Markup()
    if check.sound is not None:
        mark = element(
            "span", "sound" if check.sound else "unsound", class_="mark sound" if check.sound else "mark unsound"
        )
    return [cell(mark), cell(check.name), number(check.value), number(check.limit)]


def definitions_section(definitions: Sequence[Definition]) -> Markup:
    """What each metric means, with its formula, and each word of the report."""
    lead = (
        "t_sched is the planned instant, t_send the send, t_1 … t_end the content chunks. All on one monotonic clock."
    )
    rows = (
        [cell(element("span", d.key, class_="mono")), cell(element("span", d.formula, class_="mono")), cell(d.meaning)]
        for d in definitions
    )
    terms = element("dl", *(part for d in TERMS for part in (element("dt", d.key), element("dd", d.meaning))))
    return section("Definitions", lead, table(("Metric", "Formula", "Meaning"), rows), terms, kind="long")


def facts_section(facts: Sequence[Fact]) -> Markup:
    """Environment, seeds, identities, restored or not."""
    pairs = [part for fact in facts for part in (element("dt", fact.name), element("dd", fact.value))]
    return section("Environment and record", "", element("dl", *pairs)) if facts else Markup()


def section(title: str, lead: str, *content: Markup, kind: str | None = None) -> Markup:
    """A titled card."""
    opening = [element("h2", title), *([element("p", lead, class_="lead")] if lead else [])]
    return element("section", *opening, *content, class_=kind)


def table(heads: Iterable[str], rows: Iterable[Sequence[Markup]]) -> Markup:
    """A table. A head that begins with `#` is for a column of numbers."""
    top = join(_head(head) for head in heads)
    body = join(element("tr", *row) for row in rows)
    whole = element("table", element("thead", element("tr", top)), element("tbody", body))
    return element("div", whole, class_="scroll")


def _head(head: str) -> Markup:
    return element("th", head.removeprefix("#"), class_="number" if head.startswith("#") else None)


def cell(*content: str) -> Markup:
    """A cell of a table."""
    return element("td", *content)


def number(text: str) -> Markup:
    """A cell with a number."""
    return element("td", text, class_="number")
