"""A chat service across a wide-area link, tested with a simulated link and a simulated service."""

import json
import subprocess
import sys

import pytest

from impairlab.drivers import delay

FETCH = """
import sys, time, urllib.request
begin = time.monotonic()
urllib.request.urlopen(sys.argv[1]).read()
print(time.monotonic() - begin)
"""


@pytest.fixture(scope="session")
def service(impairlab_stations):
    """The service under test, on the far side of the link."""
    serve = [sys.executable, "-m", "impairlab.sim_hardware.inference", "--host", impairlab_stations.address("server")]
    command = impairlab_stations.command_in("server", serve)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield json.loads(process.stdout.readline())["address"]
        process.stdin.close()


@pytest.mark.parametrize("extra_ms", [0, 60, 120])
def test_a_page_takes_two_round_trips_and_no_more(impairlab_path, impairlab_stations, service, extra_ms):
    fetch = impairlab_stations.command_in("client", [sys.executable, "-c", FETCH, f"{service}/v1/models"])
    with impairlab_path.impaired(delay(f"{extra_ms} ms"), direction="b-a"):
        seconds = float(subprocess.run(fetch, check=True, capture_output=True, text=True, timeout=30).stdout)
    assert 2 * extra_ms / 1000 <= seconds < 2 * extra_ms / 1000 + 1


@pytest.fixture
def service_in_environment(service, monkeypatch):
    """What `${SERVICE}` in brownout.yaml stands for."""
    monkeypatch.setenv("SERVICE", service)


@pytest.mark.impairlab_needs("delay.normal", "loss.burst")
@pytest.mark.impairlab_scenario("brownout.yaml")
@pytest.mark.usefixtures("service_in_environment")
def test_the_first_token_comes_in_time_through_a_brown_out(impairlab_run):
    report = impairlab_run.judge()
    assert report.overall == "PASS", report.line
