"""The driver of the CMW against a scripted instrument with the commands of RsCmwDau, and its own way to answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from impairlab.drivers import (
    CapabilityError,
    Conditions,
    ConnectError,
    ConnectionLost,
    IdentityMismatch,
    InstrumentExecutionError,
    MalformedResponse,
    Target,
    VerifyMismatch,
    corrupt,
    delay,
    duplicate,
    loss,
    outage,
    reorder,
)
from impairlab.drivers.cmw import CmwAppliance, Selection
from impairlab.drivers.cmw.site import Site
from impairlab.drivers.cmw.words import read_words, words_of
from impairlab.drivers.model import Delay
from impairlab.drivers.options import Options
from impairlab.drivers.testing.peers import SocketWire, Wire, tcp_peer
from impairlab.drivers.testing.specimens import specimens

MS = 1_000_000
PATIENT = Options(name="cmw", timeout_ns=20_000 * MS)
NO_ERROR = '0,"No error"'
AB, BA = Target(path="1-2", direction="a-b"), Target(path="1-2", direction="b-a")
HEADER = re.compile(r":CONFigure:DATA:MEASurement1:NIMPairments(?P<entry>\d+):(?P<setting>\w+)(?P<rest>\?| .*)")
FRESH = {
    "DELay": "0", "JITTer": "0", "JDIStribut": "NORM", "PLRate": "0", "CRATe": "0", "DRATe": "0", "RRATe": "0",
    "ENABle": "OFF", "IPADdress": '"192.168.48.129"', "PRANge": "1,65535",
}  # fmt: skip


def overtaking(law: str, mean: str, spread: str) -> Delay:
    return Delay.model_validate({"distribution": law, "mean": mean, "spread": spread, "keep_order": False})


def moved_behind(conditions: Conditions) -> Conditions:
    """Reordering needs a delay behind which packets can be moved."""
    return conditions.merged(Conditions.of(delay("5 ms"))) if conditions.reorder else conditions


class Cmw:
    """What is set; numbers are answered as a CMW writes numbers, choices in their short form."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.entries = {entry: dict(FRESH) for entry in "12"}
        self.errors: list[str] = []
        self.refused: dict[str, str] = {}
        self.shown: dict[str, str] = {}

    def answer(self, message: str) -> str:
        self.messages.append(message)
        answers = []
        for unit in message.split(";"):
            if not self.take(unit, answers):
                break
        return ";".join(answers)

    def take(self, unit: str, answers: list[str]) -> bool:
        if unit in {"*ESR?", "*ESE?"}:
            answers.append("0")
        elif unit == "*IDN?":
            answers.append("Rohde&Schwarz,CMW500,100001,3.7.51.0026")
        elif unit == "*OPC?":
            answers.append("1")
        elif unit == ":SYSTem:ERRor?":
            answers.append(self.errors.pop(0) if self.errors else NO_ERROR)
        elif unit in self.refused:
            self.errors.append(self.refused[unit])
        elif (found := HEADER.fullmatch(unit)) and found["entry"] in self.entries and found["setting"] in FRESH:
            settings = self.entries[found["entry"]]
            if found["rest"] == "?":
                answers.append(self.shown.get(found["setting"], settings[found["setting"]]))
            else:
                settings[found["setting"]] = as_answered(found["setting"], found["rest"].strip())
        else:
            self.errors.append('-113,"Undefined header"')
            return False  # what stands behind a command error is not carried out
        return True

    def written(self) -> list[str]:
        """The settings that were sent, without their node."""
        return [
            found["setting"] + found["rest"]
            for message in self.messages
            for found in map(HEADER.fullmatch, message.split(";"))
            if found and found["rest"] != "?"
        ]


def as_answered(setting: str, value: str) -> str:
    if setting == "JDIStribut":
        return "".join(letter for letter in value if letter.isupper())
    if setting in {"ENABle", "IPADdress", "PRANge"}:
        return value
    return f"{Decimal(value):.6E}"


@pytest.fixture
def cmw() -> Cmw:
    return Cmw()


@pytest.fixture
def serve(cmw: Cmw) -> Iterator[Callable[..., str]]:
    peers = []

    def script(_number: int, wire: Wire) -> None:
        while (line := wire.read_line()) is not None:
            reply = cmw.answer(line)
            if reply:
                wire.send(reply.encode() + b"\n")

    def serve(own: Callable[[int, SocketWire], None] = script, settings: str = "paths=1-2") -> str:
        peer = tcp_peer(own)
        peers.append(peer)
        host, port = peer.__enter__()
        return f"tcp://{host}:{port}?{settings}"

    yield serve
    for peer in peers:
        peer.__exit__(None, None, None)


@pytest.fixture
def box(serve: Callable[..., str]) -> Iterator[CmwAppliance]:
    with CmwAppliance(serve(), PATIENT) as box:
        yield box


@pytest.mark.parametrize(
    ("impairments", "written"),
    [
        ((delay("45 ms"),), ["DELay 0.045", "JITTer 0", "JDIStribut NORMal"]),
        ((overtaking("pareto", "20 ms", "1 ms"),), ["DELay 0.02", "JITTer 0.001", "JDIStribut PAReto"]),
        ((overtaking("uniform", "20 ms", "1 us"),), ["JITTer 0.000001", "JDIStribut UNIForm"]),
        ((loss("0.3 %"),), ["PLRate 0.3"]),
        ((outage(),), ["PLRate 100"]),
        ((corrupt("1 ppm"),), ["CRATe 0.0001"]),
        ((duplicate("2 %"),), ["DRATe 2"]),
        ((delay("1 ms"), reorder("5 %")), ["DELay 0.001", "RRATe 5"]),
    ],
)
def test_conditions_are_one_message_read_back_and_restored(cmw, box, impairments, written) -> None:
    with box.path("1-2").a_to_b.impaired(*impairments) as applied:
        assert set(written) <= set(cmw.written())
        assert cmw.written()[-1] == "ENABle ON"
        assert len([m for m in cmw.messages if "ENABle O" in m]) == 1
        assert box.read(AB).conditions == Conditions.of(*impairments)
        assert box.read(BA).conditions.is_neutral
        assert all(record.read_back == record.sent for record in applied)
    assert cmw.entries["1"]["ENABle"] == "OFF"
    assert box.read(AB).conditions.is_neutral


def test_message_is_literally_what_the_instrument_takes(cmw, box) -> None:
    box.apply(BA, Conditions.of(delay("45 ms")))
    node = ":CONFigure:DATA:MEASurement1:NIMPairments2"
    assert ";".join(
        [":SYSTem:ERRor?", f"{node}:JITTer 0", f"{node}:JDIStribut NORMal", f"{node}:DELay 0.045", f"{node}:JITTer 0",
         f"{node}:PLRate 0", f"{node}:CRATe 0", f"{node}:DRATe 0", f"{node}:RRATe 0", f"{node}:ENABle ON", "*OPC?",
         ":SYSTem:ERRor?"]
    ) in cmw.messages  # fmt: skip


@pytest.mark.parametrize("settings", ["", "time_unit=ms&rate_unit=one", "time_unit=us&rate_unit=ppm"])
def test_every_feature_at_low_high_and_step_is_written_and_read_as_the_same(serve, settings) -> None:
    site = Site.parse(f"tcp://h?paths=1-2&{settings}".rstrip("&"), "cmw")
    with CmwAppliance(serve(settings=f"paths=1-2&{settings}".rstrip("&")), PATIENT) as box:
        features = box.capabilities.features.values()
        legal = [
            each for each in specimens(features, lambda c: not box.check({AB: moved_behind(c)})) if each.conditions
        ]
    assert {each.feature for each in legal} == {feature.name for feature in features}
    for specimen in legal:
        wanted = moved_behind(specimen.conditions)
        words = dict(words_of(wanted, site.units))
        if wanted.delay and not wanted.delay.mean and not wanted.delay.spread:
            wanted = wanted.without("delay")
        zero = [each.kind for each in wanted if getattr(each, "rate", None) == 0]
        assert read_words(words, site.units) == wanted.without(*zero), specimen


def test_units_are_those_of_the_address(cmw, serve) -> None:
    with CmwAppliance(serve(settings="paths=1-2&time_unit=ms&rate_unit=one"), PATIENT) as box:
        box.apply(AB, Conditions.of(delay("45 ms"), loss("1 %")))
        assert {"DELay 45", "PLRate 0.01"} <= set(cmw.written())
        assert "times in ms, rates in one, unverified" in box.capabilities.features["delay.constant"].provenance.detail


def test_nothing_passes_for_documented(box) -> None:
    assert {each.provenance.basis for each in box.capabilities.features.values()} == {"inferred"}
    assert all("RsCmwDau" in each.provenance.detail for each in box.capabilities.features.values())


def test_check_is_offline_and_says_what_is_legal(cmw, box) -> None:
    before = len(cmw.messages)
    violations = box.check({AB: Conditions.of(delay("20 ms", jitter="2 ms"), reorder("1 %"))})
    assert [str(each) for each in violations] == [
        "path 1-2 a-b delay.keep_order: true is not offered; legal: false"
    ]  # fmt: skip
    assert "reorder needs a delay" in str(box.check({AB: Conditions.of(reorder("1 %"))})[0])
    assert len(cmw.messages) == before


def test_direction_without_an_entry_takes_nothing(serve) -> None:
    with CmwAppliance(serve(settings="paths=1,2"), PATIENT) as box:
        wrong = Target(path="2", direction="b-a")
        with pytest.raises(CapabilityError, match=r"paths=1-2"):
            box.apply(wrong, Conditions.of(loss("1 %")))
        with pytest.raises(CapabilityError, match="entry for a-b alone"):
            box.selection(wrong)
        assert box.read(wrong).conditions.is_neutral
        box.neutral()


def test_refusal_has_what_was_there_put_back_whatever_it_was(cmw, box) -> None:
    cmw.entries["1"].update(ENABle="ON", DELay="5.0E-002", JITTer="1.0E-002", JDIStribut="PNOR")
    cmw.refused[":CONFigure:DATA:MEASurement1:NIMPairments1:PLRate 1"] = '-222,"Data out of range"'
    with pytest.raises(InstrumentExecutionError, match="-222 Data out of range") as raised:
        box.apply(AB, Conditions.of(loss("1 %")))
    assert raised.value.state_known
    assert raised.value.__notes__ == ["what was programmed before is programmed again"]
    assert cmw.entries["1"]["JDIStribut"] in {"PNOR", ""}
    assert Decimal(cmw.entries["1"]["DELay"]) == Decimal("0.05")


def test_law_that_no_value_says_is_not_written_over(cmw, box) -> None:
    cmw.entries["1"].update(ENABle="ON", JITTer="1.0E-002", JDIStribut="PNOR")
    with pytest.raises(CapabilityError, match="PNORmal"):
        box.snapshot()


def test_errors_of_others_are_not_taken_for_ours(cmw, box) -> None:
    cmw.errors = ['-410,"Query INTERRUPTED"']
    box.apply(AB, Conditions.of(loss("1 %")))
    cmw.errors = ['-410,"Query INTERRUPTED"', '-420,"Query UNTERMINATED"']
    box.apply(AB, Conditions.of(loss("2 %")))
    assert Decimal(cmw.entries["1"]["PLRate"]) == 2
    assert not cmw.errors


def test_queue_that_never_becomes_empty_is_malformed(cmw, box) -> None:
    cmw.errors = ['-350,"Queue overflow"'] * 200
    with pytest.raises(MalformedResponse, match="does not become empty"):
        box.read(AB)


def test_entry_that_is_not_there_is_said_on_connecting(serve) -> None:
    with pytest.raises(Exception, match="-113 Undefined header"):
        CmwAppliance(serve(settings="paths=1-2,7"), PATIENT)


def test_silent_clamp_is_found_out(cmw, box) -> None:
    cmw.shown["DELay"] = "1.0E-002"
    with pytest.raises(VerifyMismatch, match=r"wanted .*45 ms.*, read .*10 ms"):
        box.apply(AB, Conditions.of(delay("45 ms")))


@pytest.mark.parametrize(
    ("setting", "answer"), [("ENABle", "MAYBE"), ("DELay", "INV"), ("JDIStribut", "GAUS"), ("PLRate", "")]
)
def test_answer_that_cannot_be_read_is_malformed(cmw, box, setting, answer) -> None:
    cmw.entries["1"].update(ENABle="ON", JITTer="1E-3")
    cmw.shown[setting] = answer
    with pytest.raises(MalformedResponse):
        box.read(AB)


def test_lost_acknowledgement_is_looked_after(cmw, serve) -> None:
    def script(number: int, wire: SocketWire) -> None:
        while (line := wire.read_line()) is not None:
            reply = cmw.answer(line)
            if number == 1 and "ENABle ON" in line:
                return
            wire.send(reply.encode() + b"\n")

    with CmwAppliance(serve(script), PATIENT) as box:
        with pytest.raises(ConnectionLost) as raised:
            box.apply(AB, Conditions.of(delay("7 ms")))
        assert raised.value.state_known
        assert "it took effect" in raised.value.__notes__[0]


def test_selection_is_set_and_read_back(cmw, box) -> None:
    wanted = Selection.model_validate({"address": "10.0.0.1", "first_port": 80, "last_port": 443})
    box.select(BA, wanted)
    assert cmw.written() == ['IPADdress "10.0.0.1"', "PRANge 80,443"]
    assert box.selection(BA) == wanted
    cmw.shown["PRANge"] = "1,2,3"
    with pytest.raises(MalformedResponse, match="range of ports"):
        box.selection(BA)
    with pytest.raises(ValueError, match="last_port"):
        Selection.model_validate({"address": "10.0.0.1", "first_port": 80, "last_port": 79})


def test_without_counters_none_is_told(box) -> None:
    counted = box.statistics(AB).model_dump(exclude={"at_ns"})
    assert set(counted.values()) == {None}
    assert box.capabilities.statistics == ()
    with box.locked():
        box.clear_statistics(AB)


def test_other_serial_number_is_refused(serve) -> None:
    with pytest.raises(IdentityMismatch, match="expected serial number '7'"):
        CmwAppliance(serve(), Options(name="cmw", serial="7", timeout_ns=20_000 * MS))


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("ssh://h", "is not an address of this driver"),
        ("tcp://h?path=1", "unknown setting 'path'.*settings are measurement, paths, time_unit, rate_unit"),
        ("tcp://h?paths=1&paths=2", "has the setting 'paths' twice"),
        ("tcp://h?paths=0", "has the path '0'"),
        ("tcp://h?paths=1-2,2", "names an entry twice"),
        ("tcp://h?paths=1,1", "names an entry twice"),
        ("tcp://h?measurement=x", "has measurement=x"),
        ("tcp://h?time_unit=h", "has time_unit=h: it is one of s, ms, us"),
        ("TCPIP::h::INSTR?rate_unit=x", "has rate_unit=x: it is one of percent, one, ppm"),
    ],
)
def test_address_that_is_wrong_says_what_is_right(address, problem) -> None:
    with pytest.raises(ConnectError, match=problem):
        CmwAppliance(address)


def test_visa_name_keeps_its_settings_apart() -> None:
    site = Site.parse("TCPIP::192.0.2.1::INSTR?paths=3-4&measurement=2", "cmw")
    assert site.link == "TCPIP::192.0.2.1::INSTR"
    assert site.node(Target(path="3-4", direction="b-a")) == ":CONFigure:DATA:MEASurement2:NIMPairments4"
