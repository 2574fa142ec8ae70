"""The driver of Netropy against a scripted shell made of what is published, and of house words where nothing is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from scripted_netropy import FINGERPRINT, KEY, PROMPT, Netropy

from impairlab.drivers import (
    AuthError,
    CapabilityError,
    Conditions,
    ConnectError,
    ConnectionLost,
    HostKeyChanged,
    IdentityMismatch,
    InstrumentCommandError,
    InstrumentDeviceError,
    InstrumentExecutionError,
    MalformedResponse,
    SessionLimit,
    Target,
    VerifyMismatch,
    connect,
    delay,
    duplicate,
    gilbert_elliott,
    loss,
)
from impairlab.drivers.apposite import NetropyAppliance
from impairlab.drivers.model import RandomFlap, RateLimit
from impairlab.drivers.testing.ssh_peer import ChannelWire, House, ShellWire, ssh_peer

MS = 1_000_000
AB, BA = Target(path="1", direction="a-b"), Target(path="1", direction="b-a")


def limit(rate: str, layer: str) -> RateLimit:
    return RateLimit.model_validate({"mode": "link", "rate": rate, "layer": layer})


@pytest.fixture
def netropy() -> Netropy:
    return Netropy()


@pytest.fixture
def serve(netropy: Netropy) -> Iterator[Callable[..., str]]:
    """Serve it, by a script of one's own or by the ordinary one; returns where."""
    stop = []

    def serve(own_script: Callable[[int, ChannelWire], None] = netropy.serve, password: str = "") -> str:
        peer = ssh_peer(own_script, House(KEY, passwords={"admin": password}))
        stop.append(peer)
        host, port = peer.__enter__()
        return f"ssh://admin@{host}:{port}?engine=1&paths=1,2&line=1Gbps&fingerprint={FINGERPRINT}"

    yield serve
    for peer in stop:
        peer.__exit__(None, None, None)


@pytest.fixture
def box(serve: Callable[..., str]) -> Iterator[NetropyAppliance]:
    with connect(serve(), "apposite-netropy", timeout_ns=20_000 * MS) as box:
        yield box


def settings(netropy: Netropy) -> list[str]:
    return [line for line in netropy.sent if " set " in line and not line.endswith("?")]


class TestLiteralVectors:
    @pytest.mark.parametrize(
        ("impairment", "command"),
        [
            (delay("25 ms"), "set delay constant 25 port 1 to port 2"),
            (loss("0.05 %"), "set loss random 0.05 port 1 to port 2"),
            (gilbert_elliott("0.1 %", "0.1 %", bad_loss="0.2 %", good_loss="0.01 %"),
             "set loss gilbert-elliott good-state loss 0.01 change 0.1 bad-state loss 0.2 change 0.1 port 1 to port 2"),
            (duplicate("0.05 %"), "set duplication random 0.05 port 1 to port 2"),
            (limit("100 Mbit/s", "l1"), "set bw fixed 100 Mbps port 1 out"),
            (RandomFlap.model_validate({"up": "5 s", "up_most": "10 s", "down": "10 s", "down_most": "15 s"}),
             "set network-outage periodic interval 5-10 duration 10-15 port 1 to port 2"),
        ],
    )  # fmt: skip
    def test_one_impairment_is_one_command_read_back_and_restored(self, netropy, box, impairment, command) -> None:
        with box.path("1").a_to_b.impaired(impairment) as applied:
            assert settings(netropy) == [f"engine 1 path 1 {command}"]
            assert netropy.emulation == "on"
            assert box.read(AB).conditions == Conditions.of(impairment)
            assert box.read(BA).conditions.is_neutral
            assert all(record.read_back == record.sent for record in applied)
        assert len(settings(netropy)) == 2
        assert box.read(AB).conditions.is_neutral

    def test_value_that_is_none_is_an_execution_error_in_the_appliances_words(self, box) -> None:
        with pytest.raises(InstrumentExecutionError, match=r"\*\*\* Error: constant abc") as raised:
            box._change("engine 1 path 1 set delay constant abc port 1 to port 2")
        assert raised.value.command.endswith("constant abc port 1 to port 2")

    def test_unknown_command_is_a_command_error(self, box) -> None:
        with pytest.raises(InstrumentCommandError, match="Usage: "):
            box._change("bogus")

    def test_statistics_just_after_a_reset_are_waited_for(self, netropy, box) -> None:
        box.clear_statistics(AB)
        statistics = box.statistics(BA)
        assert (statistics.forwarded_bytes, statistics.forwarded_packets, statistics.dropped_total) == (5, 6, 7)
        assert netropy.sent.count("engine 1 statistics total") == 3
        assert statistics.received_packets is None

    def test_statistics_that_never_come_are_given_up(self, netropy, box) -> None:
        netropy.answers["engine 1 statistics total"] = ["ERROR"] * 1000
        with pytest.raises(InstrumentDeviceError, match=r"no statistics 2\.5 s after"):
            box.statistics(AB)

    def test_history_is_read_row_by_row(self, box) -> None:
        (row,) = box.history("interval")
        assert row.of("lan 2", "1", "2")["tx_bytes"] == 9


def test_only_what_differs_is_sent_and_several_flows_share_a_commit(netropy, box) -> None:
    path = box.path("1")
    path.apply(delay("10 ms", jitter="2 ms"), loss("1 %"))
    assert settings(netropy) == [
        f"engine 1 path 1 set {words} {ends}"
        for ends in ("port 1 to port 2", "port 2 to port 1")
        for words in ("delay normal 10 2 reordering disabled", "loss random 1")
    ]
    netropy.sent.clear()
    path.apply(delay("10 ms", jitter="2 ms"), loss("2 %"), direction="b-a")
    assert settings(netropy) == ["engine 1 path 1 set loss random 2 port 2 to port 1"]
    netropy.sent.clear()
    path.apply(delay("10 ms", jitter="2 ms"), loss("2 %"), direction="b-a")
    assert settings(netropy) == []
    box.neutral()
    assert all(value in {"none", "None"} for each in netropy.conditions.values() for value in each.values())


def test_refusal_in_the_middle_has_what_was_there_put_back(netropy, box) -> None:
    box.path("1").a_to_b.apply(delay("5 ms"))
    netropy.answers["engine 1 path 1 set loss random 1 port 1 to port 2"] = ["*** Error: no"]
    with pytest.raises(InstrumentExecutionError) as raised:
        box.path("1").a_to_b.apply(delay("7 ms"), loss("1 %"))
    assert raised.value.state_known
    assert box.read(AB).conditions == Conditions.of(delay("5 ms"))


def test_connection_that_ends_in_the_middle_of_a_write_is_read_back_on_a_new_one(netropy, serve) -> None:
    def script(number: int, wire: ChannelWire) -> None:
        shell = ShellWire(wire, prompt=PROMPT)
        while (line := shell.read_line()) is not None:
            answer = netropy.answer(line)
            if number == 1 and " set delay constant" in line:
                wire.hang_up()
                return
            shell.send(answer.replace("\n", "\r\n").encode() + (b"\r\n" if answer else b""))

    with connect(serve(script), "apposite-netropy", timeout_ns=20_000 * MS) as box:
        with pytest.raises(ConnectionLost) as raised:
            box.path("1").a_to_b.apply(delay("7 ms"))
        assert raised.value.state_known
        assert "it took effect" in raised.value.__notes__[0]


def test_box_that_takes_a_value_and_shows_another_is_found_out(netropy, box) -> None:
    netropy.answers["engine 1 path 1 set delay constant 7 port 1 to port 2"] = [""]
    with pytest.raises(VerifyMismatch, match=r"wanted delay\.constant"):
        box.path("1").a_to_b.apply(delay("7 ms"))


def test_what_is_only_shown_is_told_and_looked_after(netropy, box) -> None:
    beside = box.only_shown("1")
    assert beside["Port 1, in: Bandwidth"] == "1 Gbps"
    assert beside["Port 1, out: MTU Limit"] == "None"
    assert "Port 1, out: Bandwidth" not in beside
    before = box.snapshot()
    netropy.conditions["1", "port 1 to port 2"]["Corruption"] = "Random 1%"
    with pytest.raises(VerifyMismatch, match=r"Port 1 to Port 2: Corruption: was None, is Random 1%"):
        box.restore(before)


def test_what_no_value_says_is_neither_read_wrong_nor_overwritten(netropy, box) -> None:
    netropy.conditions["1", "port 1 to port 2"]["Delay"] = "Recorded: lte.csv"
    with pytest.raises(CapabilityError, match=r"a recording; legal: set it to none there"):
        box.path("1").a_to_b.apply(delay("7 ms"))
    assert settings(netropy) == []
    assert box.path("2").a_to_b.read().is_neutral


def test_show_that_cannot_be_read_is_malformed(netropy, box) -> None:
    netropy.conditions["1", "port 1 to port 2"]["Delay"] = "a while"
    with pytest.raises(MalformedResponse, match="path 1 a-b: Delay 'A while' cannot be read"):
        box.read(AB)


def test_what_is_not_offered_is_refused_before_anything_is_sent(netropy, box) -> None:
    before = list(netropy.sent)
    with pytest.raises(CapabilityError, match="layer"):
        box.path("1").apply(limit("10 Mbit/s", "l2"))
    with pytest.raises(CapabilityError, match=r"mean and spread are at most 10 s together"):
        box.path("1").apply(delay("6 s", jitter="5 s", distribution="uniform"))
    assert netropy.sent == before
    assert not box.capabilities.supports("corrupt")
    assert not box.capabilities.supports("reorder")


def test_bandwidth_without_a_line_to_go_back_to_is_not_offered(serve) -> None:
    with connect(serve().replace("&line=1Gbps", ""), "apposite-netropy") as box:
        assert not box.capabilities.supports("rate")
        assert "Port 1, out: Bandwidth" in box.only_shown("1")


def test_limits_that_the_help_tells_are_taken(netropy, serve) -> None:
    netropy.answers["engine 1 path 1 set delay ?"] = [
        "Usage: set delay\n  constant <ms (0 - 2000)>\n  uniform <min> <max>"
    ]
    netropy.answers["engine 1 path 1 set loss ?"] = ["ber <rate (1e-12 \N{EN DASH} 9.9e-1)>"]
    with connect(serve(), "apposite-netropy") as box:
        features = box.capabilities.features
        assert features["delay.constant"].ranges["mean"].high == 2_000 * MS
        assert features["delay.constant"].provenance.basis == "documented"
        assert features["loss.bit-error"].ranges["ber"].low == Decimal("1e-12")
        assert features["delay.normal"].provenance.basis == "inferred"
        assert features["loss.random"].provenance.basis == "inferred"


class TestConnecting:
    def test_it_is_known_by_its_host_key_and_there_is_no_lock(self, serve) -> None:
        with connect(serve(), "apposite-netropy", serial=FINGERPRINT) as box, box.locked():
            assert box.identity.serial == FINGERPRINT
            assert str(box.identity).startswith("Apposite Netropy SHA256:")

    def test_another_one_than_expected(self, serve) -> None:
        with pytest.raises(IdentityMismatch, match="SHA256:other"):
            connect(serve(), "apposite-netropy", serial="SHA256:other")
        with pytest.raises(HostKeyChanged):
            connect(serve().replace(FINGERPRINT, "SHA256:" + "A" * 43), "apposite-netropy")

    def test_password_is_the_secret(self, serve) -> None:
        address = serve(password="hunter2")  # noqa: S106 - of the scripted server
        with pytest.raises(AuthError, match="the empty password"):
            connect(address, "apposite-netropy")
        connect(address, "apposite-netropy", secret="hunter2").close()  # noqa: S106 - of the scripted server

    def test_engine_that_is_not_there(self, netropy, serve) -> None:
        netropy.answers["engine 1 path 2 show"] = ["*** Error: no such path"]
        with pytest.raises(InstrumentExecutionError, match="no such path"):
            connect(serve(), "apposite-netropy")

    def test_no_session_left(self, serve) -> None:
        with pytest.raises(SessionLimit, match="too many"):
            connect(serve(lambda _number, wire: wire.send(b"too many sessions\r\n")), "apposite-netropy")

    @pytest.mark.parametrize(
        ("setting", "problem"),
        [
            ("paths=1,1", "no path is named twice"), ("paths=", "'' is not a number"),
            ("engine=x", "'x' is not a number"), ("ports=1", "ports are two"), ("line=fast", "line=fast"),
            ("line=0 bps", "above 0"), ("access=up", "out or in"), ("emulation=off", "on or leave"),
            ("volume=11", "unknown setting 'volume'"),
        ],
    )  # fmt: skip
    def test_settings_that_cannot_be_read(self, setting: str, problem: str) -> None:
        with pytest.raises(ConnectError, match=problem):
            connect(f"ssh://admin@192.0.2.1?{setting}", "apposite-netropy")

    def test_emulation_can_be_left_alone(self, netropy, serve) -> None:
        with connect(serve() + "&emulation=leave", "apposite-netropy") as box:
            box.path("1").apply(delay("5 ms"))
            assert netropy.emulation == "off"
            box.emulate("on")
            assert netropy.emulation == "on"

    def test_closing_leaves_no_session_and_no_thread(self, serve) -> None:
        ended = threading.Event()

        def script(_number: int, wire: ChannelWire) -> None:
            shell = ShellWire(wire, prompt=PROMPT)
            box = Netropy()
            while (line := shell.read_line()) is not None:
                shell.send(box.answer(line).replace("\n", "\r\n").encode() + b"\r\n")
            ended.set()

        address = serve(script)
        before = set(threading.enumerate())
        connect(address, "apposite-netropy").close()
        assert ended.wait(10)
        assert not [each for each in threading.enumerate() if each not in before and "Transport" in type(each).__name__
                    and not each.server_mode]  # fmt: skip
