"""The command table of the simulated Chimera beside that of tdl-xoa-driver, which knows nothing of it.

Every impairment command that the vendor's client has must be there, with the same number, indices, parameters and
sizes, and with the ranges that its documentation names. What differs is listed here with its reason.
"""

import ast
import dataclasses
import inspect
import re
from enum import IntEnum
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from xoa_driver.internals.commands import (
    c_commands,
    m_commands,
    p_commands,
    pe_commands,
    pec_commands,
    ped_commands,
    pef_commands,
    pp_commands,
    pr_commands,
    pt_commands,
)

from impairlab.sim_hardware.chimera.commands import Command
from impairlab.sim_hardware.chimera.parameters import Coded, HexBytes, Integer, Many, Parameter, Text
from impairlab.sim_hardware.chimera.table import BY_CODE, COMMANDS, PUSHED

MODULES = {
    "C": c_commands,
    "M": m_commands,
    "P": p_commands,
    "PE": pe_commands,
    "PEC": pec_commands,
    "PED": ped_commands,
    "PEF": pef_commands,
    "PP": pp_commands,
    "PR": pr_commands,
    "PT": pt_commands,
}
WHOLE = ("PE", "PEC", "PED", "PEF")
"""Of these every command must be there; of the others some are."""

LISTS = {
    "P_CAPABILITIES": "228 integers of which the simulator names seven; a list says the same in a message",
    "C_CAPABILITIES": "18 integers; a list says the same in a message",
    "M_CAPABILITIES": "9 integers; a list says the same in a message",
}
RANGES = {
    ("PEC_INDICES", "indexations"): "no range is given; 0 to 40 is a house answer",
    ("PP_LINKFLAP_PARAMS", "repetition"): "1 - 64K; 0 = continuous: 0 to 65535",
    ("PP_PMAERRPUL_PARAMS", "repetition"): "1 - 64K; 0 = continuous: 0 to 65535",
    ("PP_PMAERRPUL_PARAMS", "coeff"): "0.01 < coeff < 9.99, times 100 and without the ends: 2 to 998",
    ("PP_PMAERRPUL_PARAMS", "exp"): "-3 < exp < -17 can only mean the reverse: -16 to -4",
}
"""Parameters whose documented range is not of the form that this test reads, or names none."""

PACKETS_OR_TIME = {"PED_UNI", "PED_GAUSS", "PED_POISSON", "PED_GAMMA"}
"""Their range depends on the impairment: for packets it is checked when the command acts; see test_chimera_ranges."""

_SPAN = re.compile(r"[Rr]ange:?\s*(?:is\s*)?\(?(-?\d+)\s*(?:-|to)\s*(-?\d+)|(\d+) ms - (\d+) ?m ?s")


def vendors(name: str) -> Any:
    return getattr(MODULES[name.split("_", maxsplit=1)[0]], name)


def vendor_commands(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and hasattr(value, "code") and value.__module__ == module.__name__
    ]


def structure(vendor: Any, which: str) -> dict[str, Any] | None:
    """Return the fields of what is got or set, in order, with their types; None where that cannot be done."""
    found = getattr(vendor, which, None)
    return None if found is None else {cell.name: cell.spec.xmp_type for cell in found._order}


@cache
def tree_of(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def documented(vendor: Any, which: str) -> dict[str, str]:
    """Return what the text behind each field says."""
    tree = tree_of(MODULES[vendor.__name__.split("_")[0]])
    outer = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == vendor.__name__)
    inner = next((node for node in outer.body if isinstance(node, ast.ClassDef) and node.name == which), None)
    texts = {}
    for field, text in zip(inner.body, inner.body[1:], strict=False) if inner else ():
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            texts[ast.unparse(field.target)] = str(text.value.value)
    return texts


def size_of(parameter: Parameter) -> str:
    """Return the format of a parameter as Python's struct has it."""
    match parameter:
        case Integer(size=size) | Coded(size=size):
            return {1: "B", 4: "i", 8: "q"}[size]
        case HexBytes(size=size):
            return f"{size or ''}s"
        case Text():
            return "s"
        case Many(item=item):
            return size_of(item)
    raise TypeError(parameter)


def vendor_size(kind: Any) -> str:
    return f"{kind.repetitions or ''}{kind.data_format}"


@pytest.mark.parametrize("prefix", WHOLE)
def test_every_impairment_command_is_there(prefix: str) -> None:
    assert [name for name in vendor_commands(MODULES[prefix]) if name not in COMMANDS] == []


def test_numbers_are_unique() -> None:
    assert len(BY_CODE) == len(COMMANDS)


def test_the_commands_that_are_told_of_unasked() -> None:
    assert {name for name in COMMANDS if vendors(name).pushed} == PUSHED


@pytest.mark.parametrize("name", COMMANDS)
def test_number_and_indices(name: str) -> None:
    vendor, command = vendors(name), COMMANDS[name]
    assert command.code == vendor.code
    own = {"_connection", "_module", "_port"}
    indices = [field.name for field in dataclasses.fields(vendor) if field.name not in own]
    assert len(command.indices) == len(indices)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in LISTS])
def test_parameters_and_sizes(name: str) -> None:
    vendor, command = vendors(name), COMMANDS[name]
    for which, parameters in (("GetDataAttr", command.shown), ("SetDataAttr", command.taken)):
        fields = structure(vendor, which)
        if fields is None or (parameters is None and not is_ours_to_set(command, which)):
            assert parameters is None or which == "SetDataAttr", f"{name} {which}"
            continue
        assert parameters is not None, f"{name} {which}"
        sizes = [size_of(parameter) for parameter in parameters]
        assert sizes == [vendor_size(kind) for kind in fields.values()], f"{name} {which}"
        if name.split("_", maxsplit=1)[0] in WHOLE:
            assert [parameter.name for parameter in parameters] == list(fields), f"{name} {which}"


def is_ours_to_set(command: Command, which: str) -> bool:
    """Whether a setting has to be there: of chassis and module names it has not; see `house_answers.NAMES`."""
    return which == "GetDataAttr" or command.name.split("_")[0] not in {"C", "M"}


@pytest.mark.parametrize("name", [name for name in COMMANDS if COMMANDS[name].taken and name not in PACKETS_OR_TIME])
def test_documented_ranges(name: str) -> None:
    texts = documented(vendors(name), "SetDataAttr")
    for parameter in COMMANDS[name].taken or ():
        if isinstance(parameter, Integer) and (name, parameter.name) not in RANGES:
            span = _SPAN.search(texts.get(parameter.name, ""))
            if span is not None:
                low, high = (int(part) for part in span.groups() if part is not None)
                assert (parameter.low, parameter.high) == (low, high), f"{name} {parameter.name}"


def test_the_ranges_are_really_read() -> None:
    read = {
        (name, field)
        for name, command in COMMANDS.items()
        for field, text in documented(vendors(name), "SetDataAttr").items()
        if command.taken and _SPAN.search(text)
    }
    assert len(read) > 20
    assert {
        ("PED_BER", "exp"),
        ("PE_MISORDER", "depth"),
        ("PED_SCHEDULE", "period"),
        ("PE_BANDSHAPER", "cir"),
        ("PEF_TPLDCONFIG", "id"),
        ("PP_LINKFLAP_PARAMS", "period"),
        ("PED_FIXEDBURST", "burst_size"),
    } <= read


def test_words_and_their_numbers() -> None:
    differing = []
    for name, command in COMMANDS.items():
        for which, parameters in (("GetDataAttr", command.shown), ("SetDataAttr", command.taken)):
            words = vendor_words(name, which)
            for parameter in parameters or ():
                coded = parameter.item if isinstance(parameter, Many) else parameter
                if isinstance(coded, Coded) and words and coded.words != words[parameter.name]:
                    differing.append((name, which, parameter.name))
    assert differing == []


def vendor_words(name: str, which: str) -> dict[str, dict[str, int]]:
    """Return the words of each field that has some, with their numbers."""
    vendor, module = vendors(name), MODULES[name.split("_", maxsplit=1)[0]]
    outer = next(node for node in tree_of(module).body if isinstance(node, ast.ClassDef) and node.name == name)
    inner = next((node for node in outer.body if isinstance(node, ast.ClassDef) and node.name == which), None)
    assert (inner is None) == (not hasattr(vendor, which))
    words = {}
    for field in inner.body if inner else ():
        if isinstance(field, ast.AnnAssign):
            found = re.search(r"(\w+)\]?$", ast.unparse(field.annotation))
            enum = getattr(module, found.group(1), None) if found else None
            if inspect.isclass(enum) and issubclass(enum, IntEnum):
                words[ast.unparse(field.target)] = {member.name: int(member) for member in enum}
    return words


def test_the_words_are_really_read() -> None:
    assert vendor_words("PE_CORRUPT", "SetDataAttr")["corruption_type"]["TCP"] == 4
    assert vendor_words("PEF_PROTOCOL", "SetDataAttr")["segment_list"]["RAW_150"] == 106
    assert vendor_words("P_RESERVATION", "SetDataAttr") != vendor_words("P_RESERVATION", "GetDataAttr")
