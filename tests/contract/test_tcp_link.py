"""The raw-socket link keeps the link contract, and copes with the SCPI server's faults."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Unpack

import pytest

from impairlab.drivers.links.address import open_link
from impairlab.drivers.links.identity import IdentityGuard
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.tcp import TcpLink
from impairlab.drivers.model.errors import (
    ConnectError,
    ConnectionLost,
    ImpairlabError,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    RebootDetected,
    SessionLimit,
)
from impairlab.drivers.testing.links import LinkContract
from impairlab.drivers.testing.peers import Script, SocketWire, answering, tcp_peer
from impairlab.sim_hardware.faults import CloseMidReply, Garbage, LateReply, Mute, PartialReply, Reboot, ReplyFault
from impairlab.sim_hardware.scpi import Device, Identity, Instrument, ScpiServer

MS = 1_000_000


class TestTcpLink(LinkContract):
    @contextmanager
    def serve(self, script: Script) -> Iterator[str]:
        with tcp_peer(script) as (host, port):
            yield f"{host}:{port}"

    def open_link(self, address: str, **options: Unpack[LinkOptions]) -> TcpLink:
        host, _, port = address.rpartition(":")
        return TcpLink(host, int(port), **options)

    def unreachable_address(self) -> str:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            return f"127.0.0.1:{listener.getsockname()[1]}"

    def test_reset_is_connection_lost(self) -> None:
        def reset(_number: int, wire: SocketWire) -> None:
            wire.read_line()
            wire.reset()

        with tcp_peer(reset) as (host, port), TcpLink(host, port) as link, pytest.raises(ConnectionLost):
            link.query("A?")

    def test_name_that_does_not_resolve(self) -> None:
        with pytest.raises(ConnectError, match="does not resolve"):
            TcpLink("no-such-host.invalid", 5025)

    def test_host_that_never_answers_is_given_up_in_time(self) -> None:
        with socket.socket() as listener:  # a full backlog drops connection requests, as a firewall does
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            waiting = []
            try:
                while len(waiting) < 8:
                    sock = socket.socket()
                    sock.setblocking(False)
                    sock.connect_ex(listener.getsockname())
                    waiting.append(sock)
                with pytest.raises(ConnectError, match="no connection within"):
                    TcpLink(*listener.getsockname(), connect_timeout_ns=100 * MS)
            finally:
                for sock in waiting:
                    sock.close()

    def test_socket_is_told_to_hurry_and_to_notice_a_vanished_peer(self) -> None:
        with tcp_peer(answering(str)) as (host, port), TcpLink(host, port) as link:
            sock = link._channel._socket
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000

    def test_peer_that_takes_in_nothing_is_given_up_at_the_deadline(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener, TcpLink(*listener.getsockname()) as link:
            started = time.monotonic_ns()
            with pytest.raises(NoResponse, match="took in no more bytes") as raised:
                link.exchange("x" * 50_000_000, timeout_ns=100 * MS)
            assert 100 * MS <= time.monotonic_ns() - started < 5_000 * MS
            assert not raised.value.state_known

    def test_long_message_arrives_whole_at_a_peer_that_is_slow_to_read(self) -> None:
        message = "".join(f"{number:08}" for number in range(1_000_000))

        def read_late(_number: int, wire: SocketWire) -> None:
            time.sleep(0.05)
            wire.send(b"whole\n" if wire.read_line() == message else b"torn\n")

        with tcp_peer(read_late) as (host, port), TcpLink(host, port, timeout_ns=20_000 * MS) as link:
            assert link.query(message) == "whole"

    @pytest.mark.parametrize("early_ns", [0, MS // 2, MS, 10 * MS])
    def test_deadline_that_has_passed_is_not_waited_for(self, early_ns: int) -> None:
        with tcp_peer(lambda _number, wire: wire.read_line()) as (host, port), TcpLink(host, port) as link:
            started = time.monotonic_ns()
            assert link._channel.receive(started - early_ns) is None
            assert time.monotonic_ns() - started < 1_000 * MS

    def test_longest_line_is_taken_and_a_longer_one_is_malformed(self) -> None:
        with tcp_peer(answering(str)) as (host, port), TcpLink(host, port, longest_line=10) as link:
            assert link.query("0123456789") == "0123456789"
            with pytest.raises(MalformedResponse, match="more than 10 bytes"):
                link.query("0123456789a")

    def test_each_exchange_has_its_own_deadline(self) -> None:
        with tcp_peer(answering(lambda line: time.sleep(0.15) or line)) as (host, port), TcpLink(host, port) as link:
            assert link.query("patient", timeout_ns=10_000 * MS) == "patient"
            with pytest.raises(NoResponse):
                link.query("hasty", timeout_ns=20 * MS)
            assert link.query("patient", timeout_ns=10_000 * MS) == "patient"

    def test_address_of_an_ipv6_host_is_bracketed(self) -> None:
        with pytest.raises(ConnectError) as raised:
            TcpLink("::1", int(self.unreachable_address().rpartition(":")[2]))
        assert raised.value.appliance.startswith("tcp://[::1]:")


class Plain(Device):
    """Nothing but the common commands."""

    identity = Identity("impairlab", "Plain", "P1", "1.0")


@pytest.fixture
def server() -> Iterator[ScpiServer]:
    with ScpiServer(Instrument(Plain()), port=0) as server:
        yield server


@pytest.fixture
def link(server: ScpiServer) -> Iterator[TcpLink]:
    with TcpLink(*server.address, greeting=IdentityGuard("plain"), timeout_ns=10_000 * MS) as link:
        yield link


def test_four_threads_against_the_scpi_server(link: TcpLink) -> None:
    def ask(thread: int) -> list[str]:
        return [link.query(f"*ESE {(thread * 61 + n) % 256};*ESE?") for n in range(500)]

    with ThreadPoolExecutor(4) as pool:
        for thread, replies in enumerate(pool.map(ask, range(4))):
            assert replies == [str((thread * 61 + n) % 256) for n in range(500)]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (LateReply(400 * MS), NoResponse),
        (PartialReply(keep=4), PartialResponse),
        (CloseMidReply(keep=4), ConnectionLost),
        (Garbage(), MalformedResponse),
        (Mute(), NoResponse),
    ],
)
def test_every_fault_has_its_error_and_the_next_question_its_answer(
    server: ScpiServer, link: TcpLink, fault: ReplyFault | Mute, error: type[ImpairlabError]
) -> None:
    server.inject(fault)
    with pytest.raises(error):
        link.query("*IDN?", 100 * MS)
    assert link.query("*ESE?") == "0"
    assert link.query("*IDN?") == "impairlab,Plain,P1,1.0"


def _wait_until_it_listens(server: ScpiServer) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(server.address).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        else:
            return


def test_reboot_is_detected_by_the_power_on_bit(server: ScpiServer, link: TcpLink) -> None:
    assert link.query("*IDN?").startswith("impairlab")
    server.inject(Reboot())
    _wait_until_it_listens(server)
    with pytest.raises(RebootDetected):
        link.query("*IDN?")
    assert link.query("*IDN?").startswith("impairlab")


def test_slow_boot_is_waited_for(server: ScpiServer, link: TcpLink) -> None:
    server.inject(Reboot(boot_ns=150 * MS))
    with pytest.raises(ConnectError):
        link.query("*IDN?")
    started = time.monotonic_ns()
    with pytest.raises(RebootDetected):
        link.resynchronise(10_000 * MS)
    assert time.monotonic_ns() - started < 5_000 * MS
    assert link.query("*IDN?").startswith("impairlab")


def test_session_cap_is_named() -> None:
    with (
        ScpiServer(Instrument(Plain()), port=0, max_connections=1) as server,
        TcpLink(*server.address, greeting=IdentityGuard("plain")),
        pytest.raises((SessionLimit, ConnectionLost)),
    ):
        TcpLink(*server.address, greeting=IdentityGuard("plain"))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1?gap=5", "tcp://me@127.0.0.1:1"])
def test_settings_that_a_raw_socket_has_not_got_are_refused_by_name(address) -> None:
    with pytest.raises(ConnectError, match="takes no settings"):
        open_link(address)
