"""YAML 1.2 as plain data, with the line and column of every key and value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from impairlab.drivers.model.errors import FileError

KeyPath = tuple[str | int, ...]
Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {"str", "timestamp"}  # a date is no type of YAML 1.2's core schema
_LEGAL_TAGS = "plain text, numbers, true, false, null, lists and mappings"
_MOST_NODES = 100_000


@dataclass(frozen=True)
class Place:
    """Where something stands in a file; both count from 1, as editors do."""

    line: int
    column: int


@dataclass(frozen=True)
class Located:
    """A file as plain data that knows where everything stands.

    Attributes:
        name: The file's name as it shall appear in messages.
        text: The file as it was read.
        data: Plain data: dict, list, str, int, float, bool, None.
        keys: Where the key (or list item) at a key path begins.
        values: Where the value at a key path begins.
    """

    name: str
    text: str
    data: Plain
    keys: Mapping[KeyPath, Place]
    values: Mapping[KeyPath, Place]

    def at(self, path: KeyPath) -> Plain:
        """Return the value at a key path that is known to exist."""
        node = self.data
        for step in path:
            node = node[step]  # type: ignore[index]  # the caller knows its path
        return node

    def fault(self, path: KeyPath, problem: str, legal: str, *, at_key: bool = False) -> Fault:
        """Return a fault at a key path, or at its nearest ancestor that stands in the file."""
        places = self.keys if at_key else self.values
        known = path
        while known not in places and known:
            known = known[:-1]
        return Fault(self.name, places.get(known, Place(1, 1)), show_path(path), problem, legal)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a file: where, what, and what would be legal."""

    file: str
    place: Place
    key_path: str
    problem: str
    legal: str

    def __str__(self) -> str:
        """Return "file:line:column key.path: problem; legal: ..."."""
        key_path = f" {self.key_path}" if self.key_path else ""
        legal = f"; legal: {self.legal}" if self.legal else ""
        return f"{self.file}:{self.place.line}:{self.place.column}{key_path}: {self.problem}{legal}"


def show_path(path: KeyPath) -> str:
    """Return e.g. "phases[1].leo.wan.both.loss"."""
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return shown.removeprefix(".")


def refuse(faults: list[Fault]) -> FileError:
    """Return the error that lists the faults in the order of the file, each once."""
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.place.line, fault.place.column))
    return FileError([str(fault) for fault in ordered])


def read_yaml(path: Path) -> Located:
    """Read a file.

    Raises:
        FileError: it cannot be read or is not YAML 1.2 of plain data, or a key comes twice; every fault is listed,
            except that a syntax error hides what comes after it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError([f"{path}: cannot be read: {error.strerror}; legal: a readable file"]) from error
    except UnicodeDecodeError as error:
        raise FileError([f"{path}: byte {error.start} is not UTF-8; legal: UTF-8 text"]) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> Located:
    """Read text; see `read_yaml`."""
    reader = YAML(typ="rt", pure=True)
    reader.version = (1, 2)
    try:
        root: Node | None = reader.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark is not None else Place(1, 1)
        problem = str(error.problem or error.context).replace("\n", " ")
        raise refuse([Fault(name, place, "", problem, "YAML 1.2")]) from error
    except (YAMLError, RecursionError) as error:
        raise refuse([Fault(name, Place(1, 1), "", str(error).partition("\n")[0], "YAML 1.2")]) from error
    builder = _Builder(name)
    data = None if root is None else builder.build(root, (), ())
    if builder.faults:
        raise refuse(builder.faults)
    return Located(name, text, data, builder.keys, builder.values)


class _Builder:
    """Turns the node graph into plain data and notes every place on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.keys: dict[KeyPath, Place] = {}
        self.values: dict[KeyPath, Place] = {}
        self.nodes = 0

    def build(self, node: Node, path: KeyPath, above: tuple[int, ...]) -> Plain:
        self.values[path] = _place(node)
        self.nodes += 1
        if id(node) in above or self.nodes > _MOST_NODES:
            if self.nodes <= _MOST_NODES + 1:
                self._fault(node, path, "an alias that contains itself, or too many aliases", "a finite file")
            return None
        above = (*above, id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path, above)
        if isinstance(node, SequenceNode):
            return self._sequence(node, path, above)
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: KeyPath, above: tuple[int, ...]) -> Plain:
        self._expect_tag(node, path, "map")
        built: dict[str, Plain] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or key.tag == f"{_TAG}merge":
                self._fault(key, path, "a key that is not plain text", "one word, or a line of text")
                continue
            name = str(key.value)
            inner = (*path, name)
            if name in built:
                first = self.keys[inner].line
                self._fault(key, inner, f"the key {name!r} comes twice (first on line {first})", "each key once")
                continue
            self.keys[inner] = _place(key)
            built[name] = self.build(value, inner, above)
        return built

    def _sequence(self, node: SequenceNode, path: KeyPath, above: tuple[int, ...]) -> Plain:
        self._expect_tag(node, path, "seq")
        built: list[Plain] = []
        for index, item in enumerate(node.value):
            self.keys[(*path, index)] = _place(item)
            built.append(self.build(item, (*path, index), above))
        return built

    def _scalar(self, node: Node, path: KeyPath) -> Plain:
        text = str(node.value)
        kind = str(node.tag).removeprefix(_TAG)
        if kind in _TEXT_TAGS:
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        try:
            if kind == "int":
                return int(text, 10 if text.lstrip("+-").isdigit() else 0)
            if kind == "float":
                return float(Decimal(text.replace(".inf", "inf").replace(".nan", "nan").replace(".NaN", "nan")))
        except (ValueError, ArithmeticError):
            self._fault(node, path, f"{text!r} is not a number", "a decimal number")
            return None
        self._expect_tag(node, path, "str")
        return None

    def _expect_tag(self, node: Node, path: KeyPath, kind: str) -> None:
        if node.tag != f"{_TAG}{kind}":
            self._fault(node, path, f"the tag {str(node.tag).replace(_TAG, '!!')} is not allowed", _LEGAL_TAGS)

    def _fault(self, node: Node, path: KeyPath, problem: str, legal: str) -> None:
        self.faults.append(Fault(self.name, _place(node), show_path(path), problem, legal))


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
