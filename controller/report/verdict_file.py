"""verdict.json: the outcome and every verdict, for programs."""

import json

from .verdicts import Verdicts


def verdict_json(verdicts: Verdicts, *, run: str, title: str) -> str:
    """The file's text."""
    content = verdict_content(verdicts, run=run, title=title)
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def verdict_content(verdicts: Verdicts, *, run: str, title: str) -> dict[str, object]:
    """What the file says. `outcome` is null where no verdict was asked for; times are nanoseconds, rates fractions."""
    return {
        "schema_version": 1,
        "run": run,
        "title": title,
        "outcome": None if verdicts.overall is None else verdicts.overall.value,
        "reason": verdicts.reason,
        "notices": list(verdicts.notices),
        "verdicts": [
            {"phase": row.phase, **({"traffic": row.traffic} if row.traffic else {}), **row.verdict.to_dict()}
            for row in verdicts.judged
        ],
    }
