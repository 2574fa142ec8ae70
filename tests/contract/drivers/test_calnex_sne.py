"""The driver of the Calnex SNE under the contract of every driver, against the simulated one."""

import json
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from impairlab.drivers.calnex.sne import SneAppliance
from impairlab.drivers.testing.drivers import DriverContract
from impairlab.sim_hardware.sne import SimulatedSne

from .bench import CountingPlane, SimulatedBench

UPDATE_NS = 5_000_000
TYPES = (
    "PacketDelayDisruptor", "PacketDropDisruptor", "BandwidthThrottleDisruptor", "PacketDuplicationDisruptor",
    "PacketReorderDisruptor", "BitErrorDisruptor",
)  # fmt: skip
WAYS = ((0, 1), (1, 0))


def json_map() -> str:
    """Return a map of newer firmware, in the simulator's house format, with one of each impairment each way."""
    disruptors = [{"name": kind, "type": kind} for kind in TYPES]
    links = [{"from": come_in, "to": go_out, "disruptors": disruptors} for come_in, go_out in WAYS]
    return json.dumps({"mapName": "wan", "format": "impairlab-1", "links": links})


def xml_map() -> str:
    """Return the same for firmware 6.1."""
    inner = "".join(f'<disruptor name="{kind}" type="{kind}"/>' for kind in TYPES)
    links = "".join(f'<link from="{come_in}" to="{go_out}">{inner}</link>' for come_in, go_out in WAYS)
    return f'<map name="wan" format="impairlab-1">{links}</map>'


@contextmanager
def switched_on(firmware, file_name, content, *, settings="", secret=None, users=None, lockless=""):
    with (
        TemporaryDirectory() as folder,
        SimulatedSne(CountingPlane(paths=("1",)), firmware=firmware, update_ns=UPDATE_NS, users=users) as simulator,
    ):
        path = Path(folder) / file_name
        path.write_text(content)
        bench = SimulatedBench(simulator, secret=secret, lockless=lockless)
        bench.address += f"?{settings}upload={path}"
        yield bench


class SneContract(DriverContract):
    driver = SneAppliance


class TestSne(SneContract):
    def serve(self):
        login = {"settings": "user=lab&auth=bearer&", "secret": "correct horse", "users": {"lab": "correct horse"}}
        return switched_on("newer", "wan.json", json_map(), **login)


class TestSneWithFirmware61(SneContract):
    def serve(self):
        return switched_on("6.1", "wan.xml", xml_map(), lockless="firmware 6.1 has no words for a reservation")
