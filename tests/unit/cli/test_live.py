"""The live view as a terminal shows it."""

from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console

from impairlab.controller.cli import demo
from impairlab.controller.cli.follow import PlainLines, following
from impairlab.controller.cli.live import LiveView
from impairlab.controller.plan.rack import PathRef
from impairlab.controller.plan.scenario_file import read_scenario
from impairlab.controller.plan.timeline import build_timeline
from impairlab.controller.traffic.records import Progress
from impairlab.drivers import Conditions, delay, loss

SECOND_NS = 1_000_000_000


@pytest.fixture
def scenario():
    return read_scenario(demo.SCENARIOS / "brownout.yaml", {"SERVICE": "http://10.0.0.1:1"})


class Clock:
    now_ns = 5 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns


def drawn(view: LiveView, width: int = 80) -> list[str]:
    """The lines without their frame."""
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(view)
    return [line.strip("│╭╮╰╯─ ") for line in console.file.getvalue().splitlines()]


def view_in_its_second_phase(requests: int) -> LiveView:
    clock = Clock()
    view = LiveView("A title", [("calm", SECOND_NS), ("slow", SECOND_NS)], [("wan", "a-b"), ("wan", "b-a")], clock)
    view.phase_began("calm")
    clock.now_ns += SECOND_NS
    view.phase_began("slow")
    view.conditions_changed("wan", "b-a", Conditions.of(delay("40 ms")))
    for number in range(requests):
        view.request_finished(
            Progress(id=number, at_ns=number * SECOND_NS // 100, status="ok", ttft_ms=number + 1.0, max_gap_ms=7.0)
        )
    clock.now_ns += SECOND_NS // 2
    return view


def test_it_says_where_the_run_is_and_what_is_applied():
    lines = drawn(view_in_its_second_phase(requests=0))
    assert "calm 1 s   slow 1 s" in lines
    assert lines[-1] == "1.5 of 2 s"
    assert "wan  A → B  neutral" in lines
    assert "wan  A ← B  delay 40 ms" in lines


def test_requests_count_in_the_phase_that_they_were_planned_for():
    lines = drawn(view_in_its_second_phase(requests=150))
    rows = {line.split()[0]: line.split() for line in lines if line.endswith("7 ms")}
    assert rows["calm"][1:3] == ["100", "0"]
    assert rows["slow"][1:3] == ["50", "0"]


def test_a_request_that_was_cut_off_has_not_failed():
    view = view_in_its_second_phase(requests=1)
    view.request_finished(Progress(id=1, at_ns=0, status="timeout"))
    view.request_finished(Progress(id=2, at_ns=0, status="cancelled"))
    [row] = [line.split() for line in drawn(view) if line.endswith("7 ms")]
    assert row[:3] == ["calm", "3", "1"]


def test_the_demo_fits_a_usual_terminal(scenario):
    phases = [(phase.name, phase.duration_ns) for phase in scenario.phases]
    view = LiveView(scenario.title, phases, [("wan", "a-b"), ("wan", "b-a")], Clock())
    for name, _ in phases:
        view.phase_began(name)
    view.conditions_changed("wan", "b-a", Conditions.of(delay("40 ms", jitter="8 ms"), loss("1 %", burst=4)))
    lines = drawn(view)
    assert lines[0] == scenario.title
    assert "baseline 20 s   impaired 30 s   outage 0.6 s   recovery 16 s" in lines
    assert "wan  A ← B  delay 40 ms ± 8 ms normal, loss 1 % in bursts of 4" in lines
    assert lines[-1] == "0.0 of 66.6 s"


def test_the_bars_are_on_one_line_of_a_usual_terminal():
    lines = drawn(view_in_its_second_phase(requests=150))
    assert "30.0 answers/s   TTFT of the last 60, full height 150 ms" in lines
    bars = next(line for line in lines if line.endswith("█"))
    assert len(bars) == 60
    assert bars[0] == "▅"  # 91 ms of 150 ms


def test_without_an_answer_it_has_no_bars():
    assert "0.0 answers/s" in drawn(view_in_its_second_phase(requests=0))


@pytest.mark.parametrize(
    "terminal",
    [{"force_terminal": False}, {"force_terminal": True, "_environ": {"TERM": "dumb"}}],
    ids=["none", "dumb"],
)
def test_a_line_for_each_change_where_nothing_can_be_drawn_over(scenario, terminal):
    timeline = build_timeline(scenario, {"wan": PathRef(appliance="wan-1", path="1")})
    console = Console(file=StringIO(), **terminal)
    with following(timeline, scenario.title, console) as observer:
        assert isinstance(observer, PlainLines)
        observer.phase_began("baseline")
    assert console.file.getvalue().endswith(" s  phase baseline\n")


def test_a_picture_on_a_terminal(scenario):
    timeline = build_timeline(scenario, {"wan": PathRef(appliance="wan-1", path="1")})
    screen = TextIOWrapper(BytesIO(), encoding="utf-8")
    with following(timeline, scenario.title, Console(file=screen, force_terminal=True, _environ={})) as observer:
        observer.phase_began("baseline")
    screen.seek(0)
    assert "phase" in screen.read()
