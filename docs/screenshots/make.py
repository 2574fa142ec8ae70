"""Write report.png and live.png beside this file, from a run of the demo: `make screenshots`. Needs chromium.

The report is the page of the run as a browser shows its top. The live view is rebuilt from the run's own record: the
same class, told the same things at the same instants, drawn as it stood in the middle of a phase.

    python docs/screenshots/make.py                 # runs the demo until a run's generator was in time
    python docs/screenshots/make.py runs/FOLDER     # takes a run that there is
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from rich.console import Console

from impairlab.controller.cli.live import LiveView
from impairlab.controller.plan.documents import RunRecord, read_run
from impairlab.controller.run.folder import RunFolder
from impairlab.controller.traffic.generator import progress
from impairlab.controller.traffic.log import read_log

HERE = Path(__file__).parent
DEMO = (sys.executable, "-m", "impairlab.controller.cli", "demo", "--runs")
WIDTH = 1200
REPORT_HEIGHT = 1488
COLUMNS = 100
MOST_RUNS = 5
FONT = re.compile(r"@font-face \{.*?\}\n?", re.DOTALL)

Happening = tuple[int, Callable[[LiveView], None]]


class Clock:
    """Shows the time it was set to."""

    now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def demo(runs: Path) -> RunFolder:
    """Run the demo until the outcome is not INVALID: a busy machine makes the generator late."""
    for _ in range(MOST_RUNS):
        subprocess.run([*DEMO, str(runs)], check=True)  # noqa: S603 - our own command
        folder = RunFolder(max(runs.iterdir()))
        if json.loads(folder.verdicts.read_text(encoding="utf-8"))["outcome"] != "INVALID":
            return folder
    sys.exit(f"The generator was late in {MOST_RUNS} runs; take load off this machine.")


def live_view(folder: RunFolder, phase: str) -> str:
    """The live view in the middle of a phase, as SVG."""
    record = read_run(folder.documents)
    start, end = record.phases[phase]
    instant = (start + end) // 2
    phases = [(span.phase, span.end_ns - span.start_ns) for span in record.start.timeline.spans]
    places = dict.fromkeys((c.role, c.target.direction) for event in record.events for c in event.changes)
    past = sorted((each for each in happenings(folder, record) if each[0] < instant), key=lambda each: each[0])
    clock = Clock()
    view = LiveView(record.start.title, phases, list(places), clock=clock)
    for clock.now_ns, tell in past:
        tell(view)
    clock.now_ns = instant
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(view)
    return FONT.sub("", console.export_svg(title="impairlab demo")).replace("Fira Code", "DejaVu Sans Mono")


def happenings(folder: RunFolder, record: RunRecord) -> list[Happening]:
    """What the view was told during the run, and when."""
    told: list[Happening] = []
    for event in record.events:
        at_ns = event.sent_ns if event.acknowledged_ns is None else event.acknowledged_ns
        if event.event == "step" and event.label == "phase":
            told.append((at_ns, lambda view, name=event.phase: view.phase_began(name)))
        told += [
            (at_ns, lambda view, c=change: view.conditions_changed(c.role, c.target.direction, c.conditions))
            for change in event.changes
        ]
    for traffic in record.start.traffic:
        log = read_log(folder.requests(traffic))
        for request in log.records:
            brief = progress(request, log.header.start_ns)
            ended_ns = request.t_sched_ns + request.closed_ns
            told.append((ended_ns, lambda view, brief=brief: view.request_finished(brief)))
    return told


def photograph(chromium: str, page: Path, image: Path, width: int, height: int) -> None:
    """Have the browser show a page of this machine and keep what it shows."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}",
            f"--window-size={width},{height}", f"--screenshot={image}", page.resolve().as_uri(),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - as found on the path


def main() -> None:
    """Make both pictures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", nargs="?", type=Path, help="folder of a run; without it the demo is run")
    arguments.add_argument("--phase", default="impaired", help="the phase in whose middle the live view is drawn")
    arguments.add_argument("--to", type=Path, default=HERE, help="where the pictures go")
    given = arguments.parse_args()
    chromium = shutil.which("chromium") or sys.exit("No chromium here: apt-get install chromium fonts-dejavu-core")
    with tempfile.TemporaryDirectory() as scratch:
        folder = RunFolder(given.run) if given.run else demo(Path(scratch) / "runs")
        photograph(chromium, folder.report, given.to / "report.png", WIDTH, REPORT_HEIGHT)
        svg = live_view(folder, given.phase)
        width, height = (float(number) for number in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
        page = Path(scratch) / "live.html"
        page.write_text(
            f'<meta charset="utf-8"><style>body{{margin:0}}svg{{width:{WIDTH}px}}</style>{svg}', encoding="utf-8"
        )
        photograph(chromium, page, given.to / "live.png", WIDTH, round(WIDTH * height / width))


if __name__ == "__main__":
    main()
