"""Options and their values as a shell quotes them, `--id 5 --name "a --> b"`: all that goes over the wire.

Source: itrinegy.py in github.com/nijokarively/itrinegy-api, which reads answers with a POSIX shell's rules and getopt.
That a quote inside a text is written by these rules, too, is inferred.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def quoted(text: str) -> str:
    """Return a text as one word in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def options_in(reply: str) -> Sequence[tuple[str, str]]:
    """Return the options of an answer and their values: --id 5 --name "wan" is ("id", "5"), ("name", "wan").

    Every option takes a value, whatever that begins with; the last one may go without, like --ok, and has "".

    Raises:
        ValueError: Quotes are left open, or no option begins where one must.
    """
    words = [*shlex.split(reply), ""]
    found = list(zip(words[:-1:2], words[1::2], strict=True))
    for option, _ in found:
        if not option.startswith("--"):
            raise ValueError(f"{option!r} is no option")
    return [(option[2:], value) for option, value in found]
