"""The appliance as a whole: options, lock, statistics, reset, power cycle, and its server."""

import socket
import time

import pytest

from impairlab.drivers.model import Conditions, Outage, Statistics, Target
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import Reboot
from impairlab.sim_hardware.planes import EVERY_OPTION, FILTER, NullPlane

OUTAGE = 'COND "LOSS:MOD OUT;LOSS:STAT 1"'


def test_identity_is_what_was_asked_for(plane):
    with SimulatedAppliance(plane, serial="SN 7", model="X", firmware="2.3") as appliance:
        assert appliance.instrument.open_session("x").feed(b"*IDN?\n") == b"impairlab,X,SN 7,2.3\n"


@pytest.mark.parametrize(
    "unit",
    ["LOSS:STAT ON", "LOSS:STAT?", "LOSS:RAND:RATE? MAX", "COND 'DEL:STAT 1;LOSS:STAT 1'", "FLOW1:DEL:STAT ON",
     "FLOW1:APPL", "FLOW2:COND?", "FLOW1:FILT:VLAN 3", "FLOW1:STAT?"],
)  # fmt: skip
def test_what_is_not_installed_is_hardware_missing(unit):
    with SimulatedAppliance(NullPlane(options=EVERY_OPTION - {"loss", FILTER})) as appliance:
        session = appliance.instrument.open_session("x")
        session.feed(f"PATH1:AB:{unit}\n".encode())
        assert session.feed(b"SYST:ERR:CODE?;:SYST:FLOW?\n") == b"-241;0\n"
        assert session.feed(b"*OPT?\n") == b"DELAY,REORDER,DUPLICATE,CORRUPT,RATE,LINK,ECN,PFC,MTU\n"
        assert appliance.state.unsaved == frozenset()


def test_plane_without_options_answers_zero():
    with SimulatedAppliance(NullPlane(options=frozenset())) as appliance:
        assert appliance.instrument.open_session("x").feed(b"*OPT?\n") == b"0\n"


def test_path_that_is_not_there(talk):
    with SimulatedAppliance(NullPlane(("left", "right"))) as appliance:
        session = appliance.instrument.open_session("x")
        session.feed(f"PATH2:AB:{OUTAGE};APPL\n".encode())
        assert appliance.state.entries[0].target == Target(path="right", direction="a-b")
        assert session.feed(b"SYST:PATH?;:PATH3:AB:APPL\n") == b"2\n"
        assert session.feed(b"SYST:ERR:CODE?\n") == b"-114\n"


GUARDED = [
    OUTAGE, "DEL:STAT ON", "APPL", "CLE", "STAT:CLE", "FLOW1:FILT:STAT ON", ":APPL:ALL", ":CLE:ALL", ":STAT:CLE:ALL",
    ":ARM:SOUR BUS", ":ARM", ":TRIG:SOUR BUS", ":INIT", ":INIT:CONT ON", ":TRIG", ":ABOR", "*TRG", "*RST",
    "*SAV 1", "*RCL 1", ":MEM:STAT:NAME 1,'x'", ":MEM:STAT:DEL 1",
]  # fmt: skip


@pytest.mark.parametrize("unit", GUARDED)
def test_lock_keeps_others_from_changing_anything(unit, talk, appliance, plane):
    other = appliance.instrument.open_session("other")
    assert talk("SYST:LOCK:REQ?") == "1"
    programs = len(plane.programs)
    other.feed(f"{unit if unit[0] in ':*' else f'PATH1:AB:{unit}'}\n".encode())
    assert talk.code() == -203
    assert (len(plane.programs), plane.cleared, appliance.state.unsaved) == (programs, [], frozenset())


def test_lock_goes_with_its_session(talk, appliance):
    other = appliance.instrument.open_session("other")
    assert other.feed(b"SYST:LOCK:REQ?\n") == b"1\n"
    assert talk("SYST:LOCK:REQ?;OWN?;:STAT:OPER:COND?") == '0;"other";1024'
    other.close()
    assert talk("SYST:LOCK:REQ?") == "1"


def test_statistics_in_order_with_nan_for_what_is_not_counted(talk, plane):
    counted = Statistics(at_ns=99, received_packets=1, received_bytes=2, dropped_loss=5, marked=12)
    plane.counters = {Target(path="2", direction="b-a", flow=3): counted}
    nan = "9.91E+37"
    assert talk("PATH2:BA:FLOW3:STAT?") == f"99,1,2,{nan},{nan},5,{nan},{nan},{nan},{nan},{nan},{nan},12"
    assert talk("PATH2:BA:STAT?") == ",".join(["1000", *[nan] * 12])


def test_statistics_are_cleared_for_one_flow_or_all(talk, plane):
    talk("PATH2:BA:FLOW3:STAT:CLE;:STAT:CLE")
    assert plane.cleared == [Target(path="2", direction="b-a", flow=3), None]


def test_reset_makes_neutral_and_forgets_what_is_staged(talk, appliance, plane):
    talk(f"PATH1:AB:{OUTAGE};APPL;:PATH2:AB:{OUTAGE};:TRIG:SOUR BUS;:INIT:CONT ON;:INIT;*RST")
    assert plane.programs[-1].entries == ()
    assert (appliance.state.entries, appliance.state.unsaved, appliance.state.waiting_for_trigger) == ((), set(), False)
    assert talk("TRIG:SOUR?;:INIT:CONT?;:STAT:OPER:COND?") == "IMM;0;0"


def test_close_closes_the_plane_and_a_second_close_does_nothing(plane):
    appliance = SimulatedAppliance(plane)
    host, port = appliance.serve_scpi()
    appliance.close()
    appliance.close()
    assert plane.closed
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, port), timeout=1)


def connected(address, deadline_s=5.0):
    """Connect, as soon as the appliance accepts again."""
    deadline = time.monotonic() + deadline_s
    while True:
        try:
            return socket.create_connection(address, timeout=deadline_s)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def exchange(address, message):
    with connected(address) as sock:
        sock.sendall(message.encode() + b"\n")
        return sock.makefile("r").readline().rstrip("\n")


def test_served_over_tcp_with_a_settling_plane():
    with SimulatedAppliance(NullPlane(), settle_ns=20_000_000) as appliance:
        address = appliance.serve_scpi()
        assert exchange(address, f"PATH1:AB:{OUTAGE};APPL;*OPC?") == "1"
        assert appliance.state.conditions("1", "a-b") == Conditions(loss=Outage())


def test_reboot_loses_everything_but_the_memories():
    plane = NullPlane()
    with SimulatedAppliance(plane) as appliance:
        address = appliance.serve_scpi()
        assert exchange(address, f"*ESR?;:PATH1:AB:{OUTAGE};APPL;*OPC?;*SAV 2") == "128;1"
        appliance.inject(Reboot())
        assert appliance.state.entries == ()
        assert plane.programs[-1].entries == ()
        assert exchange(address, "*ESR?;:PATH1:AB:COND?;:MEM:STAT:VAL? 2;:STAT:OPER:COND?") == '128;"";1;0'
