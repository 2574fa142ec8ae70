"""The counters of a map, node by node: ports, and the impairments between them.

Source: a log of a box of build 11.0.0.18 in waripoornima/sne_rest_client, for the names and the form of the numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from uuid import NAMESPACE_URL, uuid5

from impairlab.drivers.model import Statistics
from impairlab.sim_hardware.sne.maps import Disruptor, Link
from impairlab.sim_hardware.transports.http import Json

_U64 = 2
"""The `valueCase` of a number that is a `u64`."""


def nodes_of(counted: Iterable[tuple[Link, Statistics]]) -> Iterator[Json]:
    """Yield the nodes of each link, from the port of entry to that of exit; what is not counted is left out."""
    for link, told in counted:
        came, left = told.received_packets, told.forwarded_packets
        yield _node(
            "Input Port", _port_id("in", link.from_port),
            {"Packets Received": came, "Rx Packets": came, "Rx Bytes": told.received_bytes},
        )  # fmt: skip
        for disruptor in link.disruptors:
            yield _node(disruptor.name, disruptor.guid, _of(disruptor, told))
        yield _node(
            "Output Port", _port_id("out", link.to_port),
            {"Packets Received": left, "Tx Packets": left, "Tx Bytes": told.forwarded_bytes},
        )  # fmt: skip


def _of(disruptor: Disruptor, told: Statistics) -> Mapping[str, int | None]:
    if disruptor.resource.name == "packetdrop":
        return {"Packets Received": told.received_packets, "Packets Dropped": told.dropped_loss}
    return {"Packets Received": told.received_packets}


def _node(name: str, uuid: str, counters: Mapping[str, int | None]) -> Json:
    pairs: list[Json] = [
        {"key": key, "value": {"u64": count, "valueCase": _U64}} for key, count in counters.items() if count is not None
    ]
    return {"name": name, "uuid": uuid, "kvp": pairs}


def _port_id(way: str, port: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"impairlab:sne:{way}:{port}"))
