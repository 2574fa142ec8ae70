"""Faults with a place: a part of a file made into a frozen value, or every reason why not, each where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from impairlab.controller.plan.yaml import Fault, KeyPath, Located, Plain, refuse

Value = TypeVar("Value", bound=BaseModel)
Schema = Mapping[str, Any]  # a JSON schema: its shape is its own

_WRITTEN_AS = {"spread": "jitter"}  # a field, and the shorthand under which a file may give it
_HIDDEN = {"kind"}  # fixed by the key under which the value stands


class Reading:
    """A file being read: parts are asked for, faults gather, and `finish` raises them all at once."""

    def __init__(self, source: Located) -> None:
        self.source = source
        self.faults: list[Fault] = []

    def fault(self, path: KeyPath, problem: str, legal: str, *, at_key: bool = False) -> None:
        """Note a fault."""
        self.faults.append(self.source.fault(path, problem, legal, at_key=at_key))

    def unknown(self, path: KeyPath, what: str, known: Iterable[str]) -> None:
        """Note that the key at the end of `path` is not one of the known ones, with the closest of them."""
        names = sorted(known)
        self.fault(path, unknown_word(what, str(path[-1]), names), ", ".join(names) or "nothing here", at_key=True)

    def unknown_value(self, path: KeyPath, what: str, word: str, known: Iterable[str]) -> None:
        """Note that a value names nothing known."""
        names = sorted(known)
        self.fault(path, unknown_word(what, word, names), ", ".join(names) or "nothing")

    def mapping(self, path: KeyPath, legal: str) -> dict[str, Plain]:
        """Return the mapping at a path; empty, with a fault, when it is something else."""
        value = self.source.at(path)
        if isinstance(value, dict):
            return value
        self.fault(path, f"{_show(value)} is not a mapping", legal)
        return {}

    def value(self, path: KeyPath, model: type[Value]) -> Value | None:
        """Return the part at a path as a value of the model; None, with all its faults, when it is not one."""
        try:
            return model.model_validate(self.source.at(path), context={"units": "required"})
        except ValidationError as error:
            schema = model.model_json_schema(by_alias=True)
            for detail in error.errors(include_url=False):
                self._translate(path, detail, schema)
            return None

    def finish(self) -> None:
        """Do nothing when all is well.

        Raises:
            FileError: with every fault in the order of the file.
        """
        if self.faults:
            raise refuse(self.faults)

    def _translate(self, base: KeyPath, detail: ErrorDetails, schema: Schema) -> None:
        location = detail["loc"]
        path, absent = _key_path(self.source.at(base), location, schema)
        path = base + path
        if detail["type"] == "extra_forbidden":
            self.unknown(path, "key", _sibling_keys(schema, location))
        elif detail["type"] == "missing":
            self.fault((*path, *absent), "missing", _describe(_descend(schema, location)))
        else:
            tag_key = str(detail.get("ctx", {}).get("discriminator", "")).strip("'")
            if detail["type"] == "union_tag_invalid" and _has(self.source.at(path), tag_key):
                path = (*path, tag_key)
            problem, legal = _explain(detail, _descend(schema, location), self.source.at(path))
            self.fault(path, problem, legal)


def unknown_word(what: str, word: str, known: Sequence[str]) -> str:
    """Return "unknown key 'dealy', did you mean 'delay'?"."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"unknown {what} {word!r}" + (f", did you mean {near[0]!r}?" if near else "")


def _key_path(data: Plain, location: Sequence[str | int], schema: Schema) -> tuple[KeyPath, KeyPath]:
    """Return what of pydantic's location stands in the data, and the rest of it, which a shorthand left out.

    Pydantic puts the tag of a union's branch into the location: that is no key of the file.
    """
    path: list[str | int] = []
    for index, step in enumerate(location):
        if step in _branches(_descend(schema, location[:index])):
            continue
        key = _WRITTEN_AS[str(step)] if _is_written_otherwise(data, step) else step
        if not _has(data, key):
            return tuple(path), tuple(location[index:])
        path.append(key)
        data = _child(data, key)
    return tuple(path), ()


def _is_written_otherwise(data: Plain, step: str | int) -> bool:
    return step in _WRITTEN_AS and not _has(data, step) and _has(data, _WRITTEN_AS[str(step)])


def _has(data: Plain, step: str | int) -> bool:
    if isinstance(data, dict):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and step < len(data)


def _child(data: Plain, step: str | int) -> Plain:
    if isinstance(data, dict) and isinstance(step, str):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None


def _descend(schema: Schema, location: Sequence[str | int]) -> Schema:
    """Return the part of a JSON schema that pydantic's location is about; {} where it cannot be told."""
    definitions = schema.get("$defs", {})
    here = _resolve(schema, definitions)
    for step in location:
        if isinstance(step, int):
            here = _resolve(here.get("items", {}), definitions)
        elif step in here.get("properties", {}):
            here = _resolve(here["properties"][step], definitions)
        elif step in _branches(here):
            here = _resolve({"$ref": _branches(here)[step]}, definitions)
        else:
            inner = here.get("additionalProperties", {})
            here = _resolve(inner if isinstance(inner, dict) else {}, definitions)
    return here


def _branches(schema: Schema) -> Mapping[str | int, str]:
    """The branches of a union by tag; {} of anything else."""
    branches: Mapping[str | int, str] = schema.get("discriminator", {}).get("mapping", {})
    return branches


def _resolve(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Follow a reference, and an "or null"."""
    branches = [branch for branch in schema.get("anyOf", ()) if branch.get("type") != "null"]
    if len(branches) == 1:
        return _resolve(branches[0], definitions)
    if "$ref" in schema:
        return _resolve(definitions.get(str(schema["$ref"]).rpartition("/")[2], {}), definitions)
    return schema


def _sibling_keys(schema: Schema, location: Sequence[str | int]) -> list[str]:
    """Return the legal keys beside the one at the end of a location; of a union, those of every branch."""
    union = _branches(_descend(schema, location[:-2]))
    beside = (
        [(*location[:-2], tag) for tag in union] if len(location) > 1 and location[-2] in union else [location[:-1]]
    )
    return sorted({key for place in beside for key in _legal_keys(_descend(schema, place))})


def _legal_keys(schema: Schema) -> list[str]:
    keys = set(schema.get("properties", ())) - _HIDDEN
    return sorted(keys | {short for field, short in _WRITTEN_AS.items() if field in keys})


def _describe(schema: Schema) -> str:
    """What a JSON schema allows, in words; "" where it says too little."""
    if "enum" in schema:
        return ", ".join(str(choice) for choice in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("examples"):
        return f"like {schema['examples'][0]!r}"
    keys = _legal_keys(schema)
    if keys:
        return "a mapping of " + ", ".join(keys)
    if _branches(schema):
        return f"{schema['discriminator']['propertyName']} one of " + ", ".join(map(str, _branches(schema)))
    return {"integer": "a whole number", "number": "a number", "string": "text", "array": "a list"}.get(
        str(schema.get("type", "")), ""
    )


def _explain(detail: ErrorDetails, schema: Schema, given: Plain) -> tuple[str, str]:
    """Return what is wrong and what is legal, from pydantic's words and the schema."""
    context = detail.get("ctx", {})
    message = detail["msg"]
    if detail["type"] in {"value_error", "assertion_error"}:
        problem, _, legal = str(context.get("error", message)).partition("; ")
        return problem, legal or ("" if "properties" in schema else _describe(schema))
    if detail["type"] in {"union_tag_invalid", "literal_error", "enum"}:
        choices = str(context.get("expected_tags") or context.get("expected")).replace("'", "")
        return f"{_show(given)} is not one of the choices", choices
    if detail["type"] == "union_tag_not_found":
        return f"{_show(given)} does not say which kind it is", _describe(schema)
    expected = message.removeprefix("Input should be ").removeprefix("a valid ")
    plain = {"string": "text (put it in quotes)", "list": "a list", "tuple": "a list", "integer": "a whole number"}
    return f"{_show(given)} does not fit", "a mapping" if expected.startswith("dict") else plain.get(expected, expected)


def _show(value: Plain) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else repr(value)
