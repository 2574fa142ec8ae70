"""Header patterns and the command table: what would be ambiguous is refused when it is declared."""

import pytest

from impairlab.sim_hardware.scpi import Action, Declaration, Device, Instrument, Node, Query
from impairlab.sim_hardware.scpi.header import HeaderPattern


def nothing(_: Node) -> None:
    """Do nothing."""


@pytest.mark.parametrize("text", ["A:[B", "A:<n>", "A B", "A:B#", "*", "A:9"])
def test_malformed_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no header pattern"):
        HeaderPattern(text)


def test_suffixes_are_told_by_name() -> None:
    pattern = HeaderPattern("[:SOURce]:PATH<path>:FLOW<flow>:DELay[:MEAN]?")
    assert pattern.match(":path2:flow:del?") == {"path": 2, "flow": None}
    assert pattern.match(":SOUR:PATH:FLOW12:DELAY:MEAN?") == {"path": None, "flow": 12}
    assert pattern.match(":PATH2:FLOW:DEL") is None


class Declared(Device):
    """A device with the commands of one test."""

    def __init__(self, *declarations: Declaration) -> None:
        self.declarations = declarations

    def commands(self) -> tuple[Declaration, ...]:
        return self.declarations


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("[:SOURce]:LEVel", ":LEVel"),
        (":LEVel[:MEAN]", ":LEVel"),
        (":STATe", ":STATus"),
        (":LEVel1", ":LEVel"),
        (":LEVel", "*RST"),
    ],
)
def test_headers_that_overlap_are_refused(first: str, second: str) -> None:
    with pytest.raises(ValueError, match="both answer to"):
        Instrument(Declared(Action(first, nothing), Action(second, nothing)))


def test_suffix_without_a_range_is_refused() -> None:
    with pytest.raises(ValueError, match="without a range: path"):
        Instrument(Declared(Action(":PATH<path>:LEVel", nothing)))


def test_query_needs_its_question_mark() -> None:
    with pytest.raises(ValueError, match="question mark"):
        Query(":LEVel", lambda _: 1)
