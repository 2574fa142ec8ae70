"""docs/how-to/develop.md names every target of the Makefile that says what it does, and folders that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_targets_are_those_of_the_makefile(page):
    documented = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = [command.removeprefix("make ") for command in page("how-to/develop.md").column("Work on impairlab itself")]
    assert set(named) - {"help"} == documented - {"demo", "help"}


def test_the_folders_of_tests_are_there(page):
    folders = {ROOT / name for name in page("how-to/develop.md").column("Tests")}
    assert folders == {path for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
