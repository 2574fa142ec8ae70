"""TCP through netem: loss is per segment when super-packets are dealt with, and far too little when they are not."""

import json
import subprocess
from collections.abc import Iterator

import pytest
from netem_lab import SERVER, make_lab, remove_lab, run

from impairlab.drivers import Conditions, Target, connect

BYTES = 6_000_000
LOSS = 0.01


@pytest.fixture(autouse=True, scope="module")
def lab() -> Iterator[None]:
    make_lab()
    yield
    remove_lab()


def segments_and_retransmissions() -> tuple[int, int]:
    """Send by TCP from this machine to the server; return full segments' worth of what arrived, and what went twice."""
    server = subprocess.Popen(
        ["ip", "netns", "exec", "server", "iperf3", "-s", "-1", "--forceflush"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    while "listening" not in server.stdout.readline():
        pass
    told = json.loads(run("iperf3", "-c", SERVER, "-n", str(BYTES), "-J"))
    server.communicate(timeout=60)
    # iperf3 ends when the last byte is in the socket's buffer: what is still there is never sent.
    return told["end"]["sum_received"]["bytes"] // 1448, told["end"]["sum_sent"]["retransmits"]


def test_loss_is_per_segment_with_offloads_set_right() -> None:
    with connect("netem://local?paths=host:wb", driver="netem") as box:
        target = Target(path="host", direction="a-b")
        box.apply(target, Conditions(loss="1 %"))
        segments, again = segments_and_retransmissions()
        counters = box.statistics(target)
        assert counters.received_packets >= segments  # each segment by itself
        assert counters.dropped_loss >= segments * LOSS * 0.4
        assert again >= counters.dropped_loss * 0.8
        box.neutral()


def test_loss_is_far_too_little_where_super_packets_pass() -> None:
    """The same loss set by tc, which leaves offloads alone: netem sees one packet where there are up to 45."""
    run("tc", "qdisc", "add", "dev", "wb", "root", "netem", "loss", "1%", "limit", "100000")
    segments, _ = segments_and_retransmissions()
    (root,) = json.loads(run("tc", "-j", "-s", "qdisc", "show", "dev", "wb"))
    assert root["drops"] < segments * LOSS * 0.4
