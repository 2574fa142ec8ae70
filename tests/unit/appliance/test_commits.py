"""Staged, committed, active: when conditions reach the data plane, and what waits for it."""

import pytest

from impairlab.drivers.model import NEUTRAL, Conditions, Delay, Filter, FlowEntry, Outage, Target
from impairlab.drivers.model.errors import CapabilityError, ConnectionLost
from impairlab.sim_hardware.appliance import SimulatedAppliance

MS = 1_000_000
OUTAGE = 'COND "LOSS:MOD OUT;LOSS:STAT 1"'
SETTLING, WAITING, IMPAIRING, STAGED = 2, 32, 256, 512


@pytest.fixture
def settle_ns(request):
    """Return 5 ms for a test that asks for the `slow` appliance."""
    return 5 * MS if "slow" in request.fixturenames else 0


@pytest.fixture
def slow(appliance):
    return appliance


OVERLAPPED = [
    "PATH1:AB:APPL", "APPL", "APPL:ALL", "INIT", "*SAV 1;*RCL 1",
    "TRIG:SOUR BUS;:INIT;:TRIG", "TRIG:SOUR BUS;:INIT;*TRG", "ARM:SOUR BUS;:INIT;:ARM", "ARM:SOUR BUS;:INIT;*TRG",
]  # fmt: skip
SEQUENTIAL = [
    "*RST", "*CLS", "*SAV 1", "*TST?", "CLE", "PATH1:AB:CLE", "STAT:CLE", "PATH1:AB:MTU:STAT 1", "STAT:PRES",
    "TRIG:SOUR BUS;:INIT", "ARM:SOUR BUS;:INIT", "ARM:SOUR BUS;:TRIG:SOUR BUS;:INIT;:ARM", "ABOR", "MEM:STAT:DEL 1",
]  # fmt: skip


@pytest.mark.parametrize("message", OVERLAPPED)
def test_command_that_starts_a_commit_is_overlapped(slow, talk, clock, message):
    talk("*CLS")
    assert talk(f"{message};*OPC") == ""
    assert talk("*OPC?;*ESR?") == ""
    clock.now += 5 * MS - 1
    assert talk() == ""
    clock.now += 1
    assert talk() == "1;0", "*ESR? was not held, and read before the commit was complete"
    assert talk("*ESR?;:SYST:ERR:CODE?") == "1;0"


@pytest.mark.parametrize("message", SEQUENTIAL)
def test_every_other_command_is_sequential(slow, talk, message):
    talk(message)
    assert talk("*OPC?;:SYST:ERR:CODE?") == "1;0"


def condition(talk):
    return int(talk("STAT:OPER:COND?"))


def test_power_on_makes_the_plane_neutral(plane, talk):
    assert [program.entries for program in plane.programs] == [()]
    assert talk("*ESR?") == "128"


def test_nothing_reaches_the_plane_before_a_commit(plane, appliance, talk):
    talk(f"PATH2:BA:{OUTAGE};MTU:SIZE 900;STAT ON")
    assert len(plane.programs) == 1
    assert appliance.state.unsaved == {Target(path="2", direction="b-a")}
    assert appliance.state.conditions("2", "b-a") == NEUTRAL


def test_commit_of_one_flow_leaves_the_others_staged(plane, appliance, talk):
    talk(f"PATH1:AB:{OUTAGE};:PATH1:BA:{OUTAGE};:PATH1:BA:APPL")
    target = Target(path="1", direction="b-a")
    assert plane.programs[-1].entries == (FlowEntry(target=target, conditions=Conditions(loss=Outage())),)
    assert appliance.state.unsaved == {Target(path="1", direction="a-b")}


def test_commit_of_all_is_one_program_in_order(plane, talk):
    talk('PATH2:AB:MTU:STAT 1;:PATH1:BA:MTU:STAT 1;:PATH1:AB:FLOW3:FILT:DEF "STAT 1;VLAN 7";:PATH1:AB:MTU:STAT 1')
    talk("APPL")
    assert len(plane.programs) == 2
    assert [str(entry.target) for entry in plane.programs[-1].entries] == [
        "path 1 a-b", "path 1 a-b flow 3", "path 1 b-a", "path 2 a-b",
    ]  # fmt: skip
    assert plane.programs[-1].entries[1].filter == Filter(vlan=7)


def test_flow_whose_filter_is_off_is_not_programmed(plane, talk):
    talk(f"PATH1:AB:FLOW1:{OUTAGE};APPL")
    assert plane.programs[-1].entries == ()
    talk("PATH1:AB:FLOW1:FILT:STAT ON;:APPL")
    (entry,) = plane.programs[-1].entries
    assert (entry.filter, entry.conditions.loss) == (Filter(), Outage())


def test_one_conflict_keeps_everything_from_being_applied(plane, appliance, talk):
    talk(f"PATH1:AB:{OUTAGE};:PATH4:BA:LINK:MODE FLAP;DOWN 3;PER 2;STAT 1;:APPL")
    assert talk("SYST:ERR?").startswith('-221,"Settings conflict;path 4 b-a: a flap needs')
    assert len(plane.programs) == 1
    assert appliance.state.entries == ()
    assert len(appliance.state.unsaved) == 2
    talk("PATH1:AB:APPL")
    assert appliance.state.conditions("1", "a-b") == Conditions(loss=Outage())


def test_read_back_and_opc_wait_for_the_switch(slow, talk, plane, clock):
    assert talk(f"PATH1:AB:{OUTAGE};APPL;COND?;*OPC?") == ""
    assert plane.programs[-1].at_ns == clock.now + 5 * MS
    assert slow.state.entries == ()
    clock.now += 5 * MS - 1
    assert talk() == ""
    clock.now += 1
    assert talk() == '"";1'
    assert slow.state.conditions("1", "a-b") == Conditions(loss=Outage())
    assert talk("PATH1:AB:LOSS:STAT?") == "1"


def test_wai_holds_what_follows(slow, talk, clock):
    assert talk(f"PATH1:AB:{OUTAGE};APPL;*WAI;COND?") == ""
    clock.now += 5 * MS
    assert talk() == '"LOSS:STAT 1;LOSS:MOD OUT"'


def test_opc_sets_its_bit_at_the_switch(slow, talk, clock):
    talk(f"*ESR?;:PATH1:AB:{OUTAGE};APPL;*OPC")
    assert talk("*ESR?") == "0"
    clock.now += 5 * MS
    assert talk("*ESR?") == "1"


def test_second_commit_joins_the_first(slow, talk, clock, plane):
    assert talk(f"PATH1:AB:{OUTAGE};APPL;*OPC?") == ""
    clock.now += 3 * MS
    talk("PATH1:BA:MTU:STAT 1;:PATH1:BA:APPL")
    assert len(plane.programs[-1].entries) == 2
    clock.now += 3 * MS
    assert talk() == ""
    clock.now += 2 * MS
    assert talk() == "1"
    assert len(slow.state.entries) == 2


def test_settling_is_shown(slow, talk, clock):
    talk(f"PATH1:AB:{OUTAGE};APPL")
    assert condition(talk) == SETTLING + STAGED
    clock.now += 5 * MS
    assert condition(talk) == IMPAIRING


def test_reset_ends_a_commit_under_way(slow, talk, clock, plane):
    talk(f"PATH1:AB:{OUTAGE};APPL;*RST")
    assert plane.programs[-1].entries == ()
    clock.now += 9 * MS
    assert talk("*OPC?") == "1"
    assert slow.state.entries == ()
    assert condition(talk) == 0


def test_trigger_commits_what_is_staged_by_then(talk, appliance):
    talk("TRIG:SOUR BUS;:INIT")
    talk(f"PATH1:AB:{OUTAGE}")
    assert condition(talk) == WAITING + STAGED
    assert appliance.state.waiting_for_trigger
    talk("*TRG")
    assert appliance.state.conditions("1", "a-b") == Conditions(loss=Outage())
    assert not appliance.state.waiting_for_trigger


def test_init_refuses_a_conflict_and_does_not_wait(talk, appliance):
    talk("TRIG:SOUR BUS;:PATH1:AB:DEL:SPR 1;STAT ON;:INIT")
    assert talk.code() == -221
    assert not appliance.state.waiting_for_trigger


def test_trigger_that_fails_goes_on_waiting(talk, appliance):
    talk("TRIG:SOUR BUS;:INIT;:PATH1:AB:DEL:SPR 1;STAT ON;*TRG")
    assert talk.code() == -221
    assert appliance.state.waiting_for_trigger


def test_init_with_immediate_source_commits(talk, appliance):
    talk(f"PATH1:AB:{OUTAGE};:INIT")
    assert appliance.state.conditions("1", "a-b") == Conditions(loss=Outage())


def test_plane_that_fails_is_reported_until_a_commit_works(plane, talk, appliance):
    plane.failure = ConnectionLost("the engine is gone", appliance="plane")
    talk(f"PATH1:AB:{OUTAGE};APPL")
    assert talk("SYST:ERR?") == '-240,"Hardware error;plane: the engine is gone"'
    assert talk("STAT:QUES:COND?") == "512"
    assert appliance.state.entries == ()
    plane.failure = None
    assert talk("APPL;*OPC?;:STAT:QUES:COND?") == "1;0"
    assert len(appliance.state.entries) == 1


def test_plane_that_refuses_is_a_missing_option(plane, talk):
    plane.failure = CapabilityError([], appliance="relay")
    talk(f"PATH1:AB:{OUTAGE};APPL")
    assert talk.code() == -241
    assert talk("STAT:QUES:COND?") == "0"


def test_plane_that_fails_at_power_on_is_reported(plane, clock):
    plane.failure = ConnectionLost("no engine")
    with SimulatedAppliance(plane, clock=clock) as appliance:
        assert appliance.instrument.open_session("x").feed(b"*TST?;:SYST:ERR:CODE?\n") == b"0;-240\n"


def test_memory_keeps_what_is_active_and_recalls_it_whole(talk, appliance):
    talk('PATH1:AB:COND "DEL:MEAN 30 MS;DEL:STAT 1";APPL;MTU:STAT 1;*SAV 0')
    talk(f"PATH3:BA:{OUTAGE};:APPL;*RCL 0")
    assert appliance.state.entries == (
        FlowEntry(target=Target(path="1", direction="a-b"), conditions=Conditions(delay=Delay(mean="30 ms"))),
    )
    assert appliance.state.unsaved == frozenset()


def test_learned_state_restores_another_appliance(talk, appliance, plane):
    talk('PATH1:AB:COND "DEL:MEAN 30 MS;DEL:STAT 1";:PATH4:BA:FLOW8:FILT:DEF "STAT 1;DEST:ADDR \'fe80::/16\'"')
    talk(f"PATH4:BA:FLOW8:{OUTAGE};:TRIG:SOUR BUS;:INIT:CONT 1;:APPL")
    learned, before = talk("*LRN?"), appliance.state
    assert len(before.entries) == 2
    talk(f"*RST;:PATH2:AB:{OUTAGE};:APPL")
    talk(learned)
    assert appliance.state == before
    assert talk("TRIG:SOUR?;:INIT:CONT?;:SYST:ERR:CODE?") == "BUS;1;0"
