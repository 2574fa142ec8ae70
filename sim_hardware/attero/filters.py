"""Which packets a profile takes. The form of a filter is ours, see `house`."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from impairlab.drivers.model import Filter
from impairlab.sim_hardware.attero.values import BadArgument, choice, integer, only, required, words
from impairlab.sim_hardware.rest.bodies import Read

PROTOCOLS: Mapping[str, str | None] = {
    "Ethernet": None, "IPv4": None, "IPv6": None, "ICMP": "icmp", "TCP": "tcp", "UDP": "udp",
}  # fmt: skip
FIELDS: Mapping[str, str] = {
    "vlan.id": "vlan",
    "ip.dscp": "dscp",
    "ip.src": "source",
    "ip.dst": "destination",
    "srcport": "source_port",
    "dstport": "destination_port",
}
_LONGEST_LENGTH = 16_384


@dataclass(frozen=True, slots=True)
class ProfileFilter:
    """A filter as it was set, and what it selects."""

    shown: Mapping[str, Read]
    selects: Filter


def read_filter(body: Mapping[str, Read]) -> ProfileFilter:
    """Read a filter. Raises `BadArgument`."""
    only(body, "Name", "Fields", "Length", "SourceType")
    name = choice(required(body, "Name"), "Name", tuple(PROTOCOLS))
    kept: dict[str, Read] = {"Name": name}
    if "Length" in body:
        kept["Length"] = integer(body["Length"], "Length", 1, _LONGEST_LENGTH)
    if "SourceType" in body:
        kept["SourceType"] = words(body["SourceType"], "SourceType")
    fields = body.get("Fields", [])
    if not isinstance(fields, list):
        raise BadArgument("Fields must be a list.\nParameter name: Fields")
    selected: dict[str, Read] = {}
    shown: list[Read] = []
    for each in fields:
        field, value = _field(each)
        if FIELDS[field] in selected:
            raise BadArgument(f"{field} is given twice.\nParameter name: Fields")
        selected[FIELDS[field]] = value
        shown.append({"Name": field, "Value": value})
    try:
        selects = Filter.model_validate({"protocol": PROTOCOLS[name], **selected})
    except ValidationError as error:
        first = error.errors()[0]["msg"]
        raise BadArgument(f"The filter selects nothing: {first}.\nParameter name: Fields") from error
    return ProfileFilter({**kept, "Fields": shown}, selects)


def _field(entry: Read) -> tuple[str, Read]:
    if not isinstance(entry, dict) or set(entry) != {"Name", "Value"}:
        raise BadArgument("A field has a Name and a Value.\nParameter name: Fields")
    return choice(entry["Name"], "Fields", tuple(FIELDS)), _value(entry["Value"])


def _value(value: Read) -> Read:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadArgument("The Value of a field is a number or a text.\nParameter name: Fields")
    return value if isinstance(value, int) else words(value, "Value")
