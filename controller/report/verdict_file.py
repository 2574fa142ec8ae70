"""verdict.json: the outcome and every verdict, for programs."""

import json

from .verdicts import Verdicts


def verdict_json(verdicts: Verdicts, *, run: str, title: str) -> str:
    """The file's text. `outcome` is null where no verdict was asked for; times are nanoseconds, rates fractions."""
    content = {
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
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
