"""verdict.json: the outcome and every verdict, for programs."""

import json
from collections.abc import Sequence

from impairlab.controller.analysis.judge import overall

from .view import Judged


def verdict_json(judged: Sequence[Judged], *, run: str, title: str, notices: Sequence[str] = ()) -> str:
    """The file's text. `outcome` is null where no verdict was asked for; times are nanoseconds, rates fractions."""
    outcome = overall([row.verdict for row in judged])
    content = {
        "schema_version": 1,
        "run": run,
        "title": title,
        "outcome": None if outcome is None else outcome.value,
        "notices": list(notices),
        "verdicts": [{"phase": row.phase, **row.verdict.to_dict()} for row in judged],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
