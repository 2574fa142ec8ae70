"""Streams through the relay: late, slow or stalled as programmed, complete always, and nothing left behind."""

import hashlib
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from impairlab.drivers.model import Conditions, FlowEntry, RateLimit, Target
from impairlab.drivers.model.errors import CapabilityError, ConnectError, ImpairlabError
from impairlab.drivers.model.factories import delay, link_down, link_flap, loss
from impairlab.sim_hardware.planes.relay import RelayPlane

MS = 1_000_000


def echo(connection: socket.socket) -> None:
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, int]]:
    """An echo server that ends its side when the client ends its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=300)
    threads: list[threading.Thread] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=echo, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=serve, daemon=True)
    accepting.start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in (accepting, *threads):
        thread.join(10)


@pytest.fixture(scope="module")
def shared_plane(service: Any) -> Iterator[RelayPlane]:
    with RelayPlane({"1": service}) as made:
        yield made


@pytest.fixture
def plane(shared_plane: RelayPlane) -> RelayPlane:
    shared_plane.program([], None)
    shared_plane.clear_statistics(None)
    return shared_plane


def set_to(plane: RelayPlane, *impairments: Any, direction: Any = "a-b", at_ns: int | None = None) -> int:
    entry = FlowEntry(target=Target(path="1", direction=direction), conditions=Conditions.of(*impairments))
    return plane.program([entry], at_ns)


def connect(plane: RelayPlane) -> socket.socket:
    connection = socket.create_connection(plane.address("1"), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def round_trip_ms(connection: socket.socket, content: bytes = b"ping") -> float:
    begin = time.monotonic_ns()
    connection.sendall(content)
    while content:
        content = content[len(connection.recv(len(content))) :]
    return (time.monotonic_ns() - begin) / MS


def digest_of_rest(connection: socket.socket) -> tuple[int, str]:
    digest, length = hashlib.sha256(), 0
    while data := connection.recv(1 << 16):
        digest.update(data)
        length += len(data)
    return length, digest.hexdigest()


@pytest.mark.parametrize(("there", "back"), [(20, 0), (0, 20), (10, 25)])
def test_each_direction_has_its_own_delay_with_a_median_error_under_a_millisecond(
    plane: RelayPlane, there: int, back: int, calm_median: Any, at_best: Any
) -> None:
    entries = [
        FlowEntry(target=Target(path="1", direction=direction), conditions=Conditions.of(delay(f"{mean} ms")))
        for direction, mean in (("a-b", there), ("b-a", back))
    ]

    def error_ms() -> float:
        with connect(plane) as connection:
            plane.program([], None)
            without = calm_median([round_trip_ms(connection) for _ in range(50)])
            plane.program(entries, None)
            waits = [round_trip_ms(connection) for _ in range(25)]
        assert min(waits) >= there + back
        return abs(calm_median(waits) - without - there - back)

    assert at_best(error_ms, 1) < 1


def test_a_switch_ahead_happens_at_its_instant_and_not_before(plane: RelayPlane, at_best: Any) -> None:
    def late_ms() -> float:
        set_to(plane, delay("40 ms"))
        planned = time.monotonic_ns() + 200 * MS
        set_to(plane, delay("5 ms"), at_ns=planned)
        begun, waits = [], []
        with connect(plane) as connection:
            while not begun or begun[-1] < planned + 50 * MS:
                begun.append(time.monotonic_ns())
                waits.append(round_trip_ms(connection))
        switched = plane.last_switch_ns()
        assert switched is not None
        assert switched >= planned
        assert min(wait for begin, wait in zip(begun, waits, strict=True) if begin + wait * MS < planned) >= 40
        assert min(wait for begin, wait in zip(begun, waits, strict=True) if begin > switched) < 30
        return (switched - planned) / MS

    assert at_best(late_ms, 2) < 2


def test_a_later_program_replaces_a_switch_that_waits(plane: RelayPlane) -> None:
    set_to(plane, link_down(), at_ns=time.monotonic_ns() + 50 * MS)
    set_to(plane, delay("3 ms"))
    with connect(plane) as connection:
        assert max(round_trip_ms(connection) for _ in range(40)) < 1000


def test_a_jittered_stream_arrives_whole_and_ends_properly(plane: RelayPlane) -> None:
    set_to(plane, delay("10 ms", jitter="8 ms"), direction="b-a")
    content = bytes(range(256)) * 8_000
    with connect(plane) as connection:
        sending = threading.Thread(target=lambda: (connection.sendall(content), connection.shutdown(socket.SHUT_WR)))
        sending.start()
        assert digest_of_rest(connection) == (len(content), hashlib.sha256(content).hexdigest())
        sending.join()
    counted = plane.statistics(Target(path="1", direction="a-b"))
    assert (counted.received_bytes, counted.forwarded_bytes) == (len(content), len(content))
    assert counted.received_packets is None


def seconds_to_send(plane: RelayPlane, length: int, connections: int) -> list[float]:
    """Send on several connections at once; return after how many seconds each had everything back, in order."""
    ended: list[int] = []

    def send_and_collect(connection: socket.socket) -> None:
        sending = threading.Thread(
            target=lambda: (connection.sendall(bytes(length)), connection.shutdown(socket.SHUT_WR))
        )
        sending.start()
        assert digest_of_rest(connection)[0] == length
        ended.append(time.monotonic_ns())
        sending.join()

    with ExitStack() as stack:
        opened = [stack.enter_context(connect(plane)) for _ in range(connections)]
        begin = time.monotonic_ns()
        threads = [threading.Thread(target=send_and_collect, args=(connection,)) for connection in opened]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(ended) == connections
    return [(end_ns - begin) / 1e9 for end_ns in ended]


@pytest.mark.parametrize("connections", [1, 3])
def test_a_rate_is_met_within_two_percent_and_shared_evenly(plane: RelayPlane, connections: int, at_best: Any) -> None:
    # A short queue: whoever comes first fills it before the others have begun.
    set_to(plane, RateLimit(rate="12 Mbit/s", burst=0, queue="15 kB"))
    total = 900_000

    def error() -> float:
        elapsed = seconds_to_send(plane, total // connections, connections)
        assert elapsed[-1] >= 0.98 * total * 8 / 12e6
        assert elapsed[0] > 0.8 * elapsed[-1]
        return abs(total * 8 / elapsed[-1] / 12e6 - 1)

    assert at_best(error, 0.02) < 0.02


def test_an_outage_stalls_until_its_end_and_loses_nothing(plane: RelayPlane, at_best: Any) -> None:
    def late_ms() -> float:
        with connect(plane) as connection:
            round_trip_ms(connection)
            set_to(plane, link_down())
            up_ns = time.monotonic_ns() + 300 * MS
            plane.program([], up_ns)
            round_trip_ms(connection)
            return (time.monotonic_ns() - up_ns) / MS

    late = at_best(late_ms, 5)
    assert 0 <= late < 5


def test_what_is_inside_when_a_link_goes_down_still_comes_out() -> None:
    with peers(delay("100 ms")) as (client, server, plane):
        server.sendall(b"before")
        time.sleep(0.05)  # not to be lucky: the relay has long taken it in, and does not owe it for as long again
        set_to(plane, link_down(), direction="b-a")
        server.sendall(b"after")
        assert client.recv(20) == b"before"
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(20)
        plane.program([], None)
        client.settimeout(20)
        assert client.recv(20) == b"after"


def test_a_flap_stalls_for_its_down_time_over_and_over(plane: RelayPlane, at_best: Any) -> None:
    def error_ms() -> float:
        set_to(plane)
        set_to(plane, link_flap("80 ms", "200 ms"))
        with connect(plane) as connection:
            end, waits = time.monotonic() + 0.9, []
            while time.monotonic() < end:
                waits.append(round_trip_ms(connection))
        long = [waited for waited in waits if waited > 60]
        assert len(long) >= 3
        return abs(statistics.median(long) - 80)

    assert at_best(error_ms, 5) < 5


def test_what_a_stream_cannot_suffer_is_refused_with_every_reason(plane: RelayPlane) -> None:
    with pytest.raises(CapabilityError) as caught:
        set_to(
            plane,
            loss("1 %"),
            delay("10 ms", jitter="1 ms", keep_order=False),
            RateLimit(rate="1 Mbit/s", mode="policer", layer="l1"),
        )
    fields = {violation.field for violation in caught.value.violations}
    assert fields == {"loss", "delay.keep_order", "rate.mode", "rate.layer"}
    with pytest.raises(CapabilityError, match="flow"):
        plane.program([FlowEntry(target=Target(path="1", direction="a-b", flow=1))], None)


def test_many_connections_at_once_each_have_their_own_bytes_back(plane: RelayPlane) -> None:
    set_to(plane, delay("30 ms"))
    connections = [connect(plane) for _ in range(200)]
    begin = time.monotonic_ns()
    for number, connection in enumerate(connections):
        connection.sendall(b"%04d" % number)
    assert [connection.recv(4) for connection in connections] == [b"%04d" % number for number in range(200)]
    assert 30 <= (time.monotonic_ns() - begin) / MS < 2000
    for connection in connections:
        connection.close()


@contextmanager
def peers(*impairments: Any, direction: Any = "b-a") -> Iterator[tuple[socket.socket, socket.socket, RelayPlane]]:
    """Yield the client's and the service's end of one connection through a relay."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
        RelayPlane({"1": listener.getsockname()}) as plane,
    ):
        listener.settimeout(20)
        listener.accept()[0].close()  # the relay tries whether the service is there
        set_to(plane, *impairments, direction=direction)
        with connect(plane) as client, listener.accept()[0] as server:
            server.settimeout(20)
            yield client, server, plane


def test_a_half_close_is_passed_on_and_the_other_half_stays_open() -> None:
    with peers(delay("10 ms")) as (client, server, _):
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert digest_of_rest(server)[0] == 8
        for _ in range(3):
            server.sendall(b"token")
            assert client.recv(5) == b"token"
        server.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_reset_comes_late_and_behind_the_bytes_before_it() -> None:
    with peers(delay("60 ms")) as (client, server, _):
        server.sendall(b"last words")
        assert client.recv(20) == b"last words"
        server.sendall(b"and a reset")
        begin = time.monotonic_ns()
        reset(server)
        assert client.recv(20) == b"and a reset"
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert time.monotonic_ns() - begin >= 60 * MS - 5 * MS


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_a_client_that_goes_away_reaches_a_service_that_goes_on_sending(says_goodbye: bool) -> None:
    with peers(delay("10 ms"), direction="a-b") as (client, server, _):
        client.sendall(b"question")
        assert server.recv(8) == b"question"
        if says_goodbye:
            client.shutdown(socket.SHUT_WR)
            assert server.recv(1) == b""
        reset(client)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_on_and_on(server)


def send_on_and_on(connection: socket.socket) -> None:
    while True:
        connection.sendall(bytes(10_000))


def test_a_service_that_refuses_later_is_a_reset_to_the_client() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
        RelayPlane({"1": listener.getsockname()}) as plane,
    ):
        listener.close()
        with pytest.raises(ConnectionResetError), connect(plane) as connection:
            connection.recv(1)


def test_no_service_is_an_error_that_says_where() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as placeholder:
        host, port = placeholder.getsockname()
    with pytest.raises(ConnectError, match=rf"path 1 leads to no service: {host}:{port}: Connection refused"):
        RelayPlane({"1": (host, port)})


def test_an_address_of_another_machine_cannot_be_listened_on(service: Any) -> None:
    with pytest.raises(ConnectError, match=r"no relay on 192\.0\.2\.1"):
        RelayPlane({"1": service}, host="192.0.2.1")


def test_close_ends_connections_and_process_and_later_calls_say_so(service: Any) -> None:
    plane = RelayPlane({"1": service})
    pid = plane._worker.pid
    with connect(plane) as connection:
        round_trip_ms(connection)
        plane.close()
        plane.close()
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(ImpairlabError, match="closed"):
        plane.program([], None)


def open_here() -> tuple[set[threading.Thread], set[str]]:
    return set(threading.enumerate()), {descriptor.name for descriptor in Path("/proc/self/fd").iterdir()}


def test_no_thread_and_no_descriptor_stays_behind() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        before = open_here()
        with RelayPlane({"1": listener.getsockname()}) as plane:
            set_to(plane, delay("1 ms"))
        with pytest.raises(ConnectError):
            RelayPlane({"1": listener.getsockname()}, host="192.0.2.1")
        threads, descriptors = open_here()
    assert threads <= before[0]
    assert descriptors <= before[1]


OWNER = """
import socket, sys
from impairlab.sim_hardware.planes.relay import RelayPlane
service = socket.create_server(("127.0.0.1", 0))
with RelayPlane({"1": service.getsockname()}) as plane:
    print(*plane.address("1"), flush=True)
    sys.stdin.read()
"""


def test_the_process_ends_when_its_owner_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        host, port = owner.stdout.readline().split()
        socket.create_connection((host, int(port)), timeout=10).close()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it ended while we were in its backlog
            continue
        time.sleep(0.02)
    pytest.fail("the relay outlived its owner")
