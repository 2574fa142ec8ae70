"""The page of faults names every fault that there is, and every constant."""

import re
from typing import get_args

from impairlab.sim_hardware import faults
from impairlab.sim_hardware.faults import Fault, InstrumentFault, ReplyFault, Rewrite

PAGE = "reference/faults.md"


def names(union) -> set[str]:
    return {kind.__name__ for kind in get_args(union)}


def test_every_fault_has_its_line(page):
    assert set(page(PAGE).column("Of a reply")) == names(ReplyFault)
    assert set(page(PAGE).column("Of a connection")) == names(Fault) - names(ReplyFault)
    assert set(page(PAGE).column("Of the instrument")) == names(InstrumentFault)


def test_every_constant_is_named(page):
    constants = {name for name, value in vars(faults).items() if isinstance(value, Rewrite)}
    assert constants <= set(re.findall(r"`([A-Z_]+)`", page(PAGE).text))
