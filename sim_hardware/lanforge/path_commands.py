"""The commands of wanpaths.

Source: lf_ice.pl and py-scripts/lf_create_wanpath.py in greearb/lanforge-scripts @0175c2c for add_wanpath; of the
others the words alone are public, see `house`.
"""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network

from impairlab.sim_hardware.lanforge.box import (
    AS_PARENT,
    RUNNING,
    STOPPED,
    Endpoint,
    LanforgeBox,
    WanPath,
)
from impairlab.sim_hardware.lanforge.house import Code, Refused
from impairlab.sim_hardware.lanforge.settings import MORE_INFO, PATH_INFO, Settings, changed, is_kept
from impairlab.sim_hardware.lanforge.words import Words, one_of, padded, without

_ANY = "0.0.0.0"  # noqa: S104 - an address that stands for every one
_SWITCHES = frozenset({"YES", "NO", "NA"})


def add_path(box: LanforgeBox, words: Words) -> Iterator[str]:
    """Carry out add_wanpath. Raises `Refused`."""
    endpoint = box.setup.endpoint(words[0])
    name = words[1]
    before = endpoint.paths.get(name)
    if before is None:
        number = 1 + max((each.number for each in endpoint.paths.values()), default=0)
        before = WanPath(name, number, Settings(box.line_bps))
    if len(words) > 13 and words[13].upper() not in {"OFF", "NA"}:
        raise Refused(Code.CANNOT, "this simulation replays nothing")
    if not {word.upper() for word in words[15:19]} <= _SWITCHES:
        raise Refused(Code.BAD_ARGUMENT, "YES, NO or NA for what a playback ignores")
    own = (*padded(words[2:9], len(PATH_INFO)), *words[19:])
    after = replace(
        before,
        settings=changed(before.settings, (*PATH_INFO, *MORE_INFO), own, box.clamped),
        source=_masked(words[9:11], before.source),
        destination=_masked(words[11:13], before.destination),
    )
    _put_path(box, endpoint, after)
    yield from ()


def _put_path(box: LanforgeBox, endpoint: Endpoint, path: WanPath) -> None:
    box.adopt(box.setup.with_endpoint(replace(endpoint, paths={**endpoint.paths, path.name: path})))


def _masked(words: Words, before: IPv4Network | None) -> IPv4Network | None:
    match [word for word in words if not is_kept(word)]:
        case []:
            return before
        case [address, mask]:
            return None if (address, mask) == (_ANY, _ANY) else _network(f"{address}/{mask}")
    raise Refused(Code.BAD_ARGUMENT, "an address needs its mask")


def _network(text: str) -> IPv4Network:
    try:
        return IPv4Network(text, strict=False)
    except ValueError as error:
        raise Refused(Code.BAD_ARGUMENT, str(error)) from error


def _path(box: LanforgeBox, words: Words) -> tuple[Endpoint, WanPath]:
    endpoint = box.setup.endpoint(words[0])
    if words[1] not in endpoint.paths:
        raise Refused(Code.NOT_FOUND, f"Could not find that WanPath: {words[1]}")
    return endpoint, endpoint.paths[words[1]]


def set_path_filter(box: LanforgeBox, words: Words) -> Iterator[str]:
    """Carry out set_wanpath_filter. Raises `Refused`."""
    endpoint, path = _path(box, words)
    kind = one_of(words[2], "MAC", "IP", "PCAP")
    after = replace(path, filter_type=kind)
    if kind == "IP":
        source, destination = (
            before if is_kept(word) else None if word.upper() == "ANY" else _network(word)
            for word, before in zip(padded(words[3:], 2), (path.source, path.destination), strict=True)
        )
        after = replace(after, source=source, destination=destination)
    _put_path(box, endpoint, after)
    yield from ()


def set_path_running(box: LanforgeBox, words: Words) -> Iterator[str]:
    """Carry out set_wanpath_running. Raises `Refused`."""
    endpoint, path = _path(box, words)
    _put_path(box, endpoint, replace(path, state=one_of(words[2], AS_PARENT, RUNNING, STOPPED)))
    yield from ()


def remove_path(box: LanforgeBox, words: Words) -> Iterator[str]:
    """Carry out rm_wanpath. Raises `Refused`."""
    endpoint, path = _path(box, words)
    box.adopt(box.setup.with_endpoint(replace(endpoint, paths=without(endpoint.paths, path.name))))
    yield from ()
