"""The live view as a terminal shows it."""

from io import StringIO

from rich.console import Console

from impairlab.controller.cli.live import LiveView
from impairlab.controller.traffic.records import Progress
from impairlab.drivers import Conditions, delay

SECOND_NS = 1_000_000_000


class Clock:
    now_ns = 5 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns


def drawn(view: LiveView, width: int = 80) -> list[str]:
    """The lines within the frame."""
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(view)
    return [line.strip("│ ") for line in console.file.getvalue().splitlines()[1:-1]]


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
    assert "calm 1 s   slow 1 s      1.5 of 2 s" in lines
    assert "wan  A → B  neutral" in lines
    assert "wan  A ← B  delay 40 ms" in lines


def test_requests_count_in_the_phase_that_they_were_planned_for():
    lines = drawn(view_in_its_second_phase(requests=150))
    rows = {line.split()[0]: line.split() for line in lines if line.endswith("7 ms")}
    assert rows["calm"][1:3] == ["100", "0"]
    assert rows["slow"][1:3] == ["50", "0"]


def test_the_bars_are_on_one_line_of_a_usual_terminal():
    lines = drawn(view_in_its_second_phase(requests=150))
    assert "30.0 answers/s   TTFT of the last 60, full height 150 ms" in lines
    bars = next(line for line in lines if line.endswith("█"))
    assert len(bars) == 60
    assert bars[0] == "▅"  # 91 ms of 150 ms


def test_without_an_answer_it_has_no_bars():
    assert "0.0 answers/s" in drawn(view_in_its_second_phase(requests=0))
