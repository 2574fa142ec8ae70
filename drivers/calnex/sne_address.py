"""What the address of an SNE says beside where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from impairlab.drivers.links.address import Address
from impairlab.drivers.links.http_message import File
from impairlab.drivers.model.flows import Direction

SCHEMES = {"sne": 80, "http": 80, "https": 443}
SETTINGS: Mapping[str, str] = {
    "map": "", "user": "", "auth": "", "ports": "1-2", "a-b": "", "b-a": "", "upload": "", "bandwidth_unit": "B/s",
    "fingerprint": "",
}  # fmt: skip
EXAMPLE = "sne://192.0.2.1?map=WAN&user=lab1"

_BANDWIDTH_UNITS = {"B/s": 8, "kB/s": 8_000, "kbit/s": 1_000, "Mbit/s": 1_000_000}
_PORTS = range(1, 9)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The settings of an address, read.

    Attributes:
        map: Name or GUID; "" for the only one there is.
        user: Of multi-user mode (6.1), or who logs in.
        auth: "none", "token" (`?userToken=`, 6.1) or "bearer" (later builds).
        ports: The two ports of the path as on the front panel, from 1: where a-b comes in, where b-a comes in.
        chosen: Names or GUIDs of the impairments of each direction; both "" for the order of the map.
        upload: A map file for when no such map is there; None without.
        bandwidth_unit: What a number of the bandwidth throttle means, in bit/s.
    """

    map: str
    user: str
    auth: str
    ports: tuple[int, int]
    chosen: Mapping[Direction, str]
    upload: Path | None
    bandwidth_unit: int

    @classmethod
    def read(cls, address: Address, *, has_secret: bool) -> Self:
        """Read the settings. Raises ValueError."""
        given = address.settings
        if address.user and given["user"] and address.user != given["user"]:
            raise ValueError(f"two users, {address.user!r} and {given['user']!r}")
        user = address.user or given["user"]
        unit = _BANDWIDTH_UNITS.get(given["bandwidth_unit"])
        if unit is None:
            raise ValueError(f"bandwidth_unit={given['bandwidth_unit']!r} is none of {', '.join(_BANDWIDTH_UNITS)}")
        upload = Path(given["upload"]) if given["upload"] else None
        if upload is not None and upload.suffix not in {".xml", ".json"}:
            raise ValueError(f"upload={given['upload']!r} is neither .xml (6.1) nor .json (later)")
        return cls(
            given["map"], user, _auth(given["auth"], user, has_secret=has_secret), _ports(given["ports"]),
            {"a-b": given["a-b"], "b-a": given["b-a"]}, upload, unit,
        )  # fmt: skip


def upload_of(path: Path) -> tuple[str, File]:
    """Return where a map file is uploaded to, and as what. Raises OSError."""
    content = path.read_bytes()
    if path.suffix == ".xml":
        return "/maps/upload", File("mapFile", path.name, content, "text/xml")
    return "/maps/json?shareWithAll=true", File("mapFileFormFile", path.name, content, "application/json")


def _auth(given: str, user: str, *, has_secret: bool) -> str:
    auth = given or ("bearer" if has_secret else "token" if user else "none")
    if auth not in {"none", "token", "bearer"}:
        raise ValueError(f"auth={auth!r} is none of none, token, bearer")
    if auth != "none" and not user:
        raise ValueError(f"auth={auth} wants a user")
    return auth


def _ports(given: str) -> tuple[int, int]:
    first, _, second = given.partition("-")
    legal = {str(port) for port in _PORTS}
    if first not in legal or second not in legal or first == second:
        raise ValueError(f"ports={given!r} is no pair of two of the ports 1 .. 8, like 1-2")
    return int(first), int(second)
