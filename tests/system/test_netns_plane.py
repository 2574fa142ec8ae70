"""Packets really cross the namespaces: delay, loss, rate and switching as programmed, with and without root."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from impairlab.drivers.model import Conditions, Delay, Filter, FlowEntry, LinkState, PfcPause, RateLimit, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.drivers.model.factories import delay, loss
from impairlab.sim_hardware.planes.netns import NetnsPlane

pytestmark = pytest.mark.netns

MS = 1_000_000

# Sends numbered, time-stamped datagrams at a steady pace; prints the time at which the first one was due.
SENDER = """
import socket, sys, time
address, port, count, every_ns, size = sys.argv[1], *map(int, sys.argv[2:])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
begin = time.monotonic_ns() + 20_000_000
for n in range(count):
    while (left := begin + n * every_ns - time.monotonic_ns()) > 0:
        time.sleep(left / 1e9)
    s.sendto(b"%d %d " % (n, time.monotonic_ns()) + bytes(size), (address, port))
"""

# Prints its port, then after the last datagram or 1.5 s of silence a JSON list of [number, sent, received].
RECEIVER = """
import json, socket, sys, time
count = int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1], flush=True)
got = []
s.settimeout(float(sys.argv[3]))
try:
    while len(got) < count:
        data = s.recv(65536)
        now = time.monotonic_ns()
        n, sent = data.split(b" ", 2)[:2]
        got.append((int(n), int(sent), now))
        s.settimeout(1.5)
except TimeoutError:
    pass
print(json.dumps(got))
"""


@pytest.fixture(scope="module")
def plane() -> Iterator[NetnsPlane]:
    reason = NetnsPlane.available()
    if reason:
        pytest.skip(reason)
    with NetnsPlane(("1", "2"), seed=5) as made:
        yield made


@pytest.fixture(autouse=True)
def neutral(plane: NetnsPlane) -> None:
    plane.program([], None)
    plane.clear_statistics(None)


def python_in(plane: NetnsPlane, end: str, script: str, *arguments: object) -> subprocess.Popen[str]:
    command = plane.command_in(end, [sys.executable, "-S", "-c", script, *map(str, arguments)])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def cross(
    plane: NetnsPlane, count: int, every_ns: int = MS, *, size: int = 100, path: str = "1", from_end: str = "client",
    patience_s: float = 10, during: Callable[[], object] = lambda: None,
) -> list[tuple[int, int, int]]:  # fmt: skip
    """Send datagrams across a path; return (number, sent, received) in the order of arrival."""
    to_end = "server" if from_end == "client" else "client"
    address = plane.address(to_end, path)
    with python_in(plane, to_end, RECEIVER, address, count, patience_s) as receiver:
        assert receiver.stdout is not None
        port = receiver.stdout.readline().strip()
        with python_in(plane, from_end, SENDER, address, port, count, every_ns, size):
            during()
        return [tuple(entry) for entry in json.loads(receiver.stdout.read())]


def set_to(plane: NetnsPlane, *impairments: Any, direction: Any = "a-b", path: str = "1", at_ns: Any = None) -> int:
    target = Target(path=path, direction=direction)
    return plane.program([FlowEntry(target=target, conditions=Conditions.of(*impairments))], at_ns)


def one_way_ms(got: list[tuple[int, int, int]]) -> list[float]:
    return [(received - sent) / MS for _, sent, received in got]


def test_a_delay_is_met_with_a_median_error_under_a_millisecond_in_its_direction_only(
    plane: NetnsPlane, calm_median: Any
) -> None:
    set_to(plane, delay("20 ms"))
    there, back = cross(plane, 300), cross(plane, 300, from_end="server")
    assert len(there) == len(back) == 300
    assert min(one_way_ms(there)) >= 20
    assert calm_median(one_way_ms(there)) < 21
    assert calm_median(one_way_ms(back)) < 1


@pytest.mark.parametrize("keep_order", [True, False])
def test_order_is_kept_or_not_as_asked(plane: NetnsPlane, keep_order: bool) -> None:
    set_to(plane, delay("30 ms", jitter="5 ms", keep_order=keep_order))
    numbers = [number for number, _, _ in cross(plane, 500)]
    assert sorted(numbers) == list(range(500))
    assert (numbers == sorted(numbers)) is keep_order


def test_loss_lies_within_its_interval_and_is_counted(plane: NetnsPlane) -> None:
    set_to(plane, loss("10 %"))
    lost = 3000 - len(cross(plane, 3000, 200_000))
    assert abs(lost / 3000 - 0.1) <= 4.4 * sqrt(0.09 / 3000)
    counted = plane.statistics(Target(path="1", direction="a-b"))
    assert (counted.received_packets, counted.dropped_loss, counted.forwarded_packets) == (3000, lost, 3000 - lost)


def test_a_rate_is_met_within_two_percent(plane: NetnsPlane) -> None:
    set_to(plane, RateLimit(rate="10 Mbit/s", mode="link", queue="10 MB"))
    got = cross(plane, 1000, 100_000, size=1000)
    assert len(got) == 1000
    frame_bits = 8 * (plane.statistics(Target(path="1", direction="a-b")).forwarded_bytes or 0) / 1000
    half_ns = statistics.median(got[n + 500][2] - got[n][2] for n in range(500))
    assert frame_bits * 500 / half_ns * 1e9 == pytest.approx(10e6, rel=0.02)


def test_tcp_crosses_and_the_handshake_pays_for_both_directions(plane: NetnsPlane) -> None:
    both = [
        FlowEntry(target=Target(path="1", direction=direction), conditions=Conditions.of(delay("15 ms")))
        for direction in ("a-b", "b-a")
    ]
    plane.program(both, None)
    server = """
import socket
s = socket.create_server(("0.0.0.0", 0)); print(s.getsockname()[1], flush=True)
for _ in range(5):
    c, _ = s.accept(); data = c.makefile("rb").read(); c.sendall(b"%d" % len(data)); c.close()
"""
    client = """
import socket, sys, time
for _ in range(5):
    t = time.monotonic_ns(); s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); t = time.monotonic_ns() - t
    s.sendall(bytes(50_000)); s.shutdown(socket.SHUT_WR); print(t, s.makefile().read())
"""
    with python_in(plane, "server", server) as serving:
        port = serving.stdout.readline().strip()
        with python_in(plane, "client", client, plane.server_address, port) as asking:
            handshakes, arrived = zip(*(line.split() for line in asking.stdout), strict=True)
    assert set(arrived) == {"50000"}
    assert 30 <= min(map(int, handshakes)) / MS < 45


def test_a_switch_under_traffic_happens_at_its_time_and_loses_nothing(plane: NetnsPlane, calm_median: Any) -> None:
    set_to(plane, Delay(mean="40 ms", keep_order=False))
    planned: list[int] = []

    def switch_ahead() -> None:
        planned.append(time.monotonic_ns() + 300 * MS)
        set_to(plane, Delay(mean="5 ms", keep_order=False), at_ns=planned[0])

    got = cross(plane, 600, during=switch_ahead)
    switched = plane.last_switch_ns()
    assert sorted(number for number, _, _ in got) == list(range(600))
    assert switched is not None
    assert switched >= planned[0]
    # What is sent just before may be taken in just after.
    before = [(received - sent) / MS for _, sent, received in got if sent < switched - 100 * MS]
    after = [(received - sent) / MS for _, sent, received in got if sent > switched + 2 * MS]
    assert len(before) > 50 < len(after)
    assert min(before) >= 40
    assert min(after) >= 5
    assert calm_median(before) < 41
    assert calm_median(after) < 6


def test_a_switch_ahead_is_less_than_a_millisecond_late(plane: NetnsPlane, at_best: Any) -> None:
    def late_ms() -> float:
        planned = time.monotonic_ns() + 50 * MS
        assert plane.program([], planned) == planned
        deadline = time.monotonic() + 10
        while (switched := plane.last_switch_ns() or 0) < planned:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return (switched - planned) / MS

    assert at_best(late_ms, 1) < 1


def test_a_later_program_replaces_a_switch_that_waits(plane: NetnsPlane) -> None:
    set_to(plane, LinkState(state="down"), at_ns=time.monotonic_ns() + 200 * MS)
    set_to(plane, delay("3 ms"))
    assert len(cross(plane, 400)) == 400


def test_paths_and_flows_are_apart(plane: NetnsPlane) -> None:
    nothing_for_udp = FlowEntry(
        target=Target(path="2", direction="a-b", flow=1), filter=Filter(protocol="udp"), conditions=Conditions(loss=1)
    )
    plane.program([nothing_for_udp], None)
    assert len(cross(plane, 50)) == 50
    assert cross(plane, 50, path="2", patience_s=1.5) == []
    assert plane.statistics(nothing_for_udp.target).dropped_loss == 50


def test_what_the_plane_cannot_do_is_refused_with_every_reason(plane: NetnsPlane) -> None:
    pause = Conditions(pfc=PfcPause(priorities=(3,), duration=0.001, period=0.01))
    bad = [
        FlowEntry(target=Target(path="1", direction="a-b"), conditions=pause),
        FlowEntry(target=Target(path="9", direction="a-b")),
        FlowEntry(target=Target(path="1", direction="a-b", flow=1)),
    ]
    with pytest.raises(CapabilityError) as caught:
        plane.program(bad, None)
    assert [violation.field for violation in caught.value.violations] == ["pfc", "path", "filter"]


def ended(pid: int, within_s: float = 10) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


OWNER = """
import sys, time
from impairlab.sim_hardware.planes.netns import NetnsPlane
with NetnsPlane() as plane:
    print(plane.command_in("client", ["true"])[-3].split("/")[2], plane.rootless, flush=True)
    sys.stdin.read()
"""


def test_the_process_ends_when_its_owner_is_killed(plane: NetnsPlane) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        pid = int(owner.stdout.readline().split()[0])
        assert not ended(pid, within_s=0.1)
        owner.send_signal(signal.SIGKILL)
        assert ended(pid)


def test_close_ends_the_process_twice_over_and_later_calls_say_so() -> None:
    with NetnsPlane() as plane:
        pid = int(plane.command_in("client", ["true"])[-3].split("/")[2])
    plane.close()
    assert ended(pid, within_s=0.1)
    with pytest.raises(ImpairlabError, match="closed"):
        plane.program([], None)


def test_it_works_without_rights_in_a_user_namespace(plane: NetnsPlane) -> None:
    if os.geteuid() != 0:
        assert plane.rootless
        return
    # uid 0 without capabilities may still open /dev/net/tun; cap_setfcap lets it map uid 0 (user_namespaces(7)).
    script = """
import subprocess, sys
from impairlab.sim_hardware.planes.netns import NetnsPlane
with NetnsPlane() as plane:
    code = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('%s', 0))"
    ran = [subprocess.run(plane.command_in(end, [sys.executable, "-c", code % plane.address(end, "1")])).returncode
           for end in ("client", "server")]
    print(plane.rootless, ran)
"""
    drop = ["setpriv", "--bounding-set=-all,+setfcap", "--inh-caps=-all"]
    run = subprocess.run([*drop, sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    assert run.stdout.strip() == "True [0, 0]"
