"""An appliance in one network namespace is found from another, by mDNS and by broadcast, with Debian's tools.

Needs root itself: avahi-daemon changes owners, which a user namespace of one user does not let it.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STATIONS = Path(__file__).parent / "lan" / "two_stations.sh"
PYTHON = shlex.quote(sys.executable)
SERVE = f"exec {PYTHON} -c 'from impairlab.controller.cli import main; main()' sim serve --plane null --vxi11 --hislip"
FETCH = """
import urllib.request as web
print(web.urlopen("http://10.11.0.2/lxi/identification", timeout=10).read().decode())
"""
NEEDED = {"avahi-daemon": "avahi-daemon", "dbus-daemon": "dbus", "ip": "iproute2", "lxi": "lxi-tools"}


def ask(question: str, serve: str) -> str:
    if missing := [package for tool, package in NEEDED.items() if shutil.which(tool) is None]:
        pytest.skip(f"not here: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("avahi-daemon needs root")
    apart = ["unshare", "--net", "--mount"]
    refused = subprocess.run([*apart, "true"], capture_output=True, text=True)
    if refused.returncode:
        pytest.skip(f"no namespaces: {refused.stderr.strip()}")
    finished = subprocess.run(
        [*apart, "sh", str(STATIONS), question, serve], capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_lxi_discover_by_mdns_finds_every_service():
    told = ask("timeout 20 lxi discover --mdns", f"{SERVE} --host 10.11.0.2 --lxi --announce --json")
    for service in ("scpi-raw service on port 5025", "hislip service on port 4880", "vxi-11 service on port 111"):
        assert f'Found "impairlab IL-8 SIM0001" on address 10.11.0.2\n    {service}\n' in told
    assert "lxi service on port 80" in told
    assert "Found 4 services" in told


def test_lxi_discover_by_broadcast_and_the_page_it_leads_to():
    fetch = f"{PYTHON} -c {shlex.quote(FETCH)}"
    told = ask(f"timeout 20 lxi discover && {fetch}", f"{SERVE} --host 0.0.0.0 --lxi --json")
    assert 'Found "impairlab,IL-8,SIM0001,1.0" on address 10.11.0.2' in told
    assert "<IPAddress>10.11.0.2</IPAddress>" in told
    assert "<InstrumentAddressString>TCPIP::10.11.0.2::inst0::INSTR<" in told
