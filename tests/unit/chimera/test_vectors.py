"""Lines and answers that are public, word for word: the xoa-cli reference, saved configurations, real logs."""

from collections.abc import Callable

import pytest

from impairlab.drivers.model import Conditions, Filter
from impairlab.sim_hardware.chimera import HouseOptions, SimulatedChimera
from impairlab.sim_hardware.planes.null import NullPlane

from .conftest import Terminal


def test_logon_and_owner(stranger: Terminal) -> None:
    assert stranger.ask('C_LOGON "xena"') == "<OK>"
    assert stranger.ask('C_OWNER "lab1"') == "<OK>"


def test_before_logon_nothing_works(stranger: Terminal) -> None:
    assert stranger.ask("0/1 PED_RANDOM [0,0] 1000") == "<NOTLOGGEDON>"
    assert stranger.ask("0/1 PED_RANDOM [0,0] ?") == "<NOTLOGGEDON>"


def test_a_free_port_must_be_reserved_first(stranger: Terminal) -> None:
    stranger.log_on()
    assert stranger.ask("0/1 PED_RANDOM [0,0] 1000") == "<NOTRESERVED>"
    assert stranger.ask("0/1 P_RESERVATION ?") == "0/1  P_RESERVATION  RELEASED"
    assert stranger.ask("0/1 P_RESERVATION RESERVE") == "<OK>"
    assert stranger.ask("0/1 P_RESERVATION ?") == "0/1  P_RESERVATION  RESERVED_BY_YOU"
    assert stranger.ask("0/1 PED_RANDOM [0,0] 1000") == "<OK>"
    assert stranger.ask("0/1 PED_RANDOM [0,0] ?") == "0/1  PED_RANDOM  [0,0]  1000"


def test_what_a_query_answers_is_a_script_that_sets(terminal: Terminal) -> None:
    terminal.ok("0/1 PE_BANDSHAPER [2] OFF L2 1000 2000 3000", "0/1 PP_LINKFLAP_PARAMS 100 1000 INFINITE")
    for query in ("0/1 PE_BANDSHAPER [2] ?", "0/1 PP_LINKFLAP_PARAMS ?", "0/1 PEF_IPV6SRCADDR [1,0] ?"):
        terminal.ok(terminal.ask(query))
    assert terminal.ask("0/1 PP_LINKFLAP_PARAMS ?") == "0/1  PP_LINKFLAP_PARAMS  100 1000 INFINITE"


def test_the_port_is_reserved_by_another_session(
    chimera: SimulatedChimera, terminal: Terminal, connect: Callable[[SimulatedChimera], Terminal]
) -> None:
    other = connect(chimera).log_on("alexk")
    assert other.ask("0/1 p_reservation ?") == "0/1  P_RESERVATION  RESERVED_BY_OTHER"
    assert other.ask("0/1 P_RESERVEDBY ?") == '0/1  P_RESERVEDBY  "lab1"'
    assert other.ask("0/1 p_reservation relinquish") == "<OK>"
    assert other.ask("0/1 p_reservation reserve") == "<OK>"
    assert terminal.ask("0/1 PED_RANDOM [0,0] 1") == "<NOTRESERVED>"


def test_latencies_are_multiples_of_100_ns_refused_or_rounded(
    terminal: Terminal, connect: Callable[[SimulatedChimera], Terminal]
) -> None:
    assert terminal.ask("0/1 PED_CONST [1,2] 150") == "<BADVALUE>"
    with SimulatedChimera(NullPlane(), options=HouseOptions(off_grid="round-down")) as rounding:
        other = connect(rounding).log_on().reserve(1)
        other.ok("0/1 PED_CONST [1,2] 150")
        assert other.ask("0/1 PED_CONST [1,2] ?") == "0/1  PED_CONST  [1,2]  100"


def test_misordering_is_at_most_32_packets_deep(terminal: Terminal) -> None:
    assert terminal.ask("0/1 PE_MISORDER [1] 33") == "<BADVALUE>"
    assert terminal.ask("0/1 PE_MISORDER [1] 0") == "<BADVALUE>"
    terminal.ok("0/1 PE_MISORDER [1] 32")


FILTER_OF_A_SAVED_FILE = """\
0/1 PEF_INIT [1]
0/1 PEF_L3USE [1,0] IP4
0/1 PEF_IPV4SETTINGS [1,0] AND INCLUDE
0/1 PEF_IPV4DESTADDR [1,0] ON 10.10.10.20 0xFFFFFFFF
0/1 PEF_UDPSETTINGS [1,0] AND INCLUDE
0/1 PEF_UDPDESTPORT [1,0] ON 4791 0xFFFF
0/1 PEF_ENABLE [1,0] ON""".splitlines()


def test_a_filter_changes_traffic_when_it_is_applied(
    chimera: SimulatedChimera, terminal: Terminal, plane: NullPlane
) -> None:
    terminal.ok("0/1 PED_CONST [1,2] 5000000", "0/1 PED_ENABLE [1,2] ON")
    before = len(plane.programs)
    terminal.ok(*FILTER_OF_A_SAVED_FILE)
    assert len(plane.programs) == before
    assert terminal.ask("0/1 PEF_ISSHADOWDIRTY [1] ?") == "0/1  PEF_ISSHADOWDIRTY  [1]  YES"
    assert {str(target) for target in chimera.state.unsaved} == {"path 1 b-a flow 1"}
    terminal.ok("0/1 PEF_APPLY [1]")
    assert terminal.ask("0/1 PEF_ISSHADOWDIRTY [1] ?") == "0/1  PEF_ISSHADOWDIRTY  [1]  NO"
    (entry,) = plane.programs[-1].entries
    assert entry.filter == Filter(protocol="udp", destination="10.10.10.20", destination_port=4791)
    assert str(entry.conditions) == "delay 5 ms"


def test_the_parser_points_at_what_it_does_not_understand(terminal: Terminal) -> None:
    assert terminal.lines("PED_RANDOM [3,0] 500") == ["^---", "#Index error in column 1"]
    pointer, message = terminal.lines("0/5 PED_RANDOM [0,0] 5q00")
    assert message == "#Syntax error in column 22"
    assert pointer == "-" * 21 + "^"


def test_default_module_and_port(terminal: Terminal) -> None:
    terminal.ok("0/1", "PED_RANDOM [3,0] 500")
    assert terminal.ask("PED_RANDOM [3,0] ?") == "PED_RANDOM  [3,0]  500"
    terminal.ok("-/-")
    assert terminal.lines("PED_RANDOM [3,0] 500")[1] == "#Index error in column 1"


def test_pma_error_pulses_are_kept_and_not_enabled(terminal: Terminal) -> None:
    terminal.ok("0/1 PP_PMAERRPUL_PARAMS 100 1000 0 100 -4")
    assert terminal.ask("0/1 PP_PMAERRPUL_PARAMS ?") == "0/1  PP_PMAERRPUL_PARAMS  100 1000 INFINITE 100 -4"
    assert terminal.ask("0/1 PP_PMAERRPUL_ENABLE ON") == "<NOTSUPPORTED>"


def test_emulation_must_be_on_for_packets_to_be_impaired(stranger: Terminal, active: Callable[..., Conditions]) -> None:
    stranger.log_on().ok("0/0 P_RESERVATION RESERVE", "0/0 PED_RANDOM [0,0] 1000", "0/0 PED_ENABLE [0,0] ON")
    assert active().is_neutral
    stranger.ok("0/0 P_EMULATE ON")
    assert str(active()) == "loss 0.1 %"
    stranger.ok("0/0 PED_OFF [0,0]")
    assert active().is_neutral
    assert stranger.ask("0/0 PED_RANDOM [0,0] ?") == "<NOTVALID>"


def test_the_extended_latency_mode_resets_all_latencies(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    terminal.ok("0/0 PED_CONST [0,2] 5000000", "0/0 PED_ENABLE [0,2] ON", "0/0 PED_RANDOM [0,0] 10",
                "0/0 PED_ENABLE [0,0] ON")  # fmt: skip
    assert terminal.ask("0/0 PE_LATENCYRANGE [0] ?") == "0/0  PE_LATENCYRANGE  [0]  0 1000000000"
    assert active().delay is not None
    terminal.ok("0 M_RESERVATION RESERVE", "0 M_LATENCYMODE EXTENDED")
    assert active().delay is None
    assert active().loss is not None
    assert terminal.ask("0/0 PE_LATENCYRANGE [0] ?") == "0/0  PE_LATENCYRANGE  [0]  0 10000000000"
    assert terminal.ask("0/0 PED_ENABLE [0,2] ?") == "0/0  PED_ENABLE  [0,2]  OFF"
    terminal.ok("0/0 PED_CONST [0,2] 9000000000", "0/0 PED_ENABLE [0,2] ON", "0 M_LATENCYMODE EXTENDED")
    assert str(active().delay) == "delay 9 s"


def test_the_bypass_bypasses_everything(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    terminal.ok("0/0 PED_RANDOM [0,0] 10", "0/0 PED_ENABLE [0,0] ON", "0 M_RESERVATION RESERVE", "0 M_EMULBYPASS ON")
    assert active().is_neutral
    terminal.ok("0 M_EMULBYPASS OFF")
    assert not active().is_neutral


@pytest.mark.parametrize("unit_ns", [10_000_000, 1_000_000])
def test_the_unit_of_a_schedule_is_a_choice(unit_ns: int, connect: Callable[[SimulatedChimera], Terminal]) -> None:
    with SimulatedChimera(NullPlane(), schedule_unit_ns=unit_ns) as chimera:
        terminal = connect(chimera).log_on().reserve(0)
        terminal.ok("0/0 PED_RANDOM [0,0] 1000", "0/0 PED_SCHEDULE [0,0] 120 520", "0/0 PED_ENABLE [0,0] ON")
        loss = chimera.state.conditions("1", "a-b").loss
        assert loss is not None
        assert loss.schedule is not None
        assert (loss.schedule.on, loss.schedule.period) == (120 * unit_ns, 520 * unit_ns)
