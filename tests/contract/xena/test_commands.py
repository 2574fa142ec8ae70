"""The driver's command table against an independent one: the vendor's own definitions, as PyPI has them.

tdl-xoa-driver speaks the binary protocol; its definitions of the same commands are looked into, not copied. Every
deviation is listed here with its reason, and the list must hold no more than there is.
"""

import ast
import inspect
import re
import sys
from functools import cache

import pytest
from xoa_driver import enums
from xoa_driver.internals import commands as definitions

from impairlab.drivers.xena.commands import COMMANDS, Argument, Command

PPM_OF_ONE = "the definition says ppm and no range; there are a million of them in one"
OF_PEC_VAL = "the range stands in the text of PEC_VAL"
NO_NUMBER_OF_SEGMENTS = {"_connection", "_module", "_port"}

DEVIATIONS = {
    "PED_FIXED probability": PPM_OF_ONE,
    "PED_RANDOM probability": PPM_OF_ONE,
    "PED_RANDOMBURST probability": PPM_OF_ONE,
    "PED_GE good_state_prob": PPM_OF_ONE,
    "PED_GE good_state_trans_prob": PPM_OF_ONE,
    "PED_GE bad_state_prob": PPM_OF_ONE,
    "PED_GE bad_state_trans_prob": PPM_OF_ONE,
    "PED_CUST cust_id": OF_PEC_VAL,
    "PEC_VAL entry_count": "the definition names the two values, 512 and 1024",
    "PP_LINKFLAP_PARAMS repetition": "'1 - 64K; 0 = continuous' in the definition",
}

RANGE = re.compile(r"range(?: is|:)? *(-?\d+) *(?:to|-) *(-?\d+)", re.IGNORECASE)
MILLISECONDS = re.compile(r"(\d+) ms - (\d+) ms")
FORMS = {
    "int": "number",
    "str": "text",
    "Hex": "hex",
    "ipaddress.IPv4Address": "ipv4",
    "ipaddress.IPv6Address": "ipv6",
    "typing.List[int]": "numbers",
}

each_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


def _arguments(command: Command) -> dict[str, tuple[tuple[Argument, ...] | None, type | None]]:
    definition = getattr(definitions, command.name)
    return {
        "SetDataAttr": (command.sets, getattr(definition, "SetDataAttr", None)),
        "GetDataAttr": (command.gets, getattr(definition, "GetDataAttr", None)),
    }


@cache
def _documents(module: str) -> dict[str, dict[str, str]]:
    """What stands below each field of each structure of a module."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    texts: dict[str, dict[str, str]] = {}
    for command in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for struct in (node for node in command.body if isinstance(node, ast.ClassDef)):
            fields = texts.setdefault(f"{command.name}.{struct.name}", {})
            for node in struct.body:
                if isinstance(node, ast.AnnAssign):
                    name = node.target.id
                    fields[name] = ""
                elif isinstance(node, ast.Expr) and fields:
                    fields[name] = " ".join(node.value.value.split())
    return texts


def _documented(struct: type) -> dict[str, str]:
    return _documents(struct.__module__)[struct.__qualname__]


def _range(text: str) -> tuple[int | None, int | None]:
    found = RANGE.search(text) or MILLISECONDS.search(text)
    return (int(found[1]), int(found[2])) if found else (None, None)


@each_command
def test_it_is_defined_and_has_as_many_indices(command: Command) -> None:
    definition = getattr(definitions, command.name)
    names = set(definition.__annotations__)
    indices = [name for name in names if name.startswith("_")]
    assert len(command.indices) == len(set(indices) - NO_NUMBER_OF_SEGMENTS)
    assert ("_module" in names, "_port" in names) == {
        "chassis": (False, False),
        "module": (True, False),
        "port": (True, True),
    }[command.place]


@each_command
def test_it_has_the_same_arguments_in_the_same_order(command: Command) -> None:
    for arguments, struct in _arguments(command).values():
        if arguments is None:
            continue  # the driver has no use for this direction
        assert struct is not None
        assert [argument.name for argument in arguments] == list(struct.__annotations__)


@each_command
def test_each_argument_is_written_as_its_type_and_words_are_the_names_of_its_codes(command: Command) -> None:
    for arguments, struct in _arguments(command).values():
        for argument in arguments or ():
            annotation = struct.__annotations__[argument.name]
            if argument.form == "word":
                codes = sorted(getattr(enums, annotation), key=int)
                assert argument.words == tuple(code.name for code in codes)
                assert [int(code) for code in codes] == list(range(len(codes)))
            else:
                assert argument.form == FORMS[annotation]


def test_ranges_are_the_documented_ones_but_for_those_that_are_explained() -> None:
    deviating = {
        f"{command.name} {argument.name}"
        for command in COMMANDS.values()
        for arguments, struct in _arguments(command).values()
        for argument in arguments or ()
        if (argument.low, argument.high) != _range(_documented(struct)[argument.name])
    }
    assert deviating == set(DEVIATIONS), "explained in DEVIATIONS, and no more"


def test_the_ranges_of_the_definitions_are_found_at_all() -> None:
    """A regular expression that finds none would agree with everything that has none."""
    assert _range(_documented(definitions.PED_SCHEDULE.SetDataAttr)["duration"]) == (1, 65_535)
    assert _range(_documented(definitions.PED_BER.SetDataAttr)["exp"]) == (-18, -1)
    assert _range(_documented(definitions.PP_LINKFLAP_PARAMS.SetDataAttr)["period"]) == (10, 50_000)
