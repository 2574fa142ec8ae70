"""Names of scenarios, traffics and appliances: the record of a run has files of these names."""

from __future__ import annotations

import re

LEGAL_NAME = "letters, digits, '-', '_' and '.', like leo-handover"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def is_name(text: str) -> bool:
    """Whether a text is a name."""
    return _NAME.fullmatch(text) is not None
