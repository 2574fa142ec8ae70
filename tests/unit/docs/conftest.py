"""A page of the documentation as its headings, tables and code blocks."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
BLOCK = re.compile(r"^```\{?([\w-]*)\}?[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Page:
    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")
        parts = re.split(r"^#+ (.*)$", BLOCK.sub("", self.text), flags=re.MULTILINE)
        self.sections = {
            heading.strip().strip("`"): body for heading, body in zip(parts[1::2], parts[2::2], strict=True)
        }

    def blocks(self, language: str) -> list[str]:
        return [body for found, body in BLOCK.findall(self.text) if found == language]

    def tables(self, heading: str) -> list[list[dict[str, str]]]:
        """Every table below a heading and above the next one, as rows by column."""
        runs = re.findall(r"(?:^\|.*\n)+", self.sections[heading], flags=re.MULTILINE)
        return [_rows(run.splitlines()) for run in runs]

    def column(self, heading: str, number: int = 0, table: int = 0) -> list[str]:
        """The cells of one column without their backticks."""
        return [list(row.values())[number].strip("`") for row in self.tables(heading)[table]]


def _rows(lines: list[str]) -> list[dict[str, str]]:
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


@pytest.fixture
def page():
    return lambda name: Page(DOCS / name)
