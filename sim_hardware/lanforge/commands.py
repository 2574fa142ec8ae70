"""The command line of the LANforge: words, positions, and NA for what stays as it is.

Sources: greearb/lanforge-scripts, lf_icemod.pl and LANforge/Utils.pm; candelatech.com/lfcli_ug.php.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from re import fullmatch
from threading import RLock

from impairlab.sim_hardware.lanforge import house
from impairlab.sim_hardware.lanforge.box import BoxError, LanforgeBox
from impairlab.sim_hardware.lanforge.endpoint import MILLION, MS, RULES, US, Corruption, Info, Settings
from impairlab.sim_hardware.transports.lines import LineCutter

STATES = ("RUNNING", "SWITCH", "QUIESCE", "STOPPED", "DELETED")
_KEEP = "NA"
_PCAP = 7
_INFO: tuple[tuple[str, int, int], ...] = (
    ("speed", 1, 100_000_000_000),
    ("latency", 0, MILLION * MS),
    ("jitter", 0, MILLION * MS),
    ("reorder_freq", 0, MILLION),
    ("buffer", -1, MILLION),
    ("drop_freq", 0, MILLION),
    ("dup_freq", 0, MILLION),
    ("pcap", 0, 0),
    ("jitter_freq", 0, 10 * MILLION),
    ("min_drop", 0, 1000),
    ("max_drop", 0, 1000),
    ("min_reorder", 1, 1000),
    ("max_reorder", 1, 1000),
    ("max_lateness", -1, MILLION),
)
"""Arguments of set_wanlink_info behind the endpoint, with their ranges (lf_icemod.pl), times in ns."""

_TIMES = frozenset({"latency", "jitter"})


class CliConversation:
    """One connection. See `Conversation`.

    Args:
        box: What is talked to.
        guard: Held meanwhile.
    """

    idle_close_ns = None

    def __init__(self, box: LanforgeBox, guard: RLock) -> None:
        self._box = box
        self._guard = guard
        self._lines = LineCutter()
        self._brief = True
        self.is_over = False
        self._commands: Mapping[str, Callable[[Sequence[str]], str]] = {
            "set_flag": self._set_flag,
            "nc_show_endpoint": self._show,
            "clear_endp_counters": self._clear,
            "set_wanlink_info": self._set_info,
            "set_wl_corruption": self._set_corruption,
            "set_cx_state": self._set_state,
            "add_wl_endp": self._add_endpoint,
            "add_cx": self._add_cx,
            "set_wanlink_pcap": self._not_done,
            "add_wanpath": self._not_done,
            "set_wanpath_filter": self._not_done,
            "set_wanpath_running": self._not_done,
        }

    def greet(self) -> bytes:
        """Say who it is."""
        return f"{house.WELCOME}\n\n{house.PROMPT}".encode()

    def close(self) -> None:
        """Do nothing: a connection holds nothing."""

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Answer each line that is whole."""
        for line in self._lines.feed(data):
            words = (line or "").split()
            if words and words[0] in {"quit", "exit"}:
                self.is_over = True
                return
            yield (self._answer(words) + house.PROMPT).encode("latin-1")

    def _answer(self, words: Sequence[str]) -> str:
        if not words:
            return ""
        code, text = self._carried_out(words)
        body = f"{text}\n" if text else ""
        return body if self._brief else f"{body} >>RSLT: {code}  Cmd: {' '.join(words)}\n"

    def _carried_out(self, words: Sequence[str]) -> tuple[int, str]:
        command = self._commands.get(words[0])
        if command is None:
            return house.UNKNOWN, f"unknown command {words[0]!r}; there are {', '.join(self._commands)}"
        try:
            with self._guard:
                return 0, command(words[1:])
        except BoxError as error:
            return error.code, str(error)

    def _set_flag(self, words: Sequence[str]) -> str:
        name, value = _exactly(words, "brief", "0|1")
        if name != "brief" or value not in {"0", "1"}:
            raise BoxError(house.BAD_VALUE, "write it like: set_flag brief 0")
        self._brief = value == "1"
        return ""

    def _show(self, words: Sequence[str]) -> str:
        endpoint = self._box.endpoint(*_exactly(words, "endpoint"))
        return endpoint.page(self._box.statistics(endpoint), runs=self._box.runs(endpoint))

    def _clear(self, words: Sequence[str]) -> str:
        self._box.clear(self._box.endpoint(*_exactly(words, "endpoint")))
        return ""

    def _set_info(self, words: Sequence[str]) -> str:
        if not 1 <= len(words) <= 1 + len(_INFO):
            raise BoxError(house.BAD_VALUE, f"write it like: set_wanlink_info endpoint {_names()}")
        endpoint = self._box.endpoint(words[0])
        info = replace(endpoint.settings.info, **_read_info(words[1:]))
        self._box.set(endpoint, replace(endpoint.settings, info=info))
        return ""

    def _set_corruption(self, words: Sequence[str]) -> str:
        name, *numbers = _exactly(words, "name", "0-5", "flags", "byte", "min_offset", "max_offset", "rate")
        endpoint = self._box.endpoint(name)
        limits = ((0, RULES - 1), (0, 0x3F), (0, 255), (0, 65_535), (0, 65_535), (0, MILLION))
        rule, flags, _, first, last, rate = (
            _whole(text, low, high) for text, (low, high) in zip(numbers, limits, strict=True)
        )
        if last < first:
            raise BoxError(house.BAD_VALUE, f"the last offset {last} is before the first, {first}")
        corruptions = list(endpoint.settings.corruptions)
        corruptions[rule] = Corruption(flags, first, last, rate) if rate else None
        self._box.set(endpoint, replace(endpoint.settings, corruptions=tuple(corruptions)))
        return ""

    def _set_state(self, words: Sequence[str]) -> str:
        _, name, state = _exactly(words, "test_mgr", "cx", "|".join(STATES))
        if state not in STATES:
            raise BoxError(house.BAD_VALUE, f"{state!r} is none of {', '.join(STATES)}")
        self._box.set_state(name, state)
        return ""

    def _add_endpoint(self, words: Sequence[str]) -> str:
        names = ("name", "shelf", "resource", "port", "latency", "speed", "description", "cpu", "flags")
        if not 4 <= len(words) <= len(names):
            raise BoxError(house.BAD_VALUE, f"write it like: add_wl_endp {' '.join(names)}")
        latency, speed = (*words[4:6], _KEEP, _KEEP)[:2]
        settings = Settings(replace(Info(), **_read_info([speed, latency])))
        self._box.add_endpoint(words[0], _whole(words[2], 1, 99), words[3], settings)
        return ""

    def _add_cx(self, words: Sequence[str]) -> str:
        name, _, one, other = _exactly(words, "name", "test_mgr", "endpoint", "endpoint")
        self._box.add_wanlink(name, self._box.endpoint(one), self._box.endpoint(other))
        return ""

    def _not_done(self, words: Sequence[str]) -> str:
        raise BoxError(house.NOT_DONE, f"not simulated ({len(words)} arguments)")


def _names() -> str:
    return " ".join(name for name, _, _ in _INFO)


def _exactly(words: Sequence[str], *names: str) -> Sequence[str]:
    if len(words) != len(names):
        raise BoxError(house.BAD_VALUE, f"{len(words)} arguments instead of {len(names)}: {' '.join(names)}")
    return words


def _read_info(words: Sequence[str]) -> dict[str, int]:
    found = {}
    for text, (name, low, high) in zip(words, _INFO, strict=False):
        if text == _KEEP:
            continue
        if name == "pcap":
            raise BoxError(house.NOT_DONE, "a capture is not played back")
        found[name] = _time(text, low, high) if name in _TIMES else _whole(text, low, high)
    return found


def _time(text: str, low: int, high: int) -> int:
    """Return nanoseconds of milliseconds, or of microseconds with `us` behind them."""
    found = fullmatch(r"(\d{1,12})(us)?", text)
    nanoseconds = int(found[1]) * (US if found[2] else MS) if found else -1
    if not low <= nanoseconds <= high:
        raise BoxError(house.BAD_VALUE, f"{text!r} is no time from {low // MS} to {high // MS} ms, or in us: 1500us")
    return nanoseconds


def _whole(text: str, low: int, high: int) -> int:
    base = 16 if text.lower().startswith("0x") else 10
    try:
        value = int(text, base)
    except ValueError as error:
        raise BoxError(house.BAD_VALUE, f"{text!r} is not a number") from error
    if not low <= value <= high:
        raise BoxError(house.BAD_VALUE, f"{text} is not from {low} to {high}")
    return value
