"""Words of commands: what they must be, and what is made of them."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from impairlab.sim_hardware.lanforge.house import Code, Refused
from impairlab.sim_hardware.lanforge.settings import KEEP

T = TypeVar("T")

Words = Sequence[str]


def number(name: str, word: str, least: int, most: int) -> int:
    """Return a whole number, decimal or hexadecimal. Raises `Refused`."""
    try:
        value = int(word, 0)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise Refused(Code.BAD_ARGUMENT, f"{name} is a whole number of {least} to {most}, not {word!r}")
    return value


def one_of(word: str, *legal: str) -> str:
    """Return a word of a set, in capitals. Raises `Refused`."""
    if word.upper() not in legal:
        raise Refused(Code.BAD_ARGUMENT, f"one of {', '.join(legal)}, not {word!r}")
    return word.upper()


def padded(words: Words, length: int) -> Words:
    """Return so many words; those left out keep what there is."""
    return (*words, *(KEEP for _ in range(length - len(words))))


def without(items: Mapping[str, T], name: str) -> Mapping[str, T]:
    """Return a mapping less one name."""
    return {key: value for key, value in items.items() if key != name}
