"""What the driver refuses to touch, and that it puts right what it touched."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from netem_lab import ADDRESS, make_lab, remove_lab, run

from impairlab.drivers import (
    Conditions,
    ConnectError,
    ImpairlabError,
    IncompatiblePeer,
    LockedByOther,
    Target,
    VerifyMismatch,
    connect,
)
from impairlab.drivers.netem.wire import offloads
from impairlab.drivers.netem.wire.host import NOTES

AB = Target(path="wan", direction="a-b")
HOST = "netem://local?paths=host:wb"


@pytest.fixture(scope="module")
def lab() -> Iterator[None]:
    make_lab()
    yield
    remove_lab()


@pytest.fixture(autouse=True)
def clean(lab: None) -> Iterator[None]:
    """Whatever a test leaves on the ports, the next finds them as they were made."""
    yield
    for port in ("wa", "wb"):
        for words in (("root",), ("ingress",)):
            subprocess.run(["tc", "qdisc", "del", "dev", port, *words], capture_output=True)
        run("ip", "link", "set", port, "up")
        run("ethtool", "-K", port, "gro", "off")


def roots(device: str) -> list[dict]:
    return json.loads(run("tc", "-j", "qdisc", "show", "dev", device))


def refused(address: str, kind: type[ImpairlabError]) -> str:
    with pytest.raises(kind) as error:
        connect(address, driver="netem")
    return str(error.value)


def test_the_root_is_ours_while_it_is_open_and_gone_afterwards() -> None:
    before = roots("wb")
    with connect(ADDRESS, driver="netem"):
        assert {each["handle"] for each in roots("wb")} == {"1a7e:", "1a81:", "1a82:"}
    assert roots("wb") == before
    assert not list(Path(NOTES).glob("*.json"))


def test_somebody_elses_root_is_refused() -> None:
    run("ethtool", "-K", "wa", "gro", "on")
    run("tc", "qdisc", "add", "dev", "wb", "root", "handle", "9:", "pfifo", "limit", "77")
    text = refused(ADDRESS, ConnectError)
    assert "pfifo 9:" in text
    assert "tc qdisc del dev wb root" in text
    assert "foreign=replace" in text
    assert roots("wb")[0]["options"] == {"limit": 77}
    assert offloads.merging("wa")[0] is True


def test_somebody_elses_root_is_put_back() -> None:
    run("tc", "qdisc", "add", "dev", "wb", "root", "handle", "9:", "fq_codel", "limit", "777", "target", "11ms")
    (before,) = roots("wb")
    with connect(f"{ADDRESS}&foreign=replace", driver="netem") as box:
        box.apply(AB, Conditions(delay="10 ms"))
        assert "netem" in {each["kind"] for each in roots("wb")}
        box.neutral()
    (after,) = roots("wb")
    assert {key: after[key] for key in ("kind", "handle", "root")} == {"kind": "fq_codel", "handle": "9:", "root": True}
    for key, value in before["options"].items():  # fq_codel tells its times a microsecond short
        assert after["options"][key] == pytest.approx(value, abs=1)


def test_a_root_with_classes_cannot_be_put_back_and_is_refused() -> None:
    run("tc", "qdisc", "add", "dev", "wb", "root", "handle", "9:", "htb")
    assert "could not be put back" in refused(f"{ADDRESS}&foreign=replace", ConnectError)


def test_a_second_driver_is_refused_and_told_who_is_first() -> None:
    with connect(ADDRESS, driver="netem"):
        assert f"process {os.getpid()}, which drives wa" in refused(ADDRESS, LockedByOther)
        assert "wb" in refused(HOST, LockedByOther)
    connect(ADDRESS, driver="netem").close()


def test_the_device_of_the_ssh_session_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.2.0.2 50000 10.2.0.1 22")
    text = refused(ADDRESS, ConnectError)
    assert "wb carries this SSH session" in text
    assert "ssh=allow" in text
    connect(f"{ADDRESS}&ssh=allow", driver="netem").close()
    connect("netem://local?paths=other:wa", driver="netem").close()


def test_a_device_that_is_missing_or_down_is_named() -> None:
    assert "there is no device wx; there are dummy0, ifb0, " in refused("netem://local?paths=wan:wa-wx", ConnectError)
    run("ip", "link", "set", "wb", "down")
    assert "ip link set wb up" in refused(ADDRESS, ConnectError)


def test_a_kernel_without_netem_is_named() -> None:
    run("rmmod", "sch_netem")
    try:
        assert "modprobe sch_netem" in refused(ADDRESS, IncompatiblePeer)
    finally:
        run("insmod", str(next(Path("/usr/lib/uml/modules").glob("*/kernel/net/sched/sch_netem.ko"))))


UNPRIVILEGED = f"""
import os
import impairlab.drivers.netem
from impairlab.drivers import AuthError, connect
os.setgid(65534); os.setuid(65534)
try:
    connect({ADDRESS!r}, driver="netem")
except AuthError as error:
    print(error)
"""


def test_without_the_right_it_says_which() -> None:
    assert "CAP_NET_ADMIN" in run(sys.executable, "-c", UNPRIVILEGED)


def test_an_ingress_of_somebody_else_is_refused() -> None:
    run("tc", "qdisc", "add", "dev", "wb", "ingress")
    assert "tc qdisc del dev wb ingress" in refused(HOST, ConnectError)
    assert [each["kind"] for each in roots("wb")] == ["noqueue", "ingress"]


def gso_segments(device: str) -> int:
    (link,) = json.loads(run("ip", "-j", "-d", "link", "show", device))
    return link["gso_max_segs"]


def test_offloads_are_set_right_and_put_back() -> None:
    for device in ("wa", "wb"):
        run("ethtool", "-K", device, "gro", "on")
    with connect(ADDRESS, driver="netem"):
        assert offloads.merging("wa")[0] is False
        assert "generic-receive-offload: off" in run("ethtool", "-k", "wb")
    assert "generic-receive-offload: on" in run("ethtool", "-k", "wb")
    before = gso_segments("wb")
    with connect(HOST, driver="netem"):
        assert gso_segments("wb") == 1
    assert gso_segments("wb") == before > 1
    assert "il-wb" not in run("ip", "link", "show")


def test_what_is_programmed_stays_and_the_next_driver_takes_it_over() -> None:
    run("ethtool", "-K", "wb", "gro", "on")
    conditions = Conditions(delay="40 ms", loss="1 %")
    with connect(ADDRESS, driver="netem") as box:
        box.apply(AB, conditions)
    assert "40ms" in run("tc", "qdisc", "show", "dev", "wb")
    with connect(ADDRESS, driver="netem") as box:
        assert box.read(AB).conditions == conditions
        box.neutral()
    assert [each["kind"] for each in roots("wb")] == ["noqueue"]
    assert "generic-receive-offload: on" in run("ethtool", "-k", "wb")


def test_a_tree_of_another_shape_is_refused() -> None:
    with connect(ADDRESS, driver="netem") as box:
        box.apply(AB, Conditions(delay="40 ms"))
    assert "of another shape" in refused(f"{ADDRESS}&flows=3", ConnectError)
    assert "40ms" in run("tc", "qdisc", "show", "dev", "wb")
    with connect(ADDRESS, driver="netem") as box:
        box.neutral()


def test_drift_is_found_and_put_right() -> None:
    with connect(ADDRESS, driver="netem") as box:
        wanted = Conditions(delay="40 ms", loss="1 %")
        box.apply(AB, wanted)
        assert box.drift() == ()
        run("tc", "qdisc", "change", "dev", "wb", "handle", "1a81:", "parent", "1a7e:1", "netem", "delay", "70ms",
            "corrupt", "1%")  # fmt: skip
        drift = "; ".join(box.drift())
        assert "latency_ns is 70000000, was set to 40000000" in drift
        assert "corrupt is" in drift
        assert box.read(AB).conditions.delay.mean == 70_000_000
        box.apply(AB, wanted)
        assert box.drift() == ()
        box.neutral()


def test_a_root_that_somebody_removed_is_missed() -> None:
    box = connect(ADDRESS, driver="netem")
    run("tc", "qdisc", "del", "dev", "wb", "root")
    with pytest.raises(VerifyMismatch, match="somebody else removed"):
        box.read(AB)
    with contextlib.suppress(VerifyMismatch):
        box.close()
    connect(ADDRESS, driver="netem").close()
    assert [each["kind"] for each in roots("wa")] == ["noqueue"]


def test_a_snapshot_is_restored_and_proved() -> None:
    with connect(ADDRESS, driver="netem") as box:
        first = Conditions(delay={"mean": "20 ms", "spread": "2 ms", "distribution": "pareto"})
        box.apply(AB, first)
        snapshot = box.snapshot()
        with box.path("wan").impaired(*Conditions(loss="5 %", rate="1 Mbit/s")):
            assert box.read(AB).conditions.loss is not None
        assert box.read(AB).conditions == first
        box.neutral()
        box.restore(snapshot)
        assert box.read(AB).conditions == first
        box.neutral()


KILLED = f"""
import os, signal
from impairlab.drivers import Conditions, Target, connect
box = connect({ADDRESS!r}, driver="netem")
box.apply(Target(path="wan", direction="a-b"), Conditions(delay="40 ms"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_driver_left_is_found_and_cleared() -> None:
    subprocess.run([sys.executable, "-c", KILLED], check=False, capture_output=True)
    with connect(ADDRESS, driver="netem") as box:
        assert box.read(AB).conditions == Conditions(delay="40 ms")
        box.neutral()
    assert [each["kind"] for each in roots("wb")] == ["noqueue"]
