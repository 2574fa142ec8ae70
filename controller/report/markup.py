"""Markup: elements as text, every attribute and every piece of text escaped."""

from collections.abc import Iterable
from html import escape


class Markup(str):
    """Text that is markup already. Anything else is escaped when it becomes part of an element."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str | float | None) -> Markup:
    """`<name attributes>content</name>`.

    Plain strings in the content are escaped, Markup is not. An attribute that is None is left out; `class_` stands
    for `class`, and `_` within a name for `-`.
    """
    opening = " ".join(
        [name, *(f'{_name(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None)]
    )
    inner = "".join(part if isinstance(part, Markup) else escape(part) for part in content)
    return Markup(f"<{opening}>{inner}</{name}>")


def join(parts: Iterable[Markup]) -> Markup:
    """Several pieces of markup as one."""
    return Markup("".join(parts))


def coordinate(value: float) -> str:
    """A number as SVG wants it, to a tenth of a unit: finer is not visible and makes the file long."""
    return f"{value:.1f}".removesuffix(".0")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else coordinate(value)
