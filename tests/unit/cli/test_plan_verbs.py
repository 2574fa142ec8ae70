"""check, preview and caps: what they say of good input, and of each kind of bad input."""

import json

import pytest

from impairlab.drivers.testing.transcript import read_transcript
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.chimera import SimulatedChimera
from impairlab.sim_hardware.planes import NullPlane


def test_a_file_alone_is_checked_without_any_appliance(lab, capsys):
    assert lab.impairlab("check", lab.scenario) == 0
    assert "well written; 2 phases, 100 ms. Not checked against an appliance" in capsys.readouterr().out


def test_a_scenario_that_the_appliance_can_do_is_ok(lab, capsys):
    assert lab.on_rack("check") == 0
    assert capsys.readouterr().out.endswith("ok on wan = wan-1:1; 2 phases, 100 ms\n")


FAULTS = [
    (("delay: 40 ms", "dealy: 40 ms"), "6:36 phases[1].slow.wan.b-a.dealy: ", "did you mean 'delay'"),
    (("delay: 40 ms", "delay: 40"), "6:43 phases[1].slow.wan.b-a.delay", "40 has no unit"),
    (("delay: 40 ms", "delay: 40 h"), "6:43 phases[1].slow.wan.b-a.delay", "legal"),
    (("delay: 40 ms", "loss: 120 %"), "6:42 phases[1].slow.wan.b-a.loss", "legal"),
    (("wan: {b-a", "lan: {b-a"), "6:24 phases[1].slow.lan", "did you mean 'wan'"),
    (("for: 50 ms}", "for: 50 parsecs}"), "5:17 phases[0].calm.for", "parsecs"),
]


@pytest.mark.parametrize(("change", "where", "said"), FAULTS)
def test_a_fault_is_named_with_its_place_and_what_would_be_legal(lab, capsys, change, where, said):
    text = lab.scenario.read_text()
    assert change[0] in text
    lab.scenario.write_text(text.replace(*change, 1))
    assert lab.on_rack("check") == 2
    message = capsys.readouterr().err
    assert f"{lab.scenario}:{where}" in message
    assert said in message
    assert "legal: " in message


def test_every_fault_is_named_at_once(lab, capsys):
    lab.scenario.write_text(lab.scenario.read_text().replace("40 ms", "40").replace("[delay.constant]", "[dealy]"))
    assert lab.on_rack("check") == 2
    assert len([line for line in capsys.readouterr().err.splitlines() if "brownout.yaml:" in line]) == 2


def test_what_the_appliance_cannot_do_is_a_fault_of_the_file(lab, capsys):
    lab.scenario.write_text(lab.scenario.read_text().replace("40 ms", "40.000001 ms"))
    assert lab.on_rack("check") == 2
    assert "wan-1: " in capsys.readouterr().err


def test_an_unknown_path_names_those_that_there_are(lab, capsys):
    assert lab.impairlab("check", lab.scenario, "--rack", lab.rack, "--on", "wan=wan-1:9") == 2
    assert "wan-1 has no path '9'" in capsys.readouterr().err


def test_an_unknown_appliance_names_those_that_there_are(lab, capsys):
    assert lab.impairlab("check", lab.scenario, "--rack", lab.rack, "--on", "wan=wna-1") == 2
    assert "unknown appliance 'wna-1', did you mean 'wan-1'?; legal: wan-1" in capsys.readouterr().err


def test_a_role_without_a_path_says_how_to_give_it_one(lab, capsys):
    assert lab.impairlab("preview", lab.scenario, "--rack", lab.rack) == 2
    assert "legal: --on wan=appliance" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["wan", "=wan-1", "wan="])
def test_half_a_role_is_a_usage_error(lab, capsys, option):
    assert lab.impairlab("check", lab.scenario, "--rack", lab.rack, "--on", option) == 2
    assert "ROLE=APPLIANCE" in capsys.readouterr().err


def test_a_missing_file_is_named(lab, capsys):
    assert lab.impairlab("check", lab.folder / "none.yaml") == 2
    assert "none.yaml" in capsys.readouterr().err


def test_an_appliance_that_is_not_there_is_unreachable(lab, capsys):
    lab.appliance.close()
    assert lab.on_rack("check") == 3
    assert capsys.readouterr().err.startswith("wan-1: ")


def test_another_appliance_than_the_rack_expects_is_not_touched(lab, capsys):
    lab.rack.write_text(lab.rack.read_text().replace("scpi,", "scpi, expect: {serial: RACK8},"))
    assert lab.on_rack("check") == 3
    assert "RACK8" in capsys.readouterr().err


def test_preview_connects_to_nobody_and_prints_every_instant(lab, capsys):
    lab.appliance.close()
    assert lab.on_rack("preview") == 0
    printed = capsys.readouterr().out
    assert "brownout: 100 ms, 2 phases, wan = wan-1:1" in printed
    assert "wan b-a: delay 40 ms" in printed


def test_caps_prints_every_feature_with_its_legal_values(lab, capsys):
    assert lab.impairlab("caps", "wan-1", "--rack", lab.rack) == 0
    printed = capsys.readouterr().out
    assert "RACK7" in printed
    assert "delay.normal" in printed
    assert "in steps of" in printed


def test_caps_as_json_is_one_document(lab, capsys):
    assert lab.impairlab("caps", "wan-1", "--rack", lab.rack, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["identity"]["serial"] == "RACK7"
    assert "loss.burst" in {feature["name"] for feature in document["features"]}


@pytest.fixture
def compared(lab):
    """Three appliances in three ways: of the rack, a driver that knows without asking, a driver at an address."""
    with SimulatedChimera(NullPlane()) as simulator:
        yield ["wan-1", "calnex-attero100g", f"xena-chimera@{simulator.address}", "--rack", lab.rack]


def test_several_stand_side_by_side_in_a_hundred_columns(lab, compared, capsys):
    assert lab.impairlab("caps", "--compare", *compared) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.strip() and not line.startswith(" ")}
    assert lab.impairlab("caps", "--compare", "--json", *compared) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["appliances"]["wan-1"]["identity"]["serial"] == "RACK7"
    assert document["appliances"]["calnex-attero100g"]["identity"] is None
    assert rows["feature"][:2] == ["wan-1", "calnex-attero100g"]
    for name, by_appliance in document["features"].items():
        assert rows[name] == [each["provenance"]["basis"] if each else "-" for each in by_appliance.values()]
    assert {"documented", "inferred", "-"} <= {cell for cells in rows.values() for cell in cells}


def test_only_legal_values_that_differ_are_printed(lab, capsys):
    with SimulatedAppliance(NullPlane()) as twin:
        other = "scpi@tcp://{}:{}".format(*twin.serve_scpi("127.0.0.1", 0))
        assert lab.impairlab("caps", "--compare", "wan-1", other, "--rack", lab.rack) == 0
        assert "  mean " not in capsys.readouterr().out
        assert lab.impairlab("caps", "--compare", "wan-1", other, "calnex-attero100g", "--rack", lab.rack) == 0
        assert "  mean " in capsys.readouterr().out


def test_a_box_that_must_be_asked_is_not_compared_by_its_driver_alone(lab, capsys):
    assert lab.impairlab("caps", "--compare", "xena-chimera", "--rack", lab.folder / "none.yaml") == 2
    assert "must be asked: name one of the rack, or xena-chimera@ADDRESS" in capsys.readouterr().err


def test_several_without_compare_are_a_usage_error(lab, capsys):
    assert lab.impairlab("caps", "wan-1", "wan-2", "--rack", lab.rack) == 2
    assert "--compare" in capsys.readouterr().err


def test_a_recorded_wire_is_a_transcript_that_is_not_written_over(lab, capsys):
    assert lab.impairlab("record", "wire", "wan-1", "-o", lab.folder / "wan-1.jsonl", "--rack", lab.rack) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert read_transcript(lab.folder / "wan-1.jsonl").results[0][1]["serial"] == "RACK7"
    assert lab.impairlab("record", "wire", "wan-1", "-o", lab.folder / "wan-1.jsonl", "--rack", lab.rack) == 2
    assert "File exists" in capsys.readouterr().err


def test_another_appliance_than_the_rack_expects_is_not_recorded(lab, capsys):
    lab.rack.write_text(lab.rack.read_text().replace("scpi,", "scpi, expect: {serial: RACK8},"))
    assert lab.impairlab("record", "wire", "wan-1", "-o", lab.folder / "w", "--write", "--rack", lab.rack) == 3
    assert "RACK8" in capsys.readouterr().err
    assert not read_transcript(lab.folder / "w").results[1:]
