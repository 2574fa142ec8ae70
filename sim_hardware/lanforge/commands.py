"""The commands: words to deeds.

Sources: greearb/lanforge-scripts @0175c2c (lf_icemod.pl, lf_ice.pl, LANforge/Utils.pm, lf_firemod.pl,
py-scripts/lf_create_wanpath.py), and candelatech.com/lfcli_ug.php for set_wl_corruption and the states.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from impairlab.sim_hardware.lanforge.box import (
    RUNNING,
    STOPPED,
    CrossConnect,
    Endpoint,
    LanforgeBox,
    Setup,
    manager_is_known,
)
from impairlab.sim_hardware.lanforge.conditions import EVERY_FLAG, LAST_OFFSET, Corruption
from impairlab.sim_hardware.lanforge.house import Code, Refused
from impairlab.sim_hardware.lanforge.path_commands import add_path, remove_path, set_path_filter, set_path_running
from impairlab.sim_hardware.lanforge.settings import INFO, MILLION, MORE_INFO, PATH_INFO, Settings, changed, is_kept
from impairlab.sim_hardware.lanforge.shown import cross_line, endpoint_lines
from impairlab.sim_hardware.lanforge.words import Words, number, one_of, padded, without

ALL = "all"
CORRUPTIONS = range(6)

Deed = Callable[[LanforgeBox, Words], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Attributes:
        usage: Its words behind the name, as they are told to who has too few or too many.
        least: Words that it must have.
        most: Words that it may have.
        deed: Carries it out and yields the lines it shows. Raises `Refused`.
    """

    usage: str
    least: int
    most: int
    deed: Deed


def run(box: LanforgeBox, words: Words) -> list[str]:
    """Carry out a command and return the lines it shows. Raises `Refused`."""
    name, arguments = words[0], words[1:]
    command = COMMANDS.get(name)
    if command is None:
        raise Refused(Code.UNKNOWN_COMMAND, f"Unknown command: {name}")
    if not command.least <= len(arguments) <= command.most:
        raise Refused(Code.BAD_ARGUMENT, f"{name} {command.usage}")
    return [*command.deed(box, arguments)]


def _add_endpoint(box: LanforgeBox, words: Words) -> Iterator[str]:
    name, shelf, resource, port = words[:4]
    if (shelf, resource) != ("1", "1"):
        raise Refused(Code.NOT_FOUND, f"there is shelf 1 with resource 1, not {shelf} with {resource}")
    setup = box.setup
    before = setup.endpoints.get(name)
    if before is None:
        number = 1 + max((each.number for each in setup.endpoints.values()), default=0)
        before = Endpoint(name, number, 0, Settings(box.line_bps))
    after = replace(
        before,
        port=_port(box, port),
        settings=changed(before.settings, ("latency", "max_rate"), words[4:6], box.clamped),
        description=before.description if len(words) <= 6 or is_kept(words[6]) else words[6],
    )
    if after.port != before.port and setup.cross_of(name) is not None:
        raise Refused(Code.CONFLICT, f"{name} is in a cross-connect")
    box.adopt(setup.with_endpoint(after))
    yield from ()


def _port(box: LanforgeBox, word: str) -> int:
    digits = word.removeprefix("eth")
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits) <= box.ports):
        raise Refused(Code.NOT_FOUND, f"Could not find that Port: {word}; there are eth1 to eth{box.ports}")
    return int(digits)


def _set_info(box: LanforgeBox, words: Words) -> Iterator[str]:
    endpoint = box.setup.endpoint(words[0])
    first, playback, rest = words[1:8], words[8:9], words[9:]
    if playback and not is_kept(playback[0]) and playback[0].upper() != "OFF":
        raise Refused(Code.CANNOT, "this simulation replays nothing")
    settings = changed(endpoint.settings, (*INFO, *MORE_INFO), (*padded(first, len(INFO)), *rest), box.clamped)
    box.adopt(box.setup.with_endpoint(replace(endpoint, settings=settings)))
    yield from ()


def _set_pcap(box: LanforgeBox, words: Words) -> Iterator[str]:
    box.setup.endpoint(words[0])
    if words[1].upper() not in {"OFF", "NA"}:
        raise Refused(Code.CANNOT, "this simulation replays nothing")
    yield from ()


def _set_corruption(box: LanforgeBox, words: Words) -> Iterator[str]:
    endpoint = box.setup.endpoint(words[0])
    index = number("corruption", words[1], 0, CORRUPTIONS.stop - 1)
    before = endpoint.corruptions.get(index, Corruption())
    limits = {
        "flags": (0, EVERY_FLAG),
        "byte": (0, 255),
        "min_offset": (0, LAST_OFFSET),
        "max_offset": (0, LAST_OFFSET),
        "rate": (0, MILLION),
    }
    changes = {
        name: number(name, word, *limits[name])
        for name, word in zip(limits, words[2:], strict=False)
        if not is_kept(word)
    }
    after = replace(before, **changes)
    if after.min_offset > after.max_offset:
        raise Refused(Code.BAD_ARGUMENT, f"min_offset {after.min_offset} is above max_offset {after.max_offset}")
    corruptions = {**endpoint.corruptions, index: after}
    box.adopt(box.setup.with_endpoint(replace(endpoint, corruptions=corruptions)))
    yield from ()


def _remove_endpoint(box: LanforgeBox, words: Words) -> Iterator[str]:
    setup = box.setup
    endpoint = setup.endpoint(words[0])
    cross = setup.cross_of(endpoint.name)
    if cross is not None:
        raise Refused(Code.CONFLICT, f"{endpoint.name} is in the cross-connect {cross.name}")
    box.adopt(replace(setup, endpoints=without(setup.endpoints, endpoint.name)))
    yield from ()


def _add_cross(box: LanforgeBox, words: Words) -> Iterator[str]:
    name, manager, *ends = words
    _check_manager(manager)
    setup = box.setup
    first, second = (setup.endpoint(end) for end in ends)
    for end in ends:
        other = setup.cross_of(end)
        if other is not None and other.name != name:
            raise Refused(Code.CONFLICT, f"{end} is in the cross-connect {other.name}")
    (path, way), (other_path, other_way) = (box.place(each.port) for each in (first, second))
    if path != other_path or way == other_way:
        raise Refused(Code.CONFLICT, f"eth{first.port} and eth{second.port} are not the two ports of a path")
    before = setup.crosses.get(name, CrossConnect(name, (first.name, second.name)))
    box.adopt(setup.with_cross(replace(before, ends=(first.name, second.name))))
    yield from ()


def _check_manager(name: str) -> None:
    if not manager_is_known(name):
        raise Refused(Code.NOT_FOUND, f"Could not find that Test-Manager: {name}")


def _remove_cross(box: LanforgeBox, words: Words) -> Iterator[str]:
    _check_manager(words[0])
    cross = box.setup.cross(words[1])
    box.adopt(replace(box.setup, crosses=without(box.setup.crosses, cross.name)))
    yield from ()


def _set_cross_state(box: LanforgeBox, words: Words) -> Iterator[str]:
    _check_manager(words[0])
    state = one_of(words[2], RUNNING, "SWITCH", "QUIESCE", STOPPED, "DELETED")
    setup = box.setup
    for cross in _crosses(setup, words[1]):
        match state:
            case "DELETED":
                setup = replace(setup, crosses=without(setup.crosses, cross.name))
            case "RUNNING":
                setup = setup.with_cross(_running(box, cross))
            case "SWITCH":
                setup = _stopped_on_its_ports(setup, cross).with_cross(_running(box, cross))
            case _:
                setup = setup.with_cross(replace(cross, since_ns=None))
    box.adopt(setup)
    yield from ()


def _running(box: LanforgeBox, cross: CrossConnect) -> CrossConnect:
    return replace(cross, since_ns=box.now_ns) if cross.since_ns is None else cross


def _stopped_on_its_ports(setup: Setup, cross: CrossConnect) -> Setup:
    ports = {setup.endpoint(end).port for end in cross.ends}
    for other in setup.crosses.values():
        if other.name != cross.name and ports & {setup.endpoint(end).port for end in other.ends}:
            setup = setup.with_cross(replace(other, since_ns=None))
    return setup


def _crosses(setup: Setup, name: str) -> Sequence[CrossConnect]:
    return (*setup.crosses.values(),) if name == ALL else (setup.cross(name),)


def _show_crosses(box: LanforgeBox, words: Words) -> Iterator[str]:
    _check_manager((*words, ALL)[0])
    for cross in _crosses(box.setup, (*words, ALL, ALL)[1]):
        yield cross_line(cross)


def _show_crosses_and_ends(box: LanforgeBox, words: Words) -> Iterator[str]:
    _check_manager((*words, ALL)[0])
    for cross in _crosses(box.setup, (*words, ALL, ALL)[1]):
        yield cross_line(cross)
        for end in cross.ends:
            yield from _shown(box, box.setup.endpoint(end), cached=True)


def _endpoints(box: LanforgeBox, words: Words) -> Sequence[Endpoint]:
    name = (*words, ALL)[0]
    return (*box.setup.endpoints.values(),) if name == ALL else (box.setup.endpoint(name),)


def _show_endpoints(box: LanforgeBox, words: Words) -> Iterator[str]:
    for endpoint in _endpoints(box, words):
        yield from _shown(box, endpoint, cached=False)


def _show_cached_endpoints(box: LanforgeBox, words: Words) -> Iterator[str]:
    for endpoint in _endpoints(box, words):
        yield from _shown(box, endpoint, cached=True)


def _shown(box: LanforgeBox, endpoint: Endpoint, *, cached: bool) -> Iterator[str]:
    counts = box.counted(endpoint, cached=cached)
    yield from endpoint_lines(endpoint, box.setup.cross_of(endpoint.name), counts, box.now_ns)
    yield ""


def _clear_endpoints(box: LanforgeBox, words: Words) -> Iterator[str]:
    box.clear_counters(_endpoints(box, words))
    yield from ()


def _clear_crosses(box: LanforgeBox, words: Words) -> Iterator[str]:
    crosses = _crosses(box.setup, (*words, ALL)[0])
    box.clear_counters([box.setup.endpoint(end) for cross in crosses for end in cross.ends])
    yield from ()


def _set_flag_of_endpoint(box: LanforgeBox, words: Words) -> Iterator[str]:
    box.setup.endpoint(words[0])
    yield from ()


def _set_report_timer(box: LanforgeBox, words: Words) -> Iterator[str]:
    endpoint = box.setup.endpoint(words[0])
    timer = number("report timer", words[1], 1, MILLION)
    box.adopt(box.setup.with_endpoint(replace(endpoint, report_ms=timer)))
    yield from ()


def _set_cross_timer(box: LanforgeBox, words: Words) -> Iterator[str]:
    _check_manager(words[0])
    setup, timer = box.setup, number("report timer", words[2], 1, MILLION)
    for cross in _crosses(setup, words[1]):
        for end in cross.ends:
            setup = setup.with_endpoint(replace(setup.endpoint(end), report_ms=timer))
    box.adopt(setup)
    yield from ()


COMMANDS: Mapping[str, Command] = {
    "add_wl_endp": Command(
        "alias shelf resource port [latency max_rate description cpu_id wle_flags]", 4, 9, _add_endpoint
    ),
    "set_wanlink_info": Command(f"name {' '.join((*INFO, 'pcap', *MORE_INFO))}", 1, 15, _set_info),
    "set_wanlink_pcap": Command("name ON|OFF [capture]", 2, 3, _set_pcap),
    "set_wl_corruption": Command("name 0-5 flags byte min_offset max_offset rate", 2, 7, _set_corruption),
    "rm_endp": Command("name", 1, 1, _remove_endpoint),
    "add_wanpath": Command(
        f"wanlink alias {' '.join(PATH_INFO)} source mask destination mask OFF NA [...]", 2, 25, add_path
    ),
    "set_wanpath_filter": Command("wanlink alias MAC|IP|PCAP [source destination]", 3, 5, set_path_filter),
    "set_wanpath_running": Command("wanlink alias AS_PARENT|RUNNING|STOPPED", 3, 3, set_path_running),
    "rm_wanpath": Command("wanlink alias", 2, 2, remove_path),
    "add_cx": Command("alias test_mgr tx_endp rx_endp", 4, 4, _add_cross),
    "rm_cx": Command("test_mgr name", 2, 2, _remove_cross),
    "set_cx_state": Command("test_mgr name RUNNING|SWITCH|QUIESCE|STOPPED|DELETED", 3, 3, _set_cross_state),
    "show_cx": Command("[test_mgr name]", 0, 2, _show_crosses),
    "show_cxe": Command("[test_mgr name]", 0, 2, _show_crosses_and_ends),
    "show_endpoint": Command("[name]", 0, 2, _show_cached_endpoints),
    "show_endpoints": Command("[name]", 0, 2, _show_cached_endpoints),
    "nc_show_endpoint": Command("[name]", 0, 2, _show_endpoints),
    "nc_show_endpoints": Command("[name]", 0, 2, _show_endpoints),
    "clear_endp_counters": Command("[name]", 0, 1, _clear_endpoints),
    "clear_cx_counters": Command("[name]", 0, 1, _clear_crosses),
    "set_endp_flag": Command("name flag value", 3, 3, _set_flag_of_endpoint),
    "set_endp_report_timer": Command("name milliseconds", 2, 2, _set_report_timer),
    "set_cx_report_timer": Command("test_mgr name milliseconds", 3, 3, _set_cross_timer),
}
"""By name."""
