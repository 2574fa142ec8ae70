"""The commands of the text CLI that this driver uses: where each acts, its indices, and its arguments with ranges.

Source: the parameter definitions of tdl-xoa-driver 1.11 (Teledyne, Apache-2.0), which a test compares with this table,
and docs.xenanetworks.com for how they are written as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Place = Literal["chassis", "module", "port"]
Form = Literal["number", "word", "hex", "ipv4", "ipv6", "text", "numbers"]

PPM = 1_000_000
MOST_PACKETS = 4_194_288
"""Most packets from one impairment to the next."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command.

    Attributes:
        name: What the definitions call it.
        form: How it is written.
        low: Least value, where one is documented.
        high: Greatest value, where one is documented.
        words: Of a word: what is legal, in the order of their codes.
    """

    name: str
    form: Form = "number"
    low: int | None = None
    high: int | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: As it is written.
        place: What it is prefixed with: nothing, a module, or a module and a port.
        indices: What stands between brackets.
        sets: Arguments of the command; None where it cannot be set.
        gets: What a query answers; None where it cannot be asked.
    """

    name: str
    place: Place
    indices: tuple[str, ...] = ()
    sets: tuple[Argument, ...] | None = None
    gets: tuple[Argument, ...] | None = None


def _number(name: str, low: int | None = None, high: int | None = None) -> Argument:
    return Argument(name, "number", low, high)


def _hex(name: str) -> Argument:
    return Argument(name, "hex")


def _text(name: str) -> Argument:
    return Argument(name, "text")


def _word(name: str, *words: str) -> Argument:
    return Argument(name, "word", words=words)


def _switch(name: str) -> Argument:
    return _word(name, "OFF", "ON")


def _both(name: str, place: Place, indices: tuple[str, ...], *arguments: Argument) -> Command:
    return Command(name, place, indices, sets=arguments, gets=arguments)


def _asked(name: str, place: Place, indices: tuple[str, ...], *answers: Argument) -> Command:
    return Command(name, place, indices, gets=answers)


def _done(name: str, place: Place, indices: tuple[str, ...] = ()) -> Command:
    return Command(name, place, indices, sets=())


_FLOW = ("flow",)
_KIND = ("flow", "type")
_COPY = ("flow", "copy")
_TABLE = ("table",)

_CHASSIS = (
    Command("C_LOGON", "chassis", sets=(_text("password"),)),
    _both("C_OWNER", "chassis", (), _text("username")),
    _asked("C_MODEL", "chassis", (), _text("model")),
    _asked("C_SERIALNO", "chassis", (), _number("serial_number")),
    _asked("C_VERSIONNO", "chassis", (), _number("chassis_major_version"), _number("pci_driver_version")),
    _asked("C_RESERVEDBY", "chassis", (), _text("username")),
    _asked("M_MODEL", "module", (), _text("model")),
    _asked("M_SERIALNO", "module", (), _number("serial_number")),
    _asked("M_VERSIONNO", "module", (), _number("version")),
    _asked("M_RESERVEDBY", "module", (), _text("username")),
    _both("M_LATENCYMODE", "module", (), _word("mode", "NORMAL", "EXTENDED")),
    _both("M_EMULBYPASS", "module", (), _switch("on_off")),
    Command(
        "P_RESERVATION", "port",
        sets=(_word("operation", "RELEASE", "RESERVE", "RELINQUISH"),),
        gets=(_word("status", "RELEASED", "RESERVED_BY_YOU", "RESERVED_BY_OTHER"),),
    ),
    _asked("P_RESERVEDBY", "port", (), _text("username")),
    _both("P_EMULATE", "port", (), _switch("action")),
)  # fmt: skip

_PORT = (
    _both(
        "PP_LINKFLAP_PARAMS", "port", (),
        _number("duration", 0, 1_000), _number("period", 10, 50_000), _number("repetition", 0, 65_535),
    ),
    _both("PP_LINKFLAP_ENABLE", "port", (), _switch("on_off")),
    _both(
        "PEC_VAL", "port", _TABLE,
        _switch("linear"), _switch("symmetric"), _number("entry_count", 512, 1024), Argument("data_x", "numbers"),
    ),
    _both("PEC_COMMENT", "port", _TABLE, _text("comment")),
)  # fmt: skip

_FLOWS = (
    _asked("PE_LATENCYRANGE", "port", _FLOW, _number("min"), _number("max")),
    _both("PE_CORRUPT", "port", _FLOW, _word("corruption_type", "OFF", "ETH", "IP", "UDP", "TCP", "BER")),
    _both("PE_MISORDER", "port", _FLOW, _number("depth", 1, 32)),
    _both(
        "PE_BANDPOLICER", "port", _FLOW,
        _switch("on_off"), _word("mode", "L1", "L2"), _number("cir", 0, 1_000_000), _number("cbs", 0, 4_194_304),
    ),
    _both(
        "PE_BANDSHAPER", "port", _FLOW,
        _switch("on_off"), _word("mode", "L1", "L2"), _number("cir", 0, 1_000_000), _number("cbs", 0, 4_194_304),
        _number("buffer_size", 0, 2_097_152),
    ),
)  # fmt: skip

_DISTRIBUTIONS = (
    _done("PED_OFF", "port", _KIND),
    _both("PED_ENABLE", "port", _KIND, _switch("action")),
    _both("PED_SCHEDULE", "port", _KIND, _number("duration", 1, 65_535), _number("period", 0, 65_535)),
    _asked("PED_ONESHOTSTATUS", "port", _KIND, _number("one_shot_status")),
    _both("PED_FIXED", "port", _KIND, _number("probability", 0, PPM)),
    _both("PED_RANDOM", "port", _KIND, _number("probability", 0, PPM)),
    _both("PED_BER", "port", _KIND, _number("coef", 1, 9), _number("exp", -18, -1)),
    _both("PED_FIXEDBURST", "port", _KIND, _number("burst_size", 1, 16_383)),
    _both(
        "PED_RANDOMBURST", "port", _KIND,
        _number("minimum", 0, 65_535), _number("maximum", 0, 65_535), _number("probability", 0, PPM),
    ),
    _both(
        "PED_GE", "port", _KIND,
        _number("good_state_prob", 0, PPM), _number("good_state_trans_prob", 0, PPM),
        _number("bad_state_prob", 0, PPM), _number("bad_state_trans_prob", 0, PPM),
    ),
    _both("PED_UNI", "port", _KIND, _number("minimum", 0, MOST_PACKETS), _number("maximum", 0, MOST_PACKETS)),
    _both("PED_GAUSS", "port", _KIND, _number("mean", 0, MOST_PACKETS), _number("std_deviation", 0, MOST_PACKETS)),
    _both("PED_POISSON", "port", _KIND, _number("mean", 0, MOST_PACKETS)),
    _both("PED_GAMMA", "port", _KIND, _number("shape"), _number("scale")),
    _both("PED_CUST", "port", _KIND, _number("cust_id", 1, 40)),
    _both("PED_CONST", "port", _KIND, _number("delay")),
    _both("PED_ACCBURST", "port", _KIND, _number("delay")),
    _both("PED_STEP", "port", _KIND, _number("low"), _number("high")),
)  # fmt: skip

_COUNT_AND_RATIO = (_number("pkt_count"), _number("ratio"))
_DROPS = tuple(
    _number(f"pkt_drop_{kind}_{cause}")
    for kind in ("count", "ratio")
    for cause in ("total", "programmed", "bandwidth", "other")
)
_CORRUPTIONS = tuple(
    _number(f"{layer}_corrupted_pkt_{kind}")
    for kind in ("count", "ratio")
    for layer in ("total", "fcs", "ip", "udp", "tcp")
)


def _counters(prefix: str, indices: tuple[str, ...]) -> tuple[Command, ...]:
    return (
        _asked(f"{prefix}DROPTOTAL", "port", indices, *_DROPS),
        *(
            _asked(f"{prefix}{what}TOTAL", "port", indices, *_COUNT_AND_RATIO)
            for what in ("LATENCY", "JITTER", "DUP", "MIS")
        ),
        _asked(f"{prefix}CORTOTAL", "port", indices, *_CORRUPTIONS),
        _done(f"{prefix}CLEAR", "port", indices),
    )


def _settings(header: str) -> Command:
    return _both(
        f"PEF_{header}SETTINGS", "port", _COPY, _word("use", "OFF", "AND"), _word("action", "EXCLUDE", "INCLUDE")
    )


def _match(name: str, form: Form, indices: tuple[str, ...] = _COPY) -> Command:
    return _both(name, "port", indices, _switch("use"), Argument("value", form), _hex("mask"))


_FILTERS = (
    _done("PEF_INIT", "port", _FLOW),
    _done("PEF_APPLY", "port", _FLOW),
    _done("PEF_CANCEL", "port", _FLOW),
    _asked("PEF_ISSHADOWDIRTY", "port", _FLOW, _word("is_in_sync", "NO", "YES")),
    _both("PEF_ENABLE", "port", _COPY, _switch("state")),
    _both("PEF_MODE", "port", _COPY, _word("mode", "BASIC", "EXTENDED")),
    *(_settings(header) for header in ("ETH", "VLAN", "MPLS", "IPV4", "IPV6", "UDP", "TCP", "ANY")),
    _both("PEF_L2PUSE", "port", _COPY, _word("use", "NA", "VLAN1", "VLAN2", "MPLS")),
    _both("PEF_L3USE", "port", _COPY, _word("use", "NA", "IP4", "IP6")),
    _match("PEF_VLANTAG", "number", (*_COPY, "tag")),
    _match("PEF_IPV4SRCADDR", "ipv4"),
    _match("PEF_IPV4DESTADDR", "ipv4"),
    _match("PEF_IPV4DSCP", "number"),
    _match("PEF_IPV6SRCADDR", "ipv6"),
    _match("PEF_IPV6DESTADDR", "ipv6"),
    _match("PEF_IPV6TC", "number"),
    _match("PEF_UDPSRCPORT", "number"),
    _match("PEF_UDPDESTPORT", "number"),
    _match("PEF_TCPSRCPORT", "number"),
    _match("PEF_TCPDESTPORT", "number"),
)

COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        *_CHASSIS, *_PORT, *_FLOWS, *_DISTRIBUTIONS, *_counters("PE_", ()), *_counters("PE_FLOW", _FLOW), *_FILTERS,
    )
}  # fmt: skip
