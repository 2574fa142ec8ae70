"""Header patterns: which headers a command answers to (SCPI-1999 volume 1, 6.2: short and long forms, default nodes).

A pattern reads as a manual prints it: `[:SOURce]:PATH<path>:DELay[:MEAN]`. Capitals are the short form, brackets hold
nodes that may be left out, `<name>` is a numeric suffix, a trailing `?` makes it a query.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import product

_PIECE = re.compile(r"(?P<mark>[\[\]:])|(?P<word>[A-Za-z][A-Za-z_]*)(?P<digits>[0-9]*)(?:<(?P<suffix>\w+)>)?")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_NUMBER = re.compile(r"<\w*>|(?<![0-9])1(?=[:?]|$)")
_COMMON = re.compile(r"\*[A-Z]+\??")
_CACHED_PATTERNS = 8192


def short_form(spelling: str) -> str:
    """Return the short form of a mnemonic spelled as a manual does: `TRIGger` gives `TRIG`."""
    return "".join(char for char in spelling if not char.islower())


def is_form_of(sent: str, spelling: str) -> bool:
    """Say whether `sent`, in any case, is exactly the short or the long form of `spelling`."""
    return sent.upper() in {short_form(spelling), spelling.upper()}


class HeaderPattern:
    """One command's header; answers whether an absolute header is its, and with which numeric suffixes.

    Args:
        text: The pattern as a manual prints it.

    Raises:
        ValueError: When `text` is no pattern.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_query = text.endswith("?")
        self._exact = _compile(text, any_number="")
        self._any_number = _compile(text, any_number="[0-9]*")
        self.suffix_names = tuple(self._exact.groupindex)

    def __repr__(self) -> str:
        return f"HeaderPattern({self.text!r})"

    def expansions(self) -> frozenset[str]:
        """Return every header it answers to, in short form and without numeric suffixes."""
        pieces = _OPTIONAL.split(self.text)
        choices = [(piece, "") if index % 2 else (piece,) for index, piece in enumerate(pieces)]
        return frozenset(_NUMBER.sub("", short_form("".join(chosen))).lstrip(":") for chosen in product(*choices))

    def match(self, header: str) -> Mapping[str, int | None] | None:
        """Return the numeric suffixes of `header` by name, None for one that was not sent; None when it differs.

        A single leading colon and the case of `header` do not matter.
        """
        found = self._exact.fullmatch(_subject(header))
        if found is None:
            return None
        return {name: None if number is None else int(number) for name, number in found.groupdict().items()}

    def matches_but_for_numbers(self, header: str) -> bool:
        """Say whether only a numeric suffix keeps `header` from being this command's."""
        return self._any_number.fullmatch(_subject(header)) is not None


def _subject(header: str) -> str:
    upper = header.upper()
    return f":{upper}" if upper[:1].isalpha() else upper


@lru_cache(maxsize=_CACHED_PATTERNS)
def _compile(text: str, any_number: str) -> re.Pattern[str]:
    if _COMMON.fullmatch(text):
        return re.compile(re.escape(text))
    body = text.removesuffix("?")
    expression, at = "", 0
    while at < len(body):
        piece = _PIECE.match(body, at)
        if piece is None:
            raise ValueError(f"{text!r} is no header pattern: stopped at {body[at:]!r}")
        if piece["mark"]:
            expression += {"[": "(?:", "]": ")?", ":": ""}[piece["mark"]]
        else:
            expression += _mnemonic(piece, any_number)
        at = piece.end()
    try:
        return re.compile(expression + (r"\?" if body != text else ""))
    except re.error as error:
        raise ValueError(f"{text!r} is no header pattern: {error}") from error


def _mnemonic(piece: re.Match[str], any_number: str) -> str:
    word, digits, name = piece["word"], piece["digits"], piece["suffix"]
    number = f"(?P<{name}>[0-9]+)?" if name else any_number or ("1?" if digits in {"", "1"} else digits)
    return f":(?:{word.upper()}|{short_form(word)}){number}"
