"""`impairlab discover` finds a served appliance in a network of its own, by mDNS and by broadcast."""

import json
import shlex
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.netns

IMPAIRLAB = f"{shlex.quote(sys.executable)} -c 'from impairlab.controller.cli import main; main()'"
TOLD = {"manufacturer": "impairlab", "model": "IL-8", "serial": "SIM0001", "firmware": "1.0", "driver": "scpi"}
LAN = """
set -eu
ip link set lo up
ip link add lan0 type veth peer name lan1
ip addr add 10.11.0.1/24 brd + dev lan0
ip link set lan0 up
ip link set lan1 up
"""
SERVED = """
folder=$(mktemp -d)
mkfifo "$folder/stdin"
{serve} <"$folder/stdin" >"$folder/ready" 2>"$folder/errors" &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
exec 9>"$folder/stdin"
until [ -s "$folder/ready" ]; do
  sleep 0.05
  kill -0 $server || {{ cat "$folder/errors" >&2; exit 1; }}
done
"""
CONNECT = """
import json, sys
from impairlab.drivers import connect
for found in json.load(sys.stdin):
    if found["means"] == "mdns":
        with connect(found["address"], found["driver"]) as box:
            print(box.identity)
"""
SERVE = f"{IMPAIRLAB} sim serve --plane null --json"


def discovered(before: str = LAN, after: str = "") -> subprocess.CompletedProcess:
    if missing := [tool for tool in ("unshare", "ip") if shutil.which(tool) is None]:
        pytest.skip(f"not here: {' '.join(missing)}")
    apart = ["unshare", "--net", "--map-root-user"]
    refused = subprocess.run([*apart, "sh", "-c", LAN], capture_output=True, text=True)
    if refused.returncode:
        pytest.skip(f"no network of its own: {refused.stderr.strip()}")
    script = f"{before}\n{IMPAIRLAB} discover --timeout 3 --json {after}"
    finished = subprocess.run([*apart, "sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stderr
    return finished


def on_the_network(told: str) -> dict[str, dict[str, str]]:
    return {each.pop("address"): each for each in json.loads(told) if each["means"] in {"mdns", "vxi11"}}


def test_by_mdns_every_service_that_can_be_connected_to():
    pytest.importorskip("zeroconf")
    serve = f"{SERVE} --host 10.11.0.1 --hislip --vxi11 --lxi --announce"
    finished = discovered(LAN + SERVED.format(serve=serve))
    assert on_the_network(finished.stdout) == {
        "tcp://10.11.0.1:5025": {"means": "mdns", "answered": False, **TOLD},
        "TCPIP::10.11.0.1::hislip0::INSTR": {"means": "mdns", "answered": False, **TOLD},
        "TCPIP::10.11.0.1::inst0::INSTR": {"means": "mdns", "answered": False, **TOLD},
    }
    assert finished.stderr == ""


def test_what_is_found_can_be_connected_to():
    pytest.importorskip("zeroconf")
    served = LAN + SERVED.format(serve=f"{SERVE} --host 10.11.0.1 --hislip --vxi11 --announce")
    finished = discovered(served, f"| {shlex.quote(sys.executable)} -c {shlex.quote(CONNECT)}")
    assert finished.stdout.splitlines() == ["impairlab IL-8 SIM0001 1.0"] * 3


def test_by_broadcast_and_asked_who_it_is():
    finished = discovered(LAN + SERVED.format(serve=f"{SERVE} --host 0.0.0.0 --vxi11"))
    found = on_the_network(finished.stdout)
    assert found["TCPIP::10.11.0.1::inst0::INSTR"] == {"means": "vxi11", "answered": True, **TOLD}
    assert finished.stderr == ""


def test_nobody_on_the_network_is_no_failure():
    assert on_the_network(discovered().stdout) == {}


def test_no_network_at_all_is_one_line_for_each_means_of_it():
    pytest.importorskip("zeroconf")
    finished = discovered(before="")
    assert on_the_network(finished.stdout) == {}
    assert sorted(line.partition(":")[0] for line in finished.stderr.splitlines()) == ["VXI-11", "mDNS"]
