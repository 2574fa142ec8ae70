"""Filters: shadow and working copy, what they select, and what the data plane cannot tell."""

from collections.abc import Callable

import pytest

from impairlab.drivers.model import Filter
from impairlab.sim_hardware.chimera import SimulatedChimera

from .conftest import Terminal

Selected = Callable[..., Filter | None]


@pytest.fixture
def select(chimera: SimulatedChimera, terminal: Terminal) -> Selected:
    """Write a filter of flow 1 and apply it; return what it selects."""

    def selected(*settings: str) -> Filter | None:
        terminal.ok("0/0 PEF_INIT [1]", *(f"0/0 PEF_{each}" for each in settings), "0/0 PEF_ENABLE [1,0] ON")
        terminal.ok("0/0 PEF_APPLY [1]")
        return next((entry.filter for entry in chimera.state.entries if entry.target.flow == 1), None)

    return selected


IP4 = ("L3USE [1,0] IP4", "IPV4SETTINGS [1,0] AND INCLUDE")
IP6 = ("L3USE [1,0] IP6", "IPV6SETTINGS [1,0] AND INCLUDE")
VLAN = ("L2PUSE [1,0] VLAN1", "VLANSETTINGS [1,0] AND INCLUDE")
FULL6 = "0x" + "F" * 32


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ((), Filter()),
        (("ETHSETTINGS [1,0] AND INCLUDE",), Filter()),
        (IP4, Filter(source="0.0.0.0/0")),
        (IP6, Filter(source="::/0")),
        ((*IP4, "IPV4SRCADDR [1,0] ON 10.1.2.3 0xFFFF0000"), Filter(source="10.1.0.0/16")),
        (
            (*IP4, "IPV4SRCADDR [1,0] ON 10.1.2.3 0xFFFFFFFF", "IPV4DESTADDR [1,0] ON 10.1.2.4 0xFFFFFFFF"),
            Filter(source="10.1.2.3", destination="10.1.2.4"),
        ),
        ((*IP6, f"IPV6DESTADDR [1,0] ON 2001:db8::5 {FULL6}"), Filter(destination="2001:db8::5")),
        ((*IP4, "IPV4DSCP [1,0] ON 184 0xFC"), Filter(source="0.0.0.0/0", dscp=46)),
        ((*VLAN, "VLANTAG [1,0,0] ON 100 0x0FFF"), Filter(vlan=100)),
        (("TCPSETTINGS [1,0] AND INCLUDE",), Filter(protocol="tcp")),
        (
            ("UDPSETTINGS [1,0] AND INCLUDE", "UDPSRCPORT [1,0] ON 5000 0xFFFF", "UDPDESTPORT [1,0] ON 1 0x0000"),
            Filter(protocol="udp", source_port=5000),
        ),
        (("MODE [1,0] EXTENDED", "PROTOCOL [1,0] ETHERNET ETHERTYPE IP"), Filter()),
    ],
)
def test_what_a_filter_selects(select: Selected, settings: tuple[str, ...], expected: Filter) -> None:
    assert select(*settings) == expected


@pytest.mark.parametrize(
    "settings",
    [
        ("ETHSETTINGS [1,0] AND INCLUDE", "ETHSRCADDR [1,0] ON 0x010203040506 0xFFFFFFFFFFFF"),
        ("MPLSSETTINGS [1,0] AND INCLUDE",),
        ("ANYSETTINGS [1,0] AND INCLUDE",),
        ("TPLDCONFIG [1,0,3] ON 5",),
        ("UDPSETTINGS [1,0] AND EXCLUDE",),
        ("UDPSETTINGS [1,0] AND INCLUDE", "TCPSETTINGS [1,0] AND INCLUDE"),
        ("UDPSETTINGS [1,0] AND INCLUDE", "UDPSRCPORT [1,0] ON 5000 0xFF00"),
        ("IPV4SETTINGS [1,0] AND INCLUDE",),
        (*IP4, "IPV4SRCADDR [1,0] ON 10.0.0.0 0xFF00FF00"),
        VLAN,
        (*VLAN, "VLANTAG [1,0,0] ON 100 0x0FF0"),
        (*VLAN, "VLANTAG [1,0,0] ON 100 0x0FFF", "VLANPCP [1,0,0] ON 3 0x07"),
        ("MODE [1,0] EXTENDED", "PROTOCOL [1,0] ETHERNET", "MASK [1,0,0] 0xFF"),
    ],
)
def test_what_the_data_plane_cannot_tell_is_refused_when_it_is_applied(
    chimera: SimulatedChimera, terminal: Terminal, settings: tuple[str, ...]
) -> None:
    terminal.ok(*(f"0/0 PEF_{each}" for each in settings), "0/0 PEF_ENABLE [1,0] ON")
    assert terminal.ask("0/0 PEF_APPLY [1]") == "<NOTSUPPORTED>"
    assert terminal.ask("0/0 PEF_ISSHADOWDIRTY [1] ?").endswith("YES")
    assert chimera.state.entries == ()


def test_the_shadow_is_written_and_the_working_copy_acts(terminal: Terminal, select: Selected) -> None:
    assert select("UDPSETTINGS [1,0] AND INCLUDE") == Filter(protocol="udp")
    terminal.ok("0/0 PEF_UDPDESTPORT [1,0] ON 9 0xFFFF")
    assert terminal.ask("0/0 PEF_UDPDESTPORT [1,1] ?").endswith("OFF 0 0xFFFF")
    terminal.ok("0/0 PEF_CANCEL [1]")
    assert terminal.ask("0/0 PEF_UDPDESTPORT [1,0] ?").endswith("OFF 0 0xFFFF")
    assert terminal.ask("0/0 PEF_UDPSETTINGS [1,0] ?").endswith("AND INCLUDE")
    terminal.ok("0/0 PEF_INIT [1]")
    assert terminal.ask("0/0 PEF_UDPSETTINGS [1,0] ?").endswith("OFF INCLUDE")
    assert terminal.ask("0/0 PEF_UDPSETTINGS [1,1] ?").endswith("AND INCLUDE")


def test_a_filter_that_is_disabled_matches_nothing(terminal: Terminal, chimera: SimulatedChimera) -> None:
    terminal.ok("0/0 PED_RANDOM [1,0] 1000", "0/0 PED_ENABLE [1,0] ON")
    assert chimera.state.entries == ()
    terminal.ok("0/0 PEF_ENABLE [1,0] ON", "0/0 PEF_APPLY [1]")
    assert len(chimera.state.entries) == 1
    terminal.ok("0/0 PEF_ENABLE [1,0] OFF", "0/0 PEF_APPLY [1]")
    assert chimera.state.entries == ()


def test_segments_of_the_extended_mode(terminal: Terminal) -> None:
    terminal.ok("0/0 PEF_MODE [1,0] EXTENDED", "0/0 PEF_PROTOCOL [1,0] ETHERNET VLAN ETHERTYPE ECPRI")
    terminal.ok("0/0 PEF_VALUE [1,0,4] 0x11223344")
    whole = "00" * 18 + "1122334400000000"
    assert terminal.ask("0/0 PEF_VALUE [1,0,0] ?") == f"0/0  PEF_VALUE  [1,0,0]  0x{whole}"
    assert terminal.ask("0/0 PEF_VALUE [1,0,4] ?").endswith("0x1122334400000000")
    assert terminal.ask("0/0 PEF_VALUE [1,0,5] ?") == "<BADINDEX>"
    assert terminal.ask("0/0 PEF_VALUE [1,0,4] 0x112233445566778899") == "<BADSIZE>"
    assert terminal.ask("0/0 PEF_PROTOCOL [1,0] VLAN") == "<BADVALUE>"
    assert terminal.ask("0/0 PEF_PROTOCOL [1,0] ETHERNET RAW_117") == "<BADVALUE>"
    terminal.ok("0/0 PEF_PROTOCOL [1,0] ETHERNET RAW_116", "0/0 PEF_PROTOCOL [1,0] ETHERNET")
    assert terminal.ask("0/0 PEF_VALUE [1,0,0] ?").endswith("0x" + "00" * 12)
