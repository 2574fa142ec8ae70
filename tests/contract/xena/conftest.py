"""A chassis by script: what public texts say of the text CLI, and no more. Where they say nothing, a test does.

It answers with two spaces between words, as real logs do, and queries of distributions that are not set by <NOTVALID>.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from threading import Lock

import pytest

from impairlab.drivers import Appliance, Conditions, connect
from impairlab.drivers.testing.peers import SocketWire, tcp_peer

MS = 1_000_000

LINE = re.compile(r"(?:(?P<place>\d+(?:/\d+)?) )?(?P<name>[A-Z_0-9]+)(?: \[(?P<indices>[\d,]+)\])?(?: (?P<values>.+))?")

DISTRIBUTIONS = {
    "PED_FIXED", "PED_RANDOM", "PED_BER", "PED_FIXEDBURST", "PED_RANDOMBURST", "PED_GE", "PED_UNI", "PED_GAUSS",
    "PED_POISSON", "PED_GAMMA", "PED_CUST", "PED_CONST", "PED_ACCBURST", "PED_STEP",
}  # fmt: skip

AT_FIRST = {
    "M_MODEL": '"Chi-100G-5S-2P"', "M_SERIALNO": "4711", "M_VERSIONNO": "88", "M_LATENCYMODE": "NORMAL",
    "M_EMULBYPASS": "OFF", "M_RESERVEDBY": '""', "C_RESERVEDBY": '""', "P_EMULATE": "OFF",
    "PE_LATENCYRANGE": "1900 1000000000", "PED_ENABLE": "OFF", "PED_SCHEDULE": "1 0", "PE_MISORDER": "1",
    "PE_CORRUPT": "OFF", "PE_BANDPOLICER": "OFF L2 0 0", "PE_BANDSHAPER": "OFF L2 0 0 0", "PP_LINKFLAP_ENABLE": "OFF",
    "PP_LINKFLAP_PARAMS": "0 0 0", "PEF_ENABLE": "OFF", "PEF_MODE": "BASIC", "PEF_L2PUSE": "NA", "PEF_L3USE": "NA",
    "PEC_COMMENT": '""', "PEF_VLANTAG": "OFF 0 0x0FFF", "PEF_IPV4DSCP": "OFF 0 0xFC", "PEF_IPV6TC": "OFF 0 0xFC",
    **{f"PEF_{what}SETTINGS": "OFF INCLUDE" for what in ("ETH", "VLAN", "MPLS", "IPV4", "IPV6", "UDP", "TCP", "ANY")},
    **{f"PEF_IPV4{end}ADDR": "OFF 0.0.0.0 0xFFFFFFFF" for end in ("SRC", "DEST")},
    **{f"PEF_IPV6{end}ADDR": f"OFF 0x{'00' * 16} 0x{'FF' * 16}" for end in ("SRC", "DEST")},
    **{f"PEF_{layer}{end}PORT": "OFF 0 0xFFFF" for layer in ("UDP", "TCP") for end in ("SRC", "DEST")},
    **{f"PE_{flow}DROPTOTAL": "10 6 3 1 100 60 30 10" for flow in ("", "FLOW")},
    **{f"PE_{flow}CORTOTAL": "5 1 2 1 1 50 10 20 10 10" for flow in ("", "FLOW")},
    **{f"PE_{flow}{what}TOTAL": "7 70" for flow in ("", "FLOW") for what in ("LATENCY", "JITTER", "DUP", "MIS")},
}  # fmt: skip


SCHEDULE = {"on": "50 ms", "period": "200 ms"}
PATTERNS = {
    "even": {"model": "even", "rate": "1 %"},
    "single-burst": {"model": "single-burst", "packets": 5},
    "random-burst": {"model": "random-burst", "rate": "0.1 %", "shortest": 2, "longest": 10},
    "gilbert-elliott": {
        "model": "gilbert-elliott", "to_bad": "0.1 %", "to_good": "20 %", "bad_loss": "50 %", "good_loss": "1 ppm",
    },
    "bit-error": {"model": "bit-error", "ber": Decimal("4E-7")},
    "spaced": {"model": "spaced", "law": "uniform", "mean": Decimal(100), "spread": Decimal(50)},
}  # fmt: skip

EXAMPLES = {
    "delay.constant": {"delay": {"distribution": "constant", "mean": "40 ms"}},
    "delay.uniform": {"delay": {"distribution": "uniform", "mean": "40 ms", "spread": "10 ms"}},
    "delay.normal": {"delay": {"distribution": "normal", "mean": "40 ms", "spread": "8 ms"}},
    "delay.gamma": {"delay": {"distribution": "gamma", "mean": "40 ms", "spread": "8 ms"}},
    "delay.step": {"delay": {"distribution": "step", "mean": "40 ms", "spread": "10 ms"}},
    "delay.poisson": {"delay": {"distribution": "poisson", "mean": "40 ms", "spread": "1 ns"}},
    "delay.table": {
        "delay": {
            "distribution": "table", "mean": "40 ms", "spread": "100 us",
            "table": [Decimal(number - 512) / 100 for number in range(1024)],
        }
    },
    "delay.accumulate-burst": {
        "delay": {"distribution": "accumulate-burst", "hold": "20 ms", "schedule": {"on": "20 ms", "period": "500 ms"}}
    },
    "loss.random": {"loss": {"model": "random", "rate": "0.3 %", "schedule": SCHEDULE}},
    "loss.outage": {"loss": {"model": "outage", "schedule": SCHEDULE}},
    **{f"loss.{form}": {"loss": pattern} for form, pattern in PATTERNS.items()},
    "reorder.even": {"reorder": {"pattern": PATTERNS["even"], "depth": 3, "schedule": SCHEDULE}},
    "reorder.single-burst": {"reorder": {"pattern": {"model": "single-burst", "packets": 1}, "depth": 32}},
    "duplicate": {"duplicate": {"rate": "0.1 %", "schedule": SCHEDULE}},
    **{f"duplicate.{form}": {"duplicate": {"pattern": pattern}} for form, pattern in PATTERNS.items()},
    "corrupt": {"corrupt": {"rate": "0.1 %", "damages": "udp"}},
    **{
        f"corrupt.{form}": {
            "corrupt": {"pattern": pattern, "damages": "payload" if form == "bit-error" else "ethernet"}
        }
        for form, pattern in PATTERNS.items()
    },
    "rate.policer": {"rate": {"mode": "policer", "rate": "100 Mbit/s", "burst": "10 kB", "layer": "l1"}},
    "rate.shaper": {"rate": {"mode": "shaper", "rate": "1 Gbit/s", "burst": "10 kB", "queue": "1 MB"}},
    "link.flap": {"link": {"state": "flap", "down": "100 ms", "period": "1 s", "repetitions": 3}},
    "link.down": {"link": {"state": "down"}},
}  # fmt: skip
"""One legal example of every feature that the driver states."""


HANG_UP = "hang up"


class ScriptedChassis:
    """Serves sessions; what is programmed, who has reserved what, and every line that came."""

    def __init__(self) -> None:
        self.password = "xena"  # noqa: S105
        self.lines: list[str] = []
        self.values: dict[tuple[str, str, str], str] = {}
        self.owners: dict[str, tuple[object, str]] = {}
        self.sessions = 0
        self._instead: list[tuple[str, Callable[[], str | None], int]] = []
        self._lock = Lock()

    def script(self, _number: int, wire: SocketWire) -> None:
        self.sessions += 1
        session = {"logged_on": False, "owner": ""}
        while (line := wire.read_line()) is not None:
            with self._lock:
                self.lines.append(line)
                reply = self._reply(session, line)
            if reply == HANG_UP:
                break
            if reply is not None:
                wire.send(reply.encode() + b"\n")
        for port, (holder, _) in list(self.owners.items()):
            if holder is session:
                del self.owners[port]

    def instead(self, beginning: str, reply: str | Callable[[], str | None], times: int = 1) -> None:
        """Answer lines that begin so in another way: by a text, by what is returned, by nothing, or hang up."""
        self._instead.append((beginning, reply if callable(reply) else lambda: reply, times))

    def sent(self, *names: str) -> list[str]:
        """Lines that set something, of some commands or of all."""
        lines = [line for line in self.lines if not line.endswith("?") and line != "SYNC"]
        return [line for line in lines if not names or any(name in line.split() for name in names)]

    def _reply(self, session, line) -> str | None:
        for number, (beginning, reply, times) in enumerate(self._instead):
            if line.startswith(beginning):
                self._instead[number : number + 1] = [(beginning, reply, times - 1)] if times > 1 else []
                return reply()
        if line in {"", "SYNC"}:
            return "<SYNC>" if line else None
        words = LINE.fullmatch(line)
        place, name, indices, values = (words[part] or "" for part in ("place", "name", "indices", "values"))
        if name == "C_LOGON":
            session["logged_on"] = values == f'"{self.password}"'
            return "<OK>" if session["logged_on"] else "<FAILED>"
        if not session["logged_on"]:
            return "<NOTLOGGEDON>"
        if name == "C_OWNER":
            session["owner"] = values
            return "<OK>"
        if name in {"P_RESERVATION", "P_RESERVEDBY"}:
            return self._reservation(session, place, name, values)
        if values == "?":
            return self._query(place, name, indices)
        if self.owners.get(place, (None, ""))[0] is not session:
            return "<NOTRESERVED>"
        return self._set(place, name, indices, values)

    def _reservation(self, session, port, name, values) -> str:
        holder, owner = self.owners.get(port, (None, '""'))
        status = "RELEASED" if holder is None else "RESERVED_BY_YOU" if holder is session else "RESERVED_BY_OTHER"
        if values == "?":
            return f"{port}  {name}  {owner if name == 'P_RESERVEDBY' else status}"
        if values == "RESERVE" and status != "RESERVED_BY_OTHER":
            self.owners[port] = (session, session["owner"])
            return "<OK>"
        if (values, status) in {("RELEASE", "RESERVED_BY_YOU"), ("RELINQUISH", "RESERVED_BY_OTHER")}:
            del self.owners[port]
            return "<OK>"
        return "<NOTVALID>"

    def _query(self, place, name, indices) -> str:
        if name in DISTRIBUTIONS and (place, name, indices) not in self.values:
            return "<NOTVALID>"
        if name == "PEF_ISSHADOWDIRTY":
            flow = [
                (key, value) for key, value in self.values.items() if key[0] == place and key[2].startswith(indices)
            ]
            shadow, working = ({k[1]: v for k, v in flow if k[2].split(",")[1:2] == [copy]} for copy in "01")
            return f"{place}  {name}  [{indices}]  {'NO' if shadow == working else 'YES'}"
        value = self.values.get((place, name, indices), AT_FIRST.get(name))
        if value is None:
            return "<NOTVALID>"
        return "  ".join(word for word in (place, name, f"[{indices}]" if indices else "", *value.split(" ")) if word)

    def _set(self, place, name, indices, values) -> str:
        if name in DISTRIBUTIONS or name == "PED_OFF":
            for other in DISTRIBUTIONS:
                self.values.pop((place, other, indices), None)
        if name in {"PEF_INIT", "PEF_APPLY", "PEF_CANCEL"}:
            self._copy_filter(place, name, indices)
        elif name != "PED_OFF":
            self.values[place, name, indices] = values
        return "<OK>"

    def _copy_filter(self, place, name, flow) -> None:
        """Shadow copies are those with a second index 0, working copies those with 1."""
        source, target = {"PEF_APPLY": "01", "PEF_CANCEL": "10", "PEF_INIT": " 0"}[name]
        for key in [key for key in self.values if key[0] == place and key[2].split(",")[:2] == [flow, target]]:
            del self.values[key]
        for (where, what, indices), value in list(self.values.items()):
            first, *rest = indices.split(",")
            if where == place and what.startswith("PEF_") and first == flow and rest[:1] == [source]:
                self.values[place, what, ",".join((flow, target, *rest[1:]))] = value


@pytest.fixture
def chassis() -> ScriptedChassis:
    return ScriptedChassis()


@pytest.fixture
def address(chassis: ScriptedChassis) -> Iterator[str]:
    with tcp_peer(chassis.script) as (host, port):
        yield f"tcp://{host}:{port}?owner=lab1"


@pytest.fixture
def box(address: str) -> Iterator[Appliance]:
    with connect(address, "xena-chimera", timeout_ns=10_000 * MS) as box:
        yield box


@pytest.fixture
def other(chassis: ScriptedChassis) -> Callable[..., None]:
    """Have somebody else reserve ports."""

    def reserve(*ports: str, owner: str = "bob") -> None:
        for port in ports:
            chassis.owners[port] = (other, f'"{owner}"')

    return reserve


@pytest.fixture
def example() -> dict[str, Conditions]:
    return {name: Conditions.model_validate(fields) for name, fields in EXAMPLES.items()}
