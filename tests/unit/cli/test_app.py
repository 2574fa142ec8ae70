import subprocess
import sys
from importlib.metadata import version

import click

from impairlab.controller.cli.app import VERBS, root, run_command


def test_version_is_that_of_the_distribution(capsys):
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out == f"impairlab {version('impairlab')}\n"


def test_an_unknown_verb_is_a_usage_error(capsys):
    assert run_command(["imprint"]) == 2
    assert "imprint" in capsys.readouterr().err


def test_the_version_does_not_wait_for_the_vocabulary():
    program = (
        "import sys; from impairlab.controller.cli.app import run_command; run_command(['--version']);"
        "sys.exit('pydantic' in sys.modules or 'rich' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_every_verb_names_a_command():
    with root.make_context("impairlab", [], resilient_parsing=True) as context:
        assert all(isinstance(root.get_command(context, verb), click.Command) for verb in VERBS)


def test_no_verb_is_cut_short_in_the_help_on_a_usual_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    run_command(["--help"])
    printed = capsys.readouterr().out
    assert all(f"\n  {verb} " in printed for verb in VERBS)
    assert "..." not in printed.partition("Commands:")[2]
