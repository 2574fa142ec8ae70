"""`impairlab show`: what came of a run, in a terminal or as JSON. Nothing is written."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from impairlab.controller.analysis.verdict import Outcome
from impairlab.controller.cli.exits import Verb, exit_of_verdict
from impairlab.controller.cli.report import FOLDER
from impairlab.controller.plan.documents import RunRecord
from impairlab.controller.report.assemble import assemble
from impairlab.controller.report.reading import read_folder
from impairlab.controller.report.scales import duration, instant
from impairlab.controller.report.verdict_file import verdict_content
from impairlab.controller.report.verdicts import verdicts_of
from impairlab.controller.report.view import Judged, PhaseSummary, Report
from impairlab.controller.report.words import NOTHING, estimate_in_words, interval_in_words
from impairlab.controller.run.folder import RunFolder

_COLOUR = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.INCONCLUSIVE: "yellow", Outcome.INVALID: "magenta"}


@click.command(cls=Verb, short_help="Show what came of the run in RUN_FOLDER.")
@click.argument("run_folder", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON document.")
def show(run_folder: Path, as_json: bool) -> int:  # noqa: FBT001 - click's way of passing a flag
    """Show what came of the run in RUN_FOLDER: verdicts, phases, and what became of the appliances."""
    content = read_folder(RunFolder(run_folder))
    verdicts = verdicts_of(content)
    view = assemble(content, verdicts)
    if as_json:
        start = content.record.start
        said = verdict_content(verdicts, run=start.run, title=start.title)
        click.echo(json.dumps(said | _rest(view, content.record), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        _print(view, content.record)
    return exit_of_verdict(verdicts.overall)


def _rest(view: Report, record: RunRecord) -> dict[str, object]:
    """What the verdict file does not have. Times are nanoseconds; "inf" is a failure."""
    phases = [
        {"traffic": traffic.name, **{key: _number(value) for key, value in asdict(phase).items()}}
        for traffic in view.traffics
        for phase in traffic.phases
    ]
    stop = record.stop
    return {
        "ended": None if stop is None else stop.outcome,
        "phases": phases,
        "restorations": [] if stop is None else [put.model_dump(mode="json") for put in stop.restorations],
    }


def _number(value: object) -> object:
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _print(view: Report, record: RunRecord) -> None:
    console = Console(highlight=False, markup=False)
    console.print(Text(view.title, style="bold"))
    console.print(Text(view.run, style="dim"))
    word = Text("NO VERDICT") if view.outcome is None else _outcome(view.outcome)
    console.print(Text.assemble(word, "  ", view.reason))
    for notice in view.notices:
        console.print(Text(notice, style="yellow"))
    if view.judged:
        console.print(_verdicts(view.judged))
    for traffic in view.traffics:
        if traffic.phases:
            console.print(_phases(traffic.phases, traffic.name if len(view.traffics) > 1 else ""))
    for put in record.stop.restorations if record.stop is not None else ():
        console.print(f"{put.appliance}: {'restored' if put.restored else 'NOT restored'} ({put.how})")


def _outcome(outcome: Outcome) -> Text:
    return Text(outcome.value, style=f"bold {_COLOUR[outcome]}")


def _verdicts(judged: tuple[Judged, ...]) -> Table:
    table = _table("", "claim", "#measured", "#95 % interval", "#n", "#failed")
    for row in judged:
        verdict = row.verdict
        of = f" of {row.traffic}" if row.traffic else ""
        table.add_row(
            _outcome(verdict.outcome),
            Text.assemble(f"{verdict.claim}{of}", (f"\n{verdict.reason}", "dim")),
            estimate_in_words(verdict),
            interval_in_words(verdict),
            str(verdict.n) if verdict.baseline_n is None else f"{verdict.n} / {verdict.baseline_n}",
            str(verdict.failures),
        )
    return table


def _phases(phases: tuple[PhaseSummary, ...], traffic: str) -> Table:
    heads = ("#from", "#to", "#requests", "#failed", "#TTFT p50", "#TTFT p99", "#worst gap p95")
    table = _table(f"phase of {traffic}" if traffic else "phase", *heads)
    for phase in phases:
        values = (phase.ttft_p50_ns, phase.ttft_p99_ns, phase.gap_p95_ns)
        table.add_row(
            phase.name if phase.complete else f"{phase.name} (cut short)",
            instant(phase.span.start_ns),
            instant(phase.span.end_ns),
            str(phase.requests),
            str(phase.failures),
            *(NOTHING if value is None else duration(value) for value in values),
        )
    return table


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for head in heads:
        table.add_column(head.removeprefix("#"), justify="right" if head.startswith("#") else "left")
    return table
