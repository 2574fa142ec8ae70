"""The simulated CMW over a plain socket: every command, its refusals and its faults."""

from decimal import Decimal

import pytest

from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.cmw import SimulatedCmw
from impairlab.sim_hardware.faults import (
    EndlessErrors,
    Garbage,
    IdleDatapath,
    ModeReset,
    Reboot,
    SilentClamp,
    SilentlyIgnored,
)
from impairlab.sim_hardware.planes import NullPlane

NODE = "CONFigure:DATA:MEASurement1:NIMPairments"


def test_it_says_what_it_is(cmw):
    assert cmw.client.ask("*IDN?") == "Rohde&Schwarz,CMW500,SIM00001,3.7.51"


@pytest.mark.parametrize(
    ("header", "at_first", "sent", "answered"),
    [
        ("ENABle", "0", "ON", "1"),
        ("IPADdress", '""', '"192.0.2.7"', '"192.0.2.7"'),
        ("IPADdress", '""', "'2001:db8::1'", '"2001:db8::1"'),
        ("PRANge", "0,65535", "5000,5001", "5000,5001"),
        ("DELay", "0", "45.5", "45.5"),
        ("JITTer", "0", "8", "8"),
        ("JDIStribut", "NORM", "PNORmal", "PNOR"),
        ("PLRate", "0", "0.3", "0.3"),
        ("CRATe", "0", "1E-7", "0.0000001"),
        ("DRATe", "0", "100", "100"),
        ("RRATe", "0", "25", "25"),
    ],
)
def test_every_setting_reads_back_in_its_own_entry(cmw, header, at_first, sent, answered):
    assert cmw.client.ask(f"{NODE}15:{header}?") == at_first
    cmw.client.set(15, f"{header} {sent}")
    assert cmw.client.ask(f"{NODE}15:{header}?") == answered
    assert cmw.client.ask(f"{NODE}14:{header}?") == at_first
    cmw.client.write("*RST")
    assert cmw.client.ask(f"conf:data:meas:nimp15:{header}?") == at_first


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{NODE}1:DELay -1", -222),
        (f"{NODE}1:DELay 274001", -222),
        (f"{NODE}1:DELay 5 MS", -138),
        (f"{NODE}1:PLRate 100.1", -222),
        (f"{NODE}1:JDIStribut GAMMa", -224),
        (f'{NODE}1:IPADdress "somewhere"', -224),
        (f"{NODE}1:IPADdress 1", -104),
        (f"{NODE}1:PRANge 5", -109),
        (f"{NODE}1:PRANge 5,4", -224),
        (f"{NODE}1:PRANge 5,65536", -222),
        (f"{NODE}16:DELay 1", -114),
        ("CONFigure:DATA:MEASurement3:NIMPairments1:DELay 1", -114),
        (f"{NODE}1:RATE 1", -113),
    ],
)
def test_what_is_not_legal_is_refused_and_changes_nothing(cmw, line, code):
    programs = len(cmw.plane.programs)
    assert cmw.client.refused(line) == code
    assert len(cmw.plane.programs) == programs


def test_packets_suffer_only_what_is_enabled(cmw):
    cmw.client.set(1, "DELay 45")
    assert not cmw.sim.state.entries
    cmw.client.set(1, "ENABle ON")
    assert [cmw.suffered(direction).delay.mean for direction in ("a-b", "b-a")] == [45_000_000, 45_000_000]
    cmw.client.set(1, "PLRate 3")
    assert cmw.suffered().loss.rate == Decimal("0.03")
    cmw.client.set(1, "ENABle OFF")
    assert not cmw.sim.state.entries
    assert cmw.client.ask(f"{NODE}1:DELay?") == "45"


def test_an_instance_is_a_path(cmw):
    for setting in ("DELay 7", "ENABle ON"):
        cmw.client.write(f"CONFigure:DATA:MEASurement2:NIMPairments1:{setting}")
    assert cmw.client.ask("*OPC?") == "1"
    assert cmw.suffered(path="2").delay.mean == 7_000_000
    assert cmw.suffered(path="1").is_neutral


def test_the_first_enabled_entry_that_takes_a_packet_has_it(cmw):
    for index, settings in {
        2: ('IPADdress "192.0.2.7"', "PRANge 80,80", "DELay 1", "ENABle ON"),
        3: ("DELay 3", "ENABle ON"),
        4: ('IPADdress "192.0.2.8"', "DELay 4", "ENABle ON"),
    }.items():
        for setting in settings:
            cmw.client.set(index, setting)
    made = [each for each in cmw.sim.state.entries if (each.target.path, each.target.direction) == ("1", "b-a")]
    told = [(each.target.flow, each.filter and each.filter.protocol, each.conditions.delay.mean) for each in made]
    assert sorted(told) == [(0, None, 3_000_000), (1, "tcp", 1_000_000), (2, "udp", 1_000_000)]
    assert {str(each.filter.source) for each in made if each.filter} == {"192.0.2.7/32"}


def test_settings_that_do_not_fit_together_are_refused_where_they_are_enabled(cmw):
    for setting in ("JDIStribut UNIForm", "DELay 1", "JITTer 2"):
        cmw.client.set(1, setting)
    assert cmw.client.refused(f"{NODE}1:ENABle ON") == -221
    assert cmw.client.ask(f"{NODE}1:ENABle?") == "0"
    cmw.client.set(1, "DELay 2")
    cmw.client.set(1, "ENABle ON")
    assert cmw.client.refused(f"{NODE}1:DELay 1") == -221
    assert cmw.client.ask(f"{NODE}1:DELay?") == "2"
    assert cmw.client.refused(f"{NODE}1:PRANge 1,65") == -221
    assert cmw.suffered().delay.mean == 2_000_000


@pytest.mark.parametrize(("failure", "code"), [(CapabilityError("no"), -241), (ImpairlabError("gone"), -240)])
def test_a_plane_that_does_not_do_it_is_an_error_and_nothing_has_changed(cmw, failure, code):
    cmw.client.set(1, "DELay 9")
    cmw.plane.failure = failure
    assert cmw.client.refused(f"{NODE}1:ENABle ON") == code
    assert cmw.client.ask(f"{NODE}1:ENABle?") == "0"
    cmw.plane.failure = None
    cmw.client.set(1, "ENABle ON")


def test_a_clamp_and_a_deaf_ear_are_silent(cmw):
    cmw.client.set(1, "ENABle ON")
    cmw.sim.inject(SilentClamp(":DELay", Decimal(20)))
    cmw.client.set(1, "JITTer 30")
    cmw.client.set(1, "DELay 50")
    assert (cmw.client.ask(f"{NODE}1:DELay?"), cmw.suffered().delay.mean) == ("20", 20_000_000)
    cmw.sim.inject(SilentlyIgnored())
    cmw.client.set(1, "DELay 60")
    assert cmw.client.ask(f"{NODE}1:DELay?") == "20"


def test_an_idle_data_path_says_one_thing_and_does_another(cmw):
    cmw.client.set(1, "DELay 50")
    cmw.sim.inject(IdleDatapath())
    cmw.client.set(1, "ENABle ON")
    assert cmw.client.ask(f"{NODE}1:ENABle?") == "1"
    assert not cmw.sim.state.entries


def test_errors_may_never_end_until_faults_are_cleared(cmw):
    cmw.sim.inject(EndlessErrors(), count=None)
    assert {cmw.client.ask("SYST:ERR?") for _ in range(40)} == {'-350,"Queue overflow"'}
    cmw.sim.clear_faults()
    assert cmw.client.ask("SYST:ERR?") == '0,"No error"'


def test_a_reply_may_be_garbage(cmw):
    cmw.sim.inject(Garbage())
    assert cmw.client.ask("*IDN?") != "Rohde&Schwarz,CMW500,SIM00001,3.7.51"


def test_a_reboot_loses_the_settings(cmw):
    cmw.client.set(1, "DELay 50")
    cmw.client.set(1, "ENABle ON")
    cmw.sim.inject(Reboot())
    assert not cmw.sim.state.entries
    with pytest.raises(ConnectionResetError):
        cmw.client.ask("*IDN?")


def test_a_fault_that_it_cannot_have_is_refused(cmw):
    with pytest.raises(ValueError, match="this box has no fault ModeReset; it has Chatter"):
        cmw.sim.inject(ModeReset())


def test_there_are_no_more_instances_than_the_box_has():
    with pytest.raises(ValueError, match="at most 4 measurement instances, not 5 paths"):
        SimulatedCmw(NullPlane(paths=tuple("12345")))


def test_the_plane_is_closed_with_it(cmw):
    cmw.sim.close()
    cmw.sim.close()
    assert cmw.plane.closed
