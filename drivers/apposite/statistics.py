"""Statistics of a Netropy: CSV with three lines of headings and a row for each second.

Source: com/apposite/api/StatsToJson.java in github.com/Neotys-Partner-Solutions/Netropy.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException

KINDS = ("tx_rate", "tx_bytes", "tx_frames", "drops")

_NOT_YET = "ERROR"


class NoStatisticsYetError(ValueError):
    """There are none: they were reset less than about a second ago."""


@dataclass(frozen=True, slots=True)
class Row:
    """The counters at one time.

    Attributes:
        time: As the appliance words it.
        values: By path, direction ("Port 1 to Port 2" or as it is worded) and one of KINDS.
    """

    time: str
    values: Mapping[tuple[str, str, str], Decimal]

    def of(self, path: str, source: str, destination: str) -> dict[str, Decimal]:
        """Return the counters of one direction of a path, by kind."""
        first, last = f"Port {source}", f"Port {destination}"
        return {
            kind: value
            for (name, direction, kind), value in self.values.items()
            if name == path and 0 <= direction.find(first) < direction.find(last)
        }


def read_statistics(text: str) -> list[Row]:
    """Read the rows.

    Raises:
        NoStatisticsYetError: The appliance says ERROR in the place of a row, or of everything.
        ValueError: Headings or a row that cannot be read.
    """
    lines = [[cell.strip() for cell in line] for line in csv.reader(text.strip().splitlines())]
    if any(line and _NOT_YET in line[0] for line in lines):
        raise NoStatisticsYetError(text.strip())
    if len(lines) < 4:
        raise ValueError(f"{len(lines)} lines are no statistics")
    paths, directions, kinds, *rows = lines
    columns = [
        (number, (path, directions[number], kind))
        for number, path in enumerate(paths)
        if path and number < min(len(directions), len(kinds))
        for kind in [_kind(kinds[number])]
        if kind
    ]
    return [_read_row(row, columns) for row in rows if row]


def _read_row(row: Sequence[str], columns: Sequence[tuple[int, tuple[str, str, str]]]) -> Row:
    try:
        return Row(row[0], {key: Decimal(row[number]) for number, key in columns})
    except (IndexError, DecimalException) as error:
        raise ValueError(f"{','.join(row)[:80]!r} is not a row of numbers") from error


def _kind(heading: str) -> str:
    return next((kind for kind in KINDS if kind in heading), "")
