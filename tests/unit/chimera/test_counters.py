"""Counters as a Chimera shows them, from those of the data plane."""

from impairlab.drivers.model import Statistics, Target
from impairlab.sim_hardware.planes.null import NullPlane

from .conftest import Terminal


def counters(**counts: int) -> dict[Target, Statistics]:
    return {Target(path="1", direction="a-b", flow=1): Statistics(at_ns=0, **counts)}


def test_totals_and_ratios(terminal: Terminal, plane: NullPlane) -> None:
    plane.counters = {
        Target(path="1", direction="a-b", flow=0): Statistics(at_ns=0, received_packets=1000, dropped_loss=10),
        Target(path="1", direction="a-b", flow=3): Statistics(
            at_ns=0, received_packets=2000, dropped_loss=5, dropped_rate=3, dropped_link=2, dropped_other=9,
            delayed=1500, jittered=300, duplicated=6, reordered=30
        ),
        Target(path="1", direction="b-a", flow=0): Statistics(at_ns=0, received_packets=7, dropped_loss=7),
    }  # fmt: skip
    assert terminal.ask("0/0 PE_DROPTOTAL ?") == "0/0  PE_DROPTOTAL  20 15 3 2 6666 5000 1000 666"
    assert terminal.ask("0/0 PE_FLOWDROPTOTAL [3] ?") == "0/0  PE_FLOWDROPTOTAL  [3]  10 5 3 2 5000 2500 1500 1000"
    assert terminal.ask("0/0 PE_LATENCYTOTAL ?") == "0/0  PE_LATENCYTOTAL  1500 500000"
    assert terminal.ask("0/0 PE_JITTERTOTAL ?") == "0/0  PE_JITTERTOTAL  300 100000"
    assert terminal.ask("0/0 PE_DUPTOTAL ?") == "0/0  PE_DUPTOTAL  6 2000"
    assert terminal.ask("0/0 PE_MISTOTAL ?") == "0/0  PE_MISTOTAL  30 10000"
    assert terminal.ask("0/1 PE_DROPTOTAL ?") == "0/1  PE_DROPTOTAL  7 7 0 0 1000000 1000000 0 0"


def test_corrupted_packets_are_counted_to_the_type_of_their_time(terminal: Terminal, plane: NullPlane) -> None:
    plane.counters = counters(received_packets=1000, corrupted=0)
    terminal.ok("0/0 PE_CORRUPT [1] UDP")
    plane.counters = counters(received_packets=1000, corrupted=4)
    terminal.ok("0/0 PE_CORRUPT [1] IP")
    plane.counters = counters(received_packets=1000, corrupted=10)
    terminal.ok("0/0 PE_CORRUPT [1] BER")
    plane.counters = counters(received_packets=1000, corrupted=11)
    assert terminal.ask("0/0 PE_FLOWCORTOTAL [1] ?").endswith("  11 0 6 4 0 11000 0 6000 4000 0")
    assert terminal.ask("0/0 PE_CORTOTAL ?").endswith("  11 0 6 4 0 11000 0 6000 4000 0")


def test_clearing(terminal: Terminal, plane: NullPlane) -> None:
    plane.cleared.clear()
    terminal.ok("0/1 PE_FLOWCLEAR [3]")
    assert plane.cleared == [Target(path="1", direction="b-a", flow=3)]
    terminal.ok("0/1 PE_CLEAR")
    assert plane.cleared[1:] == [Target(path="1", direction="b-a", flow=number) for number in range(8)]


def test_traffic_counters_are_cleared_on_their_own(terminal: Terminal, plane: NullPlane) -> None:
    plane.counters = counters(received_bytes=500, received_packets=5, forwarded_bytes=400, forwarded_packets=4)
    assert terminal.ask("0/0 PR_FLOWTOTAL [1] ?") == "0/0  PR_FLOWTOTAL  [1]  0 0 500 5"
    terminal.ok("0/0 PR_FLOWCLEAR [1]")
    plane.counters = counters(received_bytes=700, received_packets=7, forwarded_bytes=400, forwarded_packets=4)
    assert terminal.ask("0/0 PR_FLOWTOTAL [1] ?") == "0/0  PR_FLOWTOTAL  [1]  0 0 200 2"
    assert terminal.ask("0/0 PT_FLOWTOTAL [1] ?") == "0/0  PT_FLOWTOTAL  [1]  0 0 400 4"


def test_a_burst_once_is_done_when_all_of_it_was_hit(terminal: Terminal, plane: NullPlane) -> None:
    plane.counters = counters(dropped_loss=3)
    terminal.ok("0/0 PED_FIXEDBURST [1,0] 5", "0/0 PED_ENABLE [1,0] ON")
    plane.counters = counters(dropped_loss=7)
    assert terminal.ask("0/0 PED_ONESHOTSTATUS [1,0] ?").endswith("  0")
    plane.counters = counters(dropped_loss=8)
    assert terminal.ask("0/0 PED_ONESHOTSTATUS [1,0] ?").endswith("  1")
