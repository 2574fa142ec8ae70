"""`impairlab report` and `impairlab show`: what came of a run that is over, and the code the shell gets."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from impairlab.controller.cli.app import run_command
from impairlab.controller.plan.documents import ErrorRecord
from impairlab.controller.run.folder import RunFolder

MakeRun = Callable[..., RunFolder]
BARE = "scenario: bare\nneeds: {wan: [delay.constant]}\nphases: [{one: {for: 10 s, wan: {a-b: {delay: 5 ms}}}}]\n"
SECOND = 1_000_000_000


def test_report_writes_the_three_files_and_says_where(make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run()
    assert run_command(["report", str(folder.path)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("FAIL: ")
    assert str(folder.report) in said
    assert folder.report.exists()
    assert folder.verdicts.exists()
    assert folder.junit.exists()


def test_a_run_without_a_verdict_is_all_right(make_run: MakeRun) -> None:
    assert run_command(["report", str(make_run(BARE).path)]) == 0


@pytest.mark.parametrize("verb", ["report", "show"])
@pytest.mark.parametrize("folder", ["not-there", "."])
def test_a_folder_that_is_no_run_is_a_usage_error(
    verb: str, folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([verb, str(tmp_path / folder)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_show_prints_verdicts_phases_and_what_became_of_the_appliances(
    make_run: MakeRun, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    folder = make_run()
    assert run_command(["show", str(folder.path)]) == 1
    said = capsys.readouterr().out
    for text in ("FAIL", "ttft p95 at most 300 ms in impaired", "364 ms", "INCONCLUSIVE", "recovery",
                 "wan-1: restored (snapshot)"):  # fmt: skip
        assert text in said
    assert not folder.report.exists()


def test_show_tells_how_a_run_was_cut_short(
    make_run: MakeRun, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    error = ErrorRecord(name="ConnectionLost", message="the peer closed", appliance="wan-1")
    folder = make_run(outcome="failed", cut_ns=30 * SECOND, error=error, restored=False)
    assert run_command(["show", str(folder.path)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "ConnectionLost on wan-1" in said
    assert "impaired (cut short)" in said
    assert "wan-1: NOT restored (failed)" in said


def test_show_takes_names_as_they_are(make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run(BARE, title="[red]not markup[/red] [/]")
    assert run_command(["show", str(folder.path)]) == 0
    assert "[red]not markup[/red] [/]" in capsys.readouterr().out


def test_show_as_json_has_the_verdict_file_and_more(make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run()
    run_command(["report", str(folder.path)])
    capsys.readouterr()
    run_command(["show", "--json", str(folder.path)])
    said = json.loads(capsys.readouterr().out)
    written = json.loads(folder.verdicts.read_text())
    assert {key: said[key] for key in written} == written
    assert [phase["name"] for phase in said["phases"]] == ["baseline", "impaired", "outage", "recovery"]
    assert said["phases"][2]["ttft_p99_ns"] == "inf"
    assert said["ended"] == "success"
    assert said["restorations"][0]["restored"] is True


def test_a_character_that_a_terminal_does_not_have_does_not_end_a_command(make_run: MakeRun) -> None:
    program = [sys.executable, "-c", "from impairlab.controller.cli import main; main()", "show"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    command = [*program, str(make_run().path)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    assert " ? " in ran.stdout
