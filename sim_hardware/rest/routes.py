"""From a method and a path to what answers it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, unquote

H = TypeVar("H")

_MOST_QUERY_FIELDS = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    Attributes:
        path: The segments of the path, percent signs resolved; empty ones left out.
        query: The last value of each name.
    """

    path: tuple[str, ...]
    query: Mapping[str, str]

    @classmethod
    def read(cls, target: str) -> "Asked":
        """Read the target of a request; whatever it is, it is some path."""
        path, _, query = target.partition("?")
        segments = tuple(unquote(segment) for segment in path.split("/") if segment)
        return cls(segments, read_query(query))


def read_query(query: str) -> dict[str, str]:
    """Return the fields of a query; one with too many has none."""
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_QUERY_FIELDS))
    except ValueError:
        return {}


@dataclass(frozen=True, slots=True)
class Matched(Generic[H]):
    """What answers, and what the variable segments are."""

    handler: H
    variables: tuple[str, ...]


class Router(Generic[H]):
    """Routes by method and pattern, the first that fits.

    Args:
        routes: Method, pattern and what answers: "maps/{}/load", with {} for a segment that varies. Letters of fixed
            segments may be of either case.
    """

    def __init__(self, routes: Iterable[tuple[str, str, H]]) -> None:
        self._routes = [(method, tuple(pattern.split("/")), handler) for method, pattern, handler in routes]

    def find(self, method: str, path: tuple[str, ...]) -> Matched[H] | None:
        """Return what answers; None when nothing does."""
        for known, pattern, handler in self._routes:
            if known == method and _fits(pattern, path):
                return Matched(handler, tuple(part for part, own in zip(path, pattern, strict=True) if own == "{}"))
        return None

    def methods(self, path: tuple[str, ...]) -> list[str]:
        """Return the methods that a path has; none when there is no such path."""
        return sorted({method for method, pattern, _ in self._routes if _fits(pattern, path)})


def _fits(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(pattern) == len(path) and all(
        own in {"{}", part} or own.casefold() == part.casefold() for own, part in zip(pattern, path, strict=True)
    )
