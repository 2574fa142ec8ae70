"""The simulated LANforge ICE over a plain socket: the prompt, every command, its refusals and its faults."""

import re
import socket
from decimal import Decimal

import pytest

from impairlab.drivers.model import Statistics, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.faults import (
    Garbage,
    IdleClose,
    IdleDatapath,
    LinksDown,
    ModeReset,
    Pending,
    Reboot,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StatisticsNotReady,
)
from impairlab.sim_hardware.lanforge import SimulatedLanforge
from impairlab.sim_hardware.planes import NullPlane

from .conftest import Client

MS = 1_000_000
SETTINGS = ("delay", "loss", "reorder", "duplicate", "corrupt", "rate")


def test_a_session_is_brief_until_it_is_told_not_to_be(lanforge):
    client = Client(lanforge.sim, brief=True)
    assert client.ask("set_wanlink_info t1-A NA 35") == b"\r\n"
    assert client.ask("") == b"\r\n"
    assert client.ask("set_flag brief 0") == b"\r\n >>RSLT: 0  Cmd: set_flag brief 0\r\n\r\n"
    assert client.ask("set_wanlink_info  t1-A NA 36 ") == b"\r\n >>RSLT: 0  Cmd: set_wanlink_info t1-A NA 36\r\n\r\n"
    assert client.ask("") == b"\r\n"
    assert client.ask("set_flag brief 1") == b"\r\n"
    assert client.ask("nonsense") == b"\r\nUnknown command: nonsense\r\n"
    client.socket.sendall(b"exit\r\n")
    assert client.socket.recv(100) == b"\r\n"
    assert client.socket.recv(100) == b""
    client.close()


def test_it_shows_what_the_vendors_library_looks_for(lanforge):
    lanforge.clock.now_ns = 7_000 * MS
    for line in (
        "set_wanlink_info t1-A 4000000 10 3 5 100 1 2 NA 1000 2 4 1 10 -1",
        "add_wanpath t1-A wp1 56000 6 0 64 0 0 0 10.0.0.7 255.255.255.255 0.0.0.0 0.0.0.0 OFF 'NA' YES NO NO NO",
    ):
        lanforge.client.lines(line)
    counts = {"received_packets": 11, "received_bytes": 1100, "forwarded_packets": 9, "forwarded_bytes": 900}
    plain = Statistics(at_ns=0, dropped_total=2, reordered=1, duplicated=3, **counts)
    lanforge.plane.counters = {
        Target(path="1", direction="a-b"): plain,
        Target(path="1", direction="a-b", flow=1): Statistics(at_ns=0, dropped_total=1, **counts),
    }
    assert lanforge.client.lines("nc_show_endpoint t1-A") == [
        "WanLink [t1-A] (RUNNING)",
        "     Shelf: 1, Card: 1  Port: 1  Endpoint: 1  Type: WAN_LINK",
        "     Description: ",
        "     MaxTxRate: 4000000bps  Latency: 10ms  MaxJitter: 3ms",
        "     DropFreq: 1  DupFreq: 2  ReorderFreq: 5  ExtraBuf: 100KB",
        "     RptTimer: 5000ms  RunningFor: 7s  StopIn: 0s  MaxBuf: 103914B",
        "     Cur Backlog: 0  Real Tx Rate: 0bps  WanPaths: 1",
        "     JitterFreq: 1000  RecordQ: 0  Dump File: ",
        "     MinDropAmt: 2  MaxDropAmt: 4",
        "       Rx Pkts:           Total: 22          Time: 300000ms    Current: 0",
        "       Rx Bytes:          Total: 2200        Time: 300000ms    Current: 0",
        "       Tx OOO Pkts:       Total: 1           Time: 300000ms    Current: 0",
        "       Rx Dropped Pkts:   Total: 3           Time: 300000ms    Current: 0",
        "       Tx Duplicate Pkts: Total: 3           Time: 300000ms    Current: 0",
        "       Tx Pkts:           Total: 18          Time: 300000ms    Current: 0",
        "       Tx Bytes:          Total: 1800        Time: 300000ms    Current: 0",
        "       Tx Failed Pkts:    Total: 0           Time: 300000ms    Current: 0",
        "       Tx Failed Bytes:   Total: 0           Time: 300000ms    Current: 0",
        "",
        "   Name    RxPkts  RxBytes Dropped MaxRate(bps) Latency Backlog TxPkts TxBytes",
        "   wp1  11  1100  1  56000  6  0  9  900",
        "",
    ]


def test_a_million_drops_all_and_keeps_the_rest(lanforge):
    lanforge.client.lines("set_wanlink_info t1-A 256000 35 NA NA NA 10")
    lanforge.client.lines("set_wanlink_info t1-A NA NA NA NA NA 1000000")
    suffered = lanforge.suffered()
    assert (suffered.loss.model, suffered.loss.rate) == ("random", 1)
    assert (suffered.delay.mean, suffered.rate.rate) == (35 * MS, 256_000)
    assert lanforge.suffered("b-a").is_neutral
    shown = lanforge.shown()
    assert [shown[key] for key in ("MaxTxRate", "Latency", "DropFreq")] == ["256000bps", "35ms", "1000000"]


def test_the_published_way_to_a_new_wanlink(make):
    lanforge = make(wanlinks=())
    client = lanforge.client
    client.lines("add_wl_endp t1-A 1 1 eth3 35 256000 NA NA NA")
    client.lines("add_wl_endp t1-B 1 1 eth4 5 256000 'the way back' NA NA")
    client.lines("set_wanlink_info t1-A 256000 35 NA NA NA 100 NA NA NA NA NA NA NA NA")
    client.lines("add_cx t1 default_tm t1-A t1-B")
    assert lanforge.suffered(path="2").link.state == "down"
    assert client.lines("nc_show_endpoint t1-B")[0] == "WanLink [t1-B] (NOT_RUNNING)"
    assert lanforge.shown("t1-B")["Description"] == "the way back"
    client.lines("set_cx_state all t1 RUNNING")
    assert [lanforge.suffered(way, path="2").delay.mean for way in ("a-b", "b-a")] == [35 * MS, 5 * MS]
    assert lanforge.suffered(path="2").loss.rate == Decimal("0.0001")
    assert lanforge.suffered("b-a").link.state == "down"
    client.lines("set_cx_state default_tm t1 STOPPED")
    assert [str(lanforge.suffered(way, path="2")) for way in ("a-b", "b-a")] == ["link down", "link down"]
    assert client.lines("show_cx all t1") == ["CX: t1  TestMgr: default_tm  State: STOPPED  Endpoints: t1-A t1-B"]
    assert client.refused("rm_endp t1-A") == 9004
    client.lines("rm_cx default_tm t1")
    client.lines("rm_endp t1-A")
    assert client.refused("nc_show_endpoint t1-A") == 9003


@pytest.mark.parametrize(
    ("line", "name", "made"),
    [
        ("NA 35", "delay", "delay 35 ms"),
        ("NA 500us", "delay", "delay 500 us"),
        ("NA 10 4", "delay", "delay 12 ms ± 2 ms uniform"),
        ("NA 1000000", "delay", "delay 1000 s"),
        ("NA NA NA 2000", "reorder", "reorder 0.2 % by 1 to 10"),
        ("NA NA NA 2000 NA NA NA NA NA NA NA 5 5", "reorder", "reorder 0.2 % by 5"),
        ("NA NA NA NA NA 1", "loss", "loss 1 ppm"),
        ("NA NA NA NA NA 1000 NA NA NA 2 7", "loss", "loss bursts of 2 to 7, 0.1 % begin one"),
        ("NA NA NA NA NA NA 500000", "duplicate", "duplicate 50 %"),
        ("56000", "rate", "link 56 kbit/s"),
    ],
)
def test_every_setting_does_what_it_says(lanforge, line, name, made):
    lanforge.client.lines(f"set_wanlink_info t1-A {line}")
    assert str(getattr(lanforge.suffered(), name)) == made
    assert [each for each in SETTINGS if getattr(lanforge.suffered(), each)] == [name]


def test_what_the_queue_holds_is_shown_as_max_buf(lanforge):
    lanforge.client.lines("set_wanlink_info t1-A 56000")
    assert (lanforge.suffered().rate.queue, lanforge.shown()["MaxBuf"]) == (67_050, "67050B")
    lanforge.client.lines("set_wanlink_info t1-A NA NA NA NA -1")
    assert (lanforge.suffered().rate.queue, lanforge.shown()["ExtraBuf"]) == (67_050, "-1KB")
    lanforge.client.lines("set_wanlink_info t1-A 1000000000")
    assert lanforge.suffered().is_neutral


def test_jitter_hits_its_share_of_packets(lanforge):
    lanforge.client.lines("set_wanlink_info t1-A NA 10 8 NA NA NA NA NA 250000")
    delay = lanforge.suffered().delay
    delays_us = [10_000 + deviation for deviation in delay.table]
    assert (delay.mean, delay.spread, len(delays_us)) == (10 * MS, 1_000, 4_000)
    assert sum(each > 10_000 for each in delays_us) == 1_000
    assert max(delays_us) == 17_996
    assert lanforge.client.refused("set_wanlink_info t1-A NA NA NA NA NA NA NA NA 249") == 9005
    assert lanforge.shown()["JitterFreq"] == "250000"
    lanforge.client.lines("set_wanlink_info t1-A NA NA NA NA NA NA NA NA 0")
    assert str(lanforge.suffered().delay) == "delay 10 ms"


@pytest.mark.parametrize(
    ("flags", "how", "checksums"),
    [("1", "random", "kept"), ("4", "flip", "kept"), ("8", "transpose", "kept"), ("0x24", "flip", "fixed")],
)
def test_corruption_damages_a_byte_between_two_offsets(lanforge, flags, how, checksums):
    lanforge.client.lines(f"set_wl_corruption t1-A 5 {flags} NA 40 60 30000")
    corrupt = lanforge.suffered().corrupt
    assert (corrupt.rate, corrupt.how, corrupt.checksums) == (Decimal("0.03"), how, checksums)
    assert (corrupt.first_byte, corrupt.last_byte) == (40, 60)
    lanforge.client.lines("set_wl_corruption t1-A 5 NA NA NA NA 0")
    assert lanforge.suffered().is_neutral


@pytest.mark.parametrize("flags", ["0", "2", "5", "0x14"])
def test_a_corruption_that_cannot_be_done_is_refused_when_it_would_act(lanforge, flags):
    lanforge.client.lines(f"set_wl_corruption t1-A 0 {flags} 7 0 100 0")
    assert lanforge.client.refused("set_wl_corruption t1-A 0 NA NA NA NA 1") == 9005
    lanforge.client.lines("set_wl_corruption t1-A 1 4 NA 0 100 1")
    assert lanforge.client.refused("set_wl_corruption t1-A 2 4 NA 0 100 1") == 9005
    assert lanforge.suffered().corrupt.rate == Decimal("0.000001")


def test_a_wanpath_takes_packets_of_its_addresses(lanforge):
    client = lanforge.client
    any_address = "0.0.0.0 0.0.0.0"
    client.lines(f"add_wanpath t1-A wp1 1000000 20 NA NA NA NA NA 10.0.0.0 255.255.255.0 {any_address} OFF")
    client.lines(
        f"add_wanpath t1-A wp2 NA 30 4 NA NA NA NA {any_address} 10.1.0.9 255.255.255.255 OFF 'NA' YES NO NO NO"
        " NA 2 3 NA NA NA"
    )
    first, second = lanforge.filtered()
    assert (str(first.filter.source), first.filter.destination) == ("10.0.0.0/24", None)
    assert (second.filter.source, str(second.filter.destination)) == (None, "10.1.0.9/32")
    assert [lanforge.suffered(flow=flow).delay.mean for flow in (1, 2)] == [20 * MS, 32 * MS]
    client.lines("add_wanpath t1-A wp1 NA 25")
    assert lanforge.suffered(flow=1).rate.rate == 1_000_000
    assert lanforge.suffered(flow=1).delay.mean == 25 * MS
    client.lines("set_wanpath_running t1-A wp1 STOPPED")
    assert [each.target.flow for each in lanforge.filtered()] == [2]
    client.lines("set_wanpath_running t1-A wp1 AS_PARENT")
    client.lines("set_wanpath_filter t1-A wp1 IP ANY 10.2.0.0/16")
    entry = lanforge.filtered()[0]
    assert (entry.filter.source, str(entry.filter.destination)) == (None, "10.2.0.0/16")
    assert client.refused("set_wanpath_filter t1-A wp1 MAC") == 9005
    client.lines("rm_wanpath t1-A wp1")
    assert [each.target.flow for each in lanforge.filtered()] == [2]
    assert client.refused("rm_wanpath t1-A wp1") == 9003


def test_a_switch_stops_what_runs_on_the_same_ports(lanforge):
    client = lanforge.client
    client.lines("set_wanlink_info t1-A NA 1")
    for end, port in (("t3-A", "eth1"), ("t3-B", "2")):
        client.lines(f"add_wl_endp {end} 1 1 {port} 9")
    client.lines("add_cx t3 default_tm t3-A t3-B")
    assert client.refused("set_cx_state all t3 RUNNING") == 9004
    assert lanforge.suffered().delay.mean == 1 * MS
    client.lines("set_cx_state all t3 SWITCH")
    assert lanforge.suffered().delay.mean == 9 * MS
    assert [line.split("  ")[2] for line in client.lines("show_cx")] == ["State: STOPPED", "State: RUNNING"]
    client.lines("set_cx_state all all QUIESCE")
    assert str(lanforge.suffered()) == "link down"
    client.lines("set_cx_state all t3 DELETED")
    client.lines("rm_endp t3-A")
    assert [line[:12] for line in client.lines("show_cxe") if line.startswith(("CX", "WanLink"))] == [
        "CX: t1  Test",
        "WanLink [t1-",
        "WanLink [t1-",
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("nonsense", 9001),
        ("set_wanlink_info", 9002),
        ("set_wanlink_info t1-A NA -1", 9002),
        ("set_wanlink_info t1-A NA 1000001", 9002),
        ("set_wanlink_info t1-A NA 1000000001us", 9002),
        ("set_wanlink_info t1-A NA abc", 9002),
        ("set_wanlink_info t1-A 0", 9002),
        ("set_wanlink_info t1-A 5ms", 9002),
        ("set_wanlink_info t1-A NA NA NA 1000001", 9002),
        ("set_wanlink_info t1-A NA NA NA NA -2", 9002),
        ("set_wanlink_info t1-A NA NA NA NA NA NA NA NA NA 5 4", 9002),
        ("set_wanlink_info t1-A NA NA NA NA NA NA NA NA NA 1 1001", 9002),
        ("set_wanlink_info t1-A NA NA NA NA NA NA NA /tmp/recorded", 9005),
        (f"set_wanlink_info t1-A {'NA ' * 15}", 9002),
        ("set_wanlink_info t2-A NA 1", 9003),
        ("set_wanlink_pcap t1-A ON /tmp/recorded", 9005),
        ("set_wl_corruption t1-A 6 4 NA 0 1 1", 9002),
        ("set_wl_corruption t1-A 0 64 NA 0 1 1", 9002),
        ("set_wl_corruption t1-A 0 4 NA 9 1 1", 9002),
        ("add_wl_endp t4-A 1 2 eth1", 9003),
        ("add_wl_endp t4-A 1 1 eth5", 9003),
        ("add_wl_endp t1-A 1 1 eth3", 9004),
        ("add_cx t5 default_tm t1-A t1-B", 9004),
        ("add_cx t1 other_tm t1-A t1-B", 9003),
        ("add_cx t1 default_tm t1-A NA", 9003),
        ("set_cx_state all t1 AWAY", 9002),
        ("set_cx_state all t9 RUNNING", 9003),
        ("add_wanpath t1-A wp 1 1 0 0 0 0 0 10.0.0.1 255.0.255.0", 9002),
        ("add_wanpath t1-A wp 1 1 0 0 0 0 0 10.0.0.1", 9002),
        ("add_wanpath t1-A wp NA NA NA NA NA NA NA NA NA NA NA ON file", 9005),
        ("add_wanpath t1-A wp NA NA NA NA NA NA NA NA NA NA NA OFF NA MAYBE", 9002),
        ("set_wanpath_running t1-A wp RUNNING", 9003),
        ("nc_show_endpoint t2-A", 9003),
        ("clear_endp_counters t2-A", 9003),
        ("set_flag brief 2", 9002),
        ("set_wanlink_info 't1-A", 9002),
        ("x" * 70_000, 9002),
    ],
)
def test_what_is_not_legal_is_refused_and_changes_nothing(lanforge, line, code):
    before, programs = lanforge.client.lines("nc_show_endpoints all"), len(lanforge.plane.programs)
    assert lanforge.client.refused(line) == code
    assert lanforge.client.lines("nc_show_endpoints all") == before
    assert len(lanforge.plane.programs) == programs


def test_two_ports_of_two_paths_are_no_wanlink(make):
    lanforge = make(wanlinks=())
    for end, port in (("A", "eth1"), ("B", "eth3")):
        lanforge.client.lines(f"add_wl_endp {end} 1 1 {port}")
    assert lanforge.client.refused("add_cx t1 default_tm A B") == 9004


def test_counters_are_cleared_by_endpoint_and_by_cross_connect(lanforge):
    lanforge.client.lines("clear_endp_counters t1-B")
    assert lanforge.plane.cleared == [Target(path="1", direction="b-a")]
    lanforge.client.lines("clear_cx_counters t1")
    lanforge.client.lines("clear_endp_counters")
    assert len(lanforge.plane.cleared) == 5


def test_show_endpoint_is_cached(lanforge):
    at = Target(path="1", direction="a-b")
    lanforge.shown()
    lanforge.plane.counters = {at: Statistics(at_ns=0, received_packets=5)}
    (stale,) = (line for line in lanforge.client.lines("show_endpoint t1-A") if "Rx Pkts" in line)
    (fresh,) = (line for line in lanforge.client.lines("nc_show_endpoint t1-A") if "Rx Pkts" in line)
    (told,) = (line for line in lanforge.client.lines("show_endpoint t1-A") if "Rx Pkts" in line)
    assert [re.findall(r"Total: (\d+)", each) for each in (stale, fresh, told)] == [["0"], ["5"], ["5"]]


def test_flags_and_timers_are_taken(lanforge):
    lanforge.client.lines("set_endp_flag t1-A KernelMode 1")
    lanforge.client.lines("set_endp_report_timer t1-A 1000")
    assert lanforge.shown()["RptTimer"] == "1000ms"
    lanforge.client.lines("set_cx_report_timer all t1 3000")
    assert lanforge.shown("t1-B")["RptTimer"] == "3000ms"


@pytest.mark.parametrize("failure", [CapabilityError("no"), ImpairlabError("gone")])
def test_a_plane_that_does_not_do_it_is_an_error_and_nothing_has_changed(lanforge, failure):
    lanforge.plane.failure = failure
    assert lanforge.client.refused("set_wanlink_info t1-A NA 9") == 9005
    assert lanforge.shown()["Latency"] == "0ms"
    lanforge.plane.failure = None
    lanforge.client.lines("set_wanlink_info t1-A NA 9")


def test_a_clamp_and_a_deaf_ear_are_silent(lanforge):
    lanforge.sim.inject(SilentClamp("latency", Decimal(20)))
    lanforge.client.lines("set_wanlink_info t1-A NA 15 30")
    lanforge.client.lines("set_wanlink_info t1-A NA 50 0")
    assert (lanforge.shown()["Latency"], lanforge.suffered().delay.mean) == ("20ms", 20 * MS)
    lanforge.sim.inject(SilentlyIgnored())
    lanforge.client.lines("set_wanlink_info t1-A NA 60")
    assert lanforge.shown()["Latency"] == "20ms"


def test_an_idle_data_path_says_one_thing_and_does_another(lanforge):
    lanforge.sim.inject(IdleDatapath())
    lanforge.client.lines("set_wanlink_info t1-A NA 60")
    assert lanforge.shown()["Latency"] == "60ms"
    assert lanforge.suffered().is_neutral


def test_a_resource_may_not_answer_in_time(lanforge):
    lanforge.sim.inject(Pending())
    assert lanforge.client.refused("nc_show_endpoint t1-A") == 9006
    lanforge.shown()
    lanforge.sim.inject(StatisticsNotReady(for_ns=5))
    lanforge.client.lines("clear_endp_counters")
    assert lanforge.client.refused("nc_show_endpoint t1-A") == 9006
    lanforge.clock.now_ns = 5
    lanforge.shown()


@pytest.mark.parametrize("fault", [SessionExpired(), IdleClose(5)])
def test_a_session_may_end_and_what_is_set_stays(lanforge, fault):
    lanforge.client.lines("set_wanlink_info t1-A NA 60")
    lanforge.sim.inject(fault)
    lanforge.clock.now_ns = 5
    lanforge.sim.wake()
    assert lanforge.client.socket.recv(10) == b""
    lanforge.sim.clear_faults()
    client = Client(lanforge.sim)
    assert "Latency: 60ms" in client.ask("nc_show_endpoint t1-A").decode()
    client.close()


def test_a_reboot_loses_the_settings(lanforge):
    lanforge.client.lines("set_wanlink_info t1-A NA 60")
    lanforge.sim.inject(Reboot())
    assert lanforge.suffered().is_neutral
    with pytest.raises(ConnectionResetError):
        lanforge.client.ask("")


def test_it_may_start_with_its_wanlinks_stopped(lanforge):
    lanforge.sim.inject(LinksDown())
    assert str(lanforge.suffered()) == "link down"
    lanforge.sim.clear_faults()  # accepts connections before it returns, and not a moment later
    client = Client(lanforge.sim)
    client.lines("set_cx_state all t1 RUNNING")
    client.close()
    assert lanforge.suffered().is_neutral


def test_it_keeps_no_more_sessions_than_it_may(make):
    lanforge = make(max_sessions=1)
    with socket.create_connection(lanforge.sim.endpoint, timeout=10) as second:
        assert second.recv(10) == b""


def test_a_reply_may_be_garbage(lanforge):
    lanforge.sim.inject(Garbage())
    lanforge.client.socket.sendall(b"show_cx\n")
    assert lanforge.client.socket.recv(100) == Garbage().content


def test_a_fault_that_it_cannot_have_is_refused(lanforge):
    with pytest.raises(ValueError, match="this box has no fault ModeReset; it has Chatter"):
        lanforge.sim.inject(ModeReset())


@pytest.mark.parametrize("wanlinks", [("a", "b"), ("a", "a")])
def test_a_path_has_one_wanlink_at_first(wanlinks):
    with pytest.raises(ValueError, match="at most, not"):
        SimulatedLanforge(NullPlane(), wanlinks=wanlinks)


def test_every_path_has_one_unless_told(make):
    shown = make(wanlinks=None).client.lines("show_cx")
    assert [line.split("  ")[0] for line in shown] == ["CX: wl1", "CX: wl2"]


def test_the_plane_is_closed_with_it(lanforge):
    lanforge.sim.close()
    lanforge.sim.close()
    assert lanforge.plane.closed
