"""The manual page of the reference dialect is the witness: its examples, ranges and headers are run against the box."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from impairlab.sim_hardware.scpi.header import HeaderPattern, short_form
from impairlab.sim_hardware.scpi.syntax import Unit, parse_message

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "scpi.md"
TEXT = PAGE.read_text(encoding="utf-8")
FLOW = ":PATH<path>:AB:FLOW<flow>"
FILTERED = ":PATH<path>:AB:FLOW<filtered>"


def examples():
    """Yield each example with the heading it stands under."""
    heading = ""
    for piece in re.split(r"^(#+ [^\n]*|```scpi\n.*?^```)$", TEXT, flags=re.MULTILINE | re.DOTALL):
        if piece.startswith("#"):
            heading = piece.lstrip("# ")
        elif piece.startswith("```scpi"):
            yield pytest.param(piece.splitlines()[1:-1], id=heading.replace(" ", "-"))


def table_rows():
    """Yield the cells of every table row whose first cell names commands."""
    for line in TEXT.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if cells and re.match(r"`(<flow>|<filtered>|[:*])", cells[0]):
            yield cells


def documented_headers():
    """Return every header of the tables, flows of direction AB in full, settings with their query."""
    headers = set()
    for cells in table_rows():
        for command in re.findall(r"`([^`]+)`", cells[0]):
            header = command.split(" ")[0].replace("<flow>", FLOW).replace("<filtered>", FILTERED)
            headers.add(header)
            if len(cells) > 3 or header in {":ARM:SOURce", ":TRIGger:SOURce", ":INITiate:CONTinuous"}:
                headers.add(f"{header}?")
    return headers


def limited_settings():
    """Yield a sendable header of each numeric setting, and its printed limits by word."""
    for cells in table_rows():
        if len(cells) == 6 and cells[2]:
            header = cells[0].strip("`")
            sent = header.replace("<flow>", ":PATH1:BA").replace("<filtered>", ":PATH1:BA:FLOW8")
            printed = dict(zip(("MIN", "MAX", "step", "DEF"), cells[2:], strict=True))
            yield pytest.param(sent, printed, id=header)


@pytest.fixture
def session(talk):
    return talk.session


@pytest.mark.parametrize("lines", list(examples()))
def test_example_is_true(lines, session):
    conversation = "\n".join(lines)
    sent = [line[2:] for line in lines if line.startswith("> ")]
    assert len(sent) + sum(line.startswith("< ") for line in lines) == len(lines)
    spoken = []
    for message in sent:
        spoken.append(f"> {message}")
        spoken.extend(f"< {line}" for line in session.feed(f"{message}\n".encode()).decode().splitlines())
    assert "\n".join(spoken) == conversation
    assert session.feed(b"SYST:ERR?\n") == b'0,"No error"\n'


@pytest.mark.parametrize(("header", "printed"), list(limited_settings()))
def test_range_is_as_printed(header, printed, session):
    def ask(message):
        return session.feed(f"{message}\n".encode()).decode().strip()

    lowest, highest, step = (Decimal(printed[word]) for word in ("MIN", "MAX", "step"))
    assert Decimal(ask(f"{header}? MIN")) == lowest
    assert Decimal(ask(f"{header}? MAX")) == highest
    if printed["DEF"] == "ANY":
        assert ask(f"{header}?") == "ANY"
    else:
        assert ask(f"{header}?") == ask(f"{header}? DEF")
        assert Decimal(ask(f"{header}?")) == Decimal(printed["DEF"])
    for outside in (lowest - step, highest + step):
        assert ask(f"{header} {outside:f};:SYST:ERR:CODE?") == "-222"
    between = lowest + step * Decimal("1.4")
    assert Decimal(ask(f"{header} {between:f};:APPL;{header}?")) == lowest + step


def test_page_and_box_know_the_same_commands(appliance):
    of_the_page = {short_form(header) for header in documented_headers()}
    declared = set(appliance.instrument.table.headers)
    same_but_for_the_node = re.compile(r"^:PATH<path>:(BA|AB:(?!FLOW))")
    listed = {short_form(header) for header in declared if not same_but_for_the_node.match(header)}
    required = {
        short_form(each) for each in listed if each.startswith((":STATus:", ":STAT:OPER", ":STAT:QUES", ":STAT:PRES"))
    }
    common = set(re.search(r"common commands `([^`]*)`", TEXT)[1].split()) | {"*PSC?", "*ESE?", "*SRE?"}
    assert listed - required - common == of_the_page


def test_every_flow_node_has_the_same_commands(appliance):
    def of_node(node):
        return {header.removeprefix(node) for header in appliance.instrument.table.headers if header.startswith(node)}

    explicit = of_node(":PATH<path>:AB:FLOW<flow>:")
    assert len(explicit) > 80
    assert explicit == of_node(":PATH<path>:BA:FLOW<flow>:")
    for direction in ("AB", "BA"):
        implicit = {each for each in of_node(f":PATH<path>:{direction}:") if not each.startswith("FLOW<")}
        assert implicit == explicit


def test_every_command_but_settings_is_in_an_example():
    messages = [line[2:] for lines in examples() for line in lines.values[0] if line[0] == ">"]
    sent = [unit.header for message in messages for unit in parse_message(message) if isinstance(unit, Unit)]
    commands = {header for header in documented_headers() if header.removesuffix("?") not in settings()}
    unused = {header for header in commands if not any(_answers(header, each) for each in sent)}
    assert unused == SHOWN_ELSEWHERE


def _answers(header, sent):
    pattern = HeaderPattern(header.replace(":FLOW<flow>", "[:FLOW<flow>]"))
    return pattern.match(sent.replace(":BA:", ":AB:")) is not None


def settings():
    """Return the headers of the flow's settings: the property test of test_settings.py sends them all."""
    nodes = {"<flow>": FLOW, "<filtered>": FILTERED}
    rows = (cells[0].strip("`") for cells in table_rows() if len(cells) == 6)
    return {re.sub("<flow>|<filtered>", lambda match: nodes[match[0]], header) for header in rows}


SHOWN_ELSEWHERE = {
    "*IDN?",
    f"{FLOW}:STATistics?",
    ":SYSTem:COMMunicate:TCPip:CONTrol?",
    ":SYSTem:HELP:HEADers?",
    ":SYSTem:LOCK:NAME?",
}
"""Their answers depend on who asks or are too long for a manual."""
