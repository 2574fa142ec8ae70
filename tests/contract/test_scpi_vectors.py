"""The language core against the SCPI conformance vectors, run in place; exceptions are in one table, with reasons.

For each kind one function says what the core makes of a vector and one what its source expects. A vector in
`EXCEPTIONS` must give what the table says instead, so an exception that has become needless fails.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from impairlab.sim_hardware.scpi import lexer
from impairlab.sim_hardware.scpi.errors import ERROR_TEXTS, ErrorEntry, ScpiError, event_bit
from impairlab.sim_hardware.scpi.expressions import channel_list, numeric_list
from impairlab.sim_hardware.scpi.header import HeaderPattern, short_form
from impairlab.sim_hardware.scpi.lexer import Datum, HeaderKind, Kind
from impairlab.sim_hardware.scpi.numbers import exact, show_nondecimal, show_real
from impairlab.sim_hardware.scpi.parameters import (
    INFINITE,
    Block,
    Boolean,
    Choice,
    Integer,
    Numeric,
    Omittable,
    Reader,
    Repeated,
    Text,
)
from impairlab.sim_hardware.scpi.responses import ByteOrder, Word, show, show_array
from impairlab.sim_hardware.scpi.syntax import parse_message, read_unit
from impairlab.sim_hardware.scpi.units import MULTIPLIERS, STANDARD_UNITS, Unit

Vector = Mapping[str, object]
Outcome = object

FOLDER = Path(os.environ.get("IMPAIRLAB_VECTORS", Path(__file__).parents[2].parent / "shared" / "vectors"))
VECTORS_FILE = FOLDER / "scpi.json"

OUT_OF_SCOPE = {
    "hislip_headers": "a transport's messages, checked in tests/unit/hislip/test_codec.py",
    "hislip_invalid_headers": "a transport's messages, checked in tests/unit/hislip/test_codec.py",
    "hislip_locks": "the locks of the transports, checked in tests/unit/scpi/test_lock.py",
}
COUNTED_BUT_ABSENT = {"sessions"}
"""Kinds that the file's own count names and the file does not contain."""


@dataclass(frozen=True)
class Excepted:
    """Vectors of `kind` that have all of `having`: the core does `instead`, for a reason."""

    kind: str
    having: Mapping[str, object]
    instead: Outcome
    reason: str

    def covers(self, kind: str, vector: Vector) -> bool:
        return kind == self.kind and all(vector.get(name) == value for name, value in self.having.items())


def refused(code: int) -> Outcome:
    return {"ok": False, "error": code}


PREFIX_SOURCE = "j123b567/scpi-parser@8866159 libscpi/test/test_scpi_utils.c"

ROUNDED = "marked `deviates`: a decimal number for an integer setting is rounded (IEEE 488.2 7.7.2.4.2), not cut off"
READ_WHOLE = "the source's integer reader stops at the point; here a number is read whole and its parameter rounds it"
SHORT_BLOCK = "a block that is too short is -161 (SCPI-1999 21.8.9), not -151, which is for strings"
CAPITAL_E = "the source prints with C's %g; NR3 response data has a capital E (IEEE 488.2 8.7.4)"
UNKNOWN_WORD = (
    "the two sources differ where a word is legal but this one is unknown: -104 here, -224 for `minc`; "
    "-224 is taken, because the data type is right and the value is not"
)

EXCEPTIONS = (
    *(
        Excepted("parameters", {"type": kind, "input": "10.5"}, {"ok": True, "error": 0, "value": 11}, ROUNDED)
        for kind in ("int32", "uint32", "int64", "uint64")
    ),
    *(
        Excepted("number_prefix", {"input": "1.4", "source": f"{PREFIX_SOURCE}:{line}"}, (3, 1.4), READ_WHOLE)
        for line in (346, 371)
    ),
    Excepted("parameters", {"type": "characters", "input": "#210ABCD"}, refused(-161), SHORT_BLOCK),
    Excepted("parameters", {"type": "real", "input": "INVALID"}, refused(-224), UNKNOWN_WORD),
    *(
        Excepted("responses", {"type": kind, "response": text}, text.upper(), CAPITAL_E)
        for kind, text in (
            ("Float", "2.14748e+09"),
            ("Float", "-2.14748e+09"),
            ("Float", "9.22337e+18"),
            ("Float", "-9.22337e+18"),
            ("Float", "1.256e-17"),
            ("Float", "-1.256e-17"),
            ("Double", "9.2233720368547e+18"),
            ("Double", "-9.2233720368547e+18"),
            ("Double", "1.256e-17"),
            ("Double", "-1.256e-17"),
        )
    ),
    Excepted(
        "array_responses",
        {"response": "76543217654321,1.23456789123457e+15"},
        "76543217654321,1.23456789123457E+15",
        CAPITAL_E,
    ),
)

UNIT_NAMES = {"AMPER": "AMPERE", "TORT": "TORR"}
"""What the source misspells."""


def unit_named(name: str) -> Unit:
    return next(unit for unit in STANDARD_UNITS if unit.name == UNIT_NAMES.get(name, name))


def pattern_of(text: str) -> HeaderPattern:
    """Write the source's anonymous `#` as named numeric suffixes."""
    pieces = text.split("#")
    named = "".join(f"{piece}<n{index}>" for index, piece in enumerate(pieces[:-1]))
    return HeaderPattern(named + pieces[-1])


def see_match(vector: Vector) -> Outcome:
    found = pattern_of(vector["pattern"]).match(vector["input"])
    if "suffixes" in vector:
        return None if found is None else list(found.values())
    return found is not None


def want_match(vector: Vector) -> Outcome:
    return vector["suffixes"] if "suffixes" in vector else vector["match"]


def see_path(vector: Vector) -> Outcome:
    return parse_message(short_form(vector["message"]))[-1].header.removeprefix(":")


def see_prefix(vector: Vector) -> Outcome:
    mark = {16: "#H", 8: "#Q"}.get(vector["base"], "")
    text = mark + vector["input"]
    read = lexer.nondecimal if mark else lexer.decimal
    try:
        found = read(text, lexer.white_space(text))
    except ScpiError:
        return 0, 0
    return found.end - len(mark), float(exact(found))


TOKEN_NAMES = {
    Kind.CHARACTER: "PROGRAM_MNEMONIC",
    Kind.DECIMAL: "DECIMAL_NUMERIC_PROGRAM_DATA",
    Kind.HEXADECIMAL: "HEXNUM",
    Kind.OCTAL: "OCTNUM",
    Kind.BINARY: "BINNUM",
    Kind.BLOCK: "ARBITRARY_BLOCK_PROGRAM_DATA",
    Kind.EXPRESSION: "PROGRAM_EXPRESSION",
}
HEADER_NAMES = {
    HeaderKind.COMMON: "COMMON_PROGRAM_HEADER",
    HeaderKind.COMPOUND: "COMPOUND_PROGRAM_HEADER",
    HeaderKind.INCOMPLETE_COMMON: "INCOMPLETE_COMMON_PROGRAM_HEADER",
    HeaderKind.INCOMPLETE_COMPOUND: "INCOMPLETE_COMPOUND_PROGRAM_HEADER",
}
PRODUCTIONS: Mapping[str, Callable[[str, int], Datum]] = {
    "NondecimalNumericData": lexer.nondecimal,
    "CharacterProgramData": lexer.character,
    "DecimalNumericProgramData": lexer.decimal,
    "ArbitraryBlockProgramData": lexer.block,
    "ArbitraryBlock": lexer.block,
    "ProgramExpression": lexer.expression,
    "StringProgramData": lexer.string,
    "ProgramData": lexer.datum,
    "NumericData": lexer.number,
}


def header_name(token: lexer.HeaderToken) -> str:
    name = HEADER_NAMES[token.kind]
    return name.replace("_PROGRAM", "_QUERY_PROGRAM") if token.lexeme.endswith("?") else name


def datum_name(datum: Datum) -> str:
    if datum.kind is Kind.STRING:
        return f"{'SINGLE' if datum.lexeme[0] == chr(39) else 'DOUBLE'}_QUOTE_PROGRAM_DATA"
    return TOKEN_NAMES[datum.kind] + ("_WITH_SUFFIX" if datum.suffix else "")


def see_token(vector: Vector) -> Outcome:
    try:
        return see_matching_token(vector["production"], vector["input"], whole="error" in vector)
    except ScpiError as error:
        return {"type": None, "lexeme": None, "n_parameters": -1, "error": error.code}


def see_matching_token(production: str, text: str, *, whole: bool) -> Outcome:
    if production == "WhiteSpace":
        space = text[: lexer.white_space(text)]
        return {"type": "WS" if space else None, "lexeme": space or None}
    if production == "SuffixProgramData":
        return {"type": "SUFFIX_PROGRAM_DATA", "lexeme": lexer.suffix(text)}
    if production == "ProgramHeader":
        token = lexer.header(text)
        return {"type": header_name(token), "lexeme": token.lexeme}
    if production == "Message":
        (unit,) = parse_message(text)
        return {"type": None, "error": unit.code} if isinstance(unit, ErrorEntry) else {"type": "Message"}
    if production == "AllProgramData" or (whole and production == "CharacterProgramData"):
        data, end = lexer.data(text)
        return {"type": "ALL_PROGRAM_DATA", "lexeme": text[:end], "n_parameters": len(data)}
    begin = lexer.white_space(text)
    datum = PRODUCTIONS[production](text, begin)
    if production == "NumericData":
        kind = "DECIMAL_WITH_SUFFIX" if datum.suffix else "DECIMAL"
        return {"type": kind, "lexeme": [datum.lexeme, datum.suffix] if datum.suffix else datum.lexeme}
    kind = "ARBITRARY_BLOCK" if production == "ArbitraryBlock" else datum_name(datum)
    return {"type": kind, "lexeme": text[begin : datum.end] if datum.suffix else datum.lexeme}


def see_unit(vector: Vector) -> Outcome:
    text = vector["input"]
    begin = lexer.white_space(text)
    try:
        token = lexer.header(text, begin)
    except ScpiError:
        return {"header": text[begin], "header_type": "INVALID", "n_parameters": 0, "terminator": "NONE"}
    seen = {"header": token.lexeme, "header_type": header_name(token)}
    try:
        unit = read_unit(text)
    except ScpiError:
        return {**seen, "n_parameters": -1, "terminator": terminator(text[-1:])}
    return {**seen, "n_parameters": len(unit.data), "terminator": terminator(text[unit.end : unit.end + 1])}


def terminator(char: str) -> str:
    return {"\n": "NL", ";": "SEMICOLON"}.get(char, "NONE")


WIDTHS = {"8": 8, "16": 16, "32": 32, "64": 64}
LEAST = Decimal("-1E30")
MOST = Decimal("1E30")


def bounded_integer(kind: str) -> Integer:
    bits = WIDTHS[kind[1:]]
    if kind.startswith("u"):
        return Integer(minimum=0, maximum=2**bits - 1)
    return Integer(minimum=-(2 ** (bits - 1)), maximum=2 ** (bits - 1) - 1)


class AnyElement(Reader[str]):
    """The content of any element as text: what scpi-parser's SCPI_ParamCharacters reads, and no type of SCPI's."""

    def take(self, data: deque[Datum]) -> str:
        element = data.popleft()
        return Text().convert(element) if element.kind is Kind.STRING else element.lexeme


def reader_of(vector: Vector) -> Reader[object]:
    kind = vector["type"]
    if kind == "characters" and vector["source"].startswith("j123b567/scpi-parser"):
        return AnyElement()
    if kind.startswith("array_"):
        whole = kind.removeprefix("array_").startswith(("int", "uint"))
        return Repeated(Numeric(step=1) if whole else Numeric(), at_most=vector["max_elements"])
    if kind in {"int32", "uint32", "int64", "uint64"}:
        return Numeric(step=1)  # these take no word, so they have no limits to name
    if kind[1:] in WIDTHS:
        return bounded_integer(kind)
    if kind == "numeric_value":
        unit = unit_named(vector["unit"]) if vector.get("unit", "NONE") != "NONE" else unit_named("VOLT")
        return Numeric(unit, minimum=LEAST, maximum=MOST, also={"INFinity": INFINITE["INFinity"]})
    if kind == "choice":
        return Choice(*vector["choices"])
    return {
        "float": Numeric(),
        "double": Numeric(),
        "real": Numeric(also=INFINITE),
        "characters": Choice("ABCD", "CHRDATA"),
        "text": Text(),
        "string": Text(),
        "block": Block(),
        "boolean": Boolean(),
    }[kind]


def see_parameter(vector: Vector) -> Outcome:
    text = vector["input"]
    reader = reader_of(vector)
    if not vector.get("required", True):
        reader = Omittable(reader, None)
    try:
        data = lexer.data(text)[0] if text else ()
        value = reader.take(deque(data))
    except ScpiError as error:
        return refused(error.code)
    if value is None:
        return refused(0)
    seen = {"ok": True, "error": 0, "value": as_source_writes(value, vector)}
    if vector["type"] == "numeric_value":
        seen["base"] = {Kind.HEXADECIMAL: 16, Kind.OCTAL: 8, Kind.BINARY: 2}.get(data[0].kind, 10)
        seen["special"] = {LEAST: "MIN", INFINITE["INFinity"]: "INF"}.get(value)
    return seen


def as_source_writes(value: object, vector: Vector) -> object:
    kind = vector["type"]
    if kind == "choice":
        return next(number for spelling, number in vector["choices"].items() if spelling.lower() == value)
    if kind == "characters":
        return value.upper()
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, Decimal) and not value.is_finite():
        return {"Infinity": "inf", "-Infinity": "-inf", "NaN": "nan"}[str(value)]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return list(value) if isinstance(value, tuple) else value


def see_expression(vector: Vector) -> Outcome:
    reader = channel_list if vector["kind"] == "channel_list" else numeric_list
    data, _ = lexer.data(vector["input"])
    if "index" not in vector:
        return see_whole_list(list(reader(data[0])), vector)
    try:
        entries = list(islice(reader(data[0]), vector["index"] + 1))
    except ScpiError as error:
        return {"status": "ERROR", "error": error.code}
    if len(entries) <= vector["index"]:
        return {"status": "NO_MORE", "error": 0}
    entry = entries[-1]
    seen = {"status": "OK", "error": 0, "range": entry.stop is not None, "start": entry.start, "stop": entry.stop}
    if vector["kind"] == "channel_list":
        kept = vector["max_dims"]
        seen["dims"] = len(entry.start)
        seen["start"] = list(entry.start[:kept])
        seen["stop"] = list(entry.stop[:kept]) if entry.stop else None
    return seen


def see_whole_list(entries: list[object], vector: Vector) -> Outcome:
    seen = {"status": "OK", "error": 0}
    if "expanded" in vector:
        return {**seen, "expanded": [number for entry in entries for (number,) in entry.channels()]}
    return {**seen, "entries": [[each.start, each.stop] if each.stop else each.start for each in entries]}


def narrowed(value: object, kind: str) -> object:
    """Return the number as the C source passes it: converted to its parameter's type before the library sees it."""
    if "Int" not in kind:
        return value
    bits = int(kind.removeprefix("U").removeprefix("Int"))
    wrapped = value % 2**bits
    return wrapped - 2**bits if kind.startswith("Int") and wrapped >= 2 ** (bits - 1) else wrapped


DIGITS = {"Float": 6, "Double": 15}


def see_response(vector: Vector) -> Outcome:
    kind, value = vector["type"], narrowed(vector["value"], vector["type"])
    if "base" in vector:
        return show_nondecimal(value, vector["base"])
    if kind in DIGITS:
        return show_real(float(value), DIGITS[kind])
    as_python = {"Bool": bool, "Mnemonic": Word, "ArbitraryBlock": lambda text: text.encode("latin-1")}
    return show(as_python.get(kind, type(value))(value))


STRUCT_LETTERS = {"8": "b", "16": "h", "32": "i", "64": "q"}


def see_array(vector: Vector) -> Outcome:
    element = vector["element"]
    values = [narrowed(value, element) for value in vector["values"]]
    if vector["format"] == "ASCII":
        return ",".join(show_real(value, DIGITS[element]) if element in DIGITS else show(value) for value in values)
    letter = {"Float": "f", "Double": "d"}.get(element) or STRUCT_LETTERS[element.removeprefix("U").removeprefix("Int")]
    order = ByteOrder[vector["format"]]
    return show_array(values, letter.upper() if element.startswith("U") else letter, order).encode("latin-1").hex()


def want_array(vector: Vector) -> Outcome:
    return vector["response"] if "response" in vector else vector["response_hex"]


def see_factor(vector: Vector) -> Outcome:
    factor = unit_named(vector["unit"]).factor(vector["suffix"])
    return None if factor is None else float(factor)


ERROR_CLASSES = {
    0: "none",
    1: "operation complete",
    2: "request control",
    4: "query",
    8: "device",
    16: "execution",
    32: "command",
    64: "user request",
    128: "power on",
}


def see_error(vector: Vector) -> Outcome:
    bit = event_bit(vector["code"])
    return ERROR_TEXTS.get(vector["code"]), ERROR_CLASSES[bit], bit


def want_error(vector: Vector) -> Outcome:
    return vector["text"], vector["error_class"], vector["esr_bit"]


def see_special(vector: Vector) -> Outcome:
    """Return what both forms of the word make of a number that stands at 5."""
    number = Numeric(minimum=0, maximum=9, default=3, step=1, also=INFINITE)
    forms = {vector["name"], vector["name"].upper(), short_form(vector["name"]).lower()}
    values = {number.convert_from(lexer.datum(form), lambda: Decimal(5)) for form in forms}
    return SPECIAL_MEANINGS[number.show(values.pop())] if len(values) == 1 else values


SPECIAL_MEANINGS = {
    "0": "min",
    "9": "max",
    "3": "default",
    "6": "step up",
    "4": "step down",
    "9.91E+37": "9.91E37 in responses",
    "9.9E+37": "9.9E37 in responses",
    "-9.9E+37": "-9.9E37 in responses",
}


def see_multiplier(vector: Vector) -> Outcome:
    if "mnemonic" in vector:
        return float(MULTIPLIERS[vector["mnemonic"]])
    name = {"MHZ": "HERTZ", "MOHM": "OHM"}[vector["special"]]
    return float(unit_named(name).factor(vector["special"]))


def fields(*names: str) -> Callable[[Vector], Outcome]:
    """Return what takes from a vector those fields that it has."""
    return lambda vector: {name: vector[name] for name in names if name in vector}


def agrees(seen: Outcome, wanted: Outcome) -> bool:
    """Say whether `seen` is `wanted`, or has each of its fields."""
    if isinstance(seen, dict) and isinstance(wanted, dict):
        return all(name in seen and seen[name] == value for name, value in wanted.items())
    return seen == wanted


CHECKS: Mapping[str, tuple[Callable[[Vector], Outcome], Callable[[Vector], Outcome]]] = {
    "mnemonic_match": (see_match, want_match),
    "header_match": (see_match, want_match),
    "compound_path": (see_path, lambda vector: vector["effective_header"].removeprefix(":")),
    "number_prefix": (see_prefix, lambda vector: (vector["consumed"], vector["value"])),
    "tokens": (see_token, fields("type", "lexeme", "n_parameters", "error")),
    "message_units": (see_unit, fields("header", "header_type", "n_parameters", "terminator")),
    "parameters": (see_parameter, fields("ok", "error", "value", "base", "special")),
    "expressions": (see_expression, fields("status", "error", "range", "start", "stop", "dims", "expanded", "entries")),
    "responses": (see_response, lambda vector: vector["response"]),
    "array_responses": (see_array, want_array),
    "units": (see_factor, lambda vector: vector["multiplier"]),
    "errors": (see_error, want_error),
    "special_numbers": (see_special, lambda vector: vector["meaning"]),
    "suffix_multipliers": (see_multiplier, lambda vector: vector["factor"]),
}


def load() -> dict[str, list[Vector]]:
    """Return the vectors by kind; empty where the file is not there."""
    if not VECTORS_FILE.is_file():
        return {}
    kinds = json.loads(VECTORS_FILE.read_text(encoding="utf-8"))
    return {kind: vectors for kind, vectors in kinds.items() if kind != "meta"}


VECTORS = load()
CASES = [
    pytest.param(kind, vector, id=f"{kind}-{index}")
    for kind, vectors in VECTORS.items()
    if kind in CHECKS
    for index, vector in enumerate(vectors)
]

needs_vectors = pytest.mark.skipif(
    not VECTORS, reason=f"{VECTORS_FILE} is not there; IMPAIRLAB_VECTORS names its folder"
)


@needs_vectors
@pytest.mark.parametrize(("kind", "vector"), CASES)
def test_vector(kind: str, vector: Vector) -> None:
    see, want = CHECKS[kind]
    excepted = [each for each in EXCEPTIONS if each.covers(kind, vector)]
    if excepted:
        (exception,) = excepted
        assert agrees(see(vector), exception.instead), exception.reason
        assert not agrees(see(vector), want(vector)), f"needless exception: {exception}"
    else:
        assert agrees(see(vector), want(vector)), (see(vector), want(vector))


@needs_vectors
def test_every_deviation_is_an_exception() -> None:
    for kind, vector in ((kind, vector) for kind, vectors in VECTORS.items() for vector in vectors):
        if "deviates" in vector:
            assert any(each.covers(kind, vector) for each in EXCEPTIONS), vector


@needs_vectors
@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda each: f"{each.kind}-{list(each.having.values())[-1]}")
def test_exception_covers_one_vector(exception: Excepted) -> None:
    covered = [vector for vector in VECTORS[exception.kind] if exception.covers(exception.kind, vector)]
    assert len(covered) == 1


@needs_vectors
def test_every_kind_is_checked_or_out_of_scope() -> None:
    counted = json.loads(VECTORS_FILE.read_text(encoding="utf-8"))["meta"]["count"]
    assert set(VECTORS) == set(CHECKS) | set(OUT_OF_SCOPE)
    assert set(counted) - set(VECTORS) == COUNTED_BUT_ABSENT
    assert {kind: len(vectors) for kind, vectors in VECTORS.items()} == {
        kind: count for kind, count in counted.items() if kind in VECTORS
    }
