"""What goes wrong with a simulated SNE when it is told to."""

import time
from decimal import Decimal
from typing import Any

import httpx
import pytest

from impairlab.drivers.model import Conditions, Delay, LinkState
from impairlab.sim_hardware.faults import (
    Chatter,
    CloseMidReply,
    DropHurried,
    Fragments,
    Garbage,
    IdleDatapath,
    LateReply,
    LinksDown,
    ModeReset,
    Mute,
    PartialReply,
    Pending,
    Reboot,
    Refuse,
    Repeat,
    ReservedByOther,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StaleInUse,
    StatisticsNotReady,
)

MS = 1_000_000
SECOND = 1_000 * MS
DELAY = "maps/wan/impairments/delay/delay"


def test_reserved_by_somebody_else(sne: Any) -> None:
    sne.sim.inject(ReservedByOther("ann"))
    assert "reserved by ann" in sne.refused(409, "PUT", DELAY, {"enabled": True})
    sne.done("PUT", DELAY, {"enabled": True})
    sne.sim.inject(ReservedByOther("ann"), count=None)
    for _ in range(3):
        assert "ann" in sne.refused(409, "PUT", "physical/ports/reserve", [0])
    sne.sim.clear_faults()
    sne.done("PUT", "physical/ports/reserve", [0])


def test_an_expired_session_must_log_on_again(sne: Any) -> None:
    sne.sim.inject(SessionExpired())
    sne.refused(401, "GET", "maps")
    sne.refused(401, "GET", "maps")
    sne.log_on()
    assert sne.ask("GET", "maps").status_code == 200


def test_links_that_are_down_at_the_start(sne: Any) -> None:
    sne.done("PUT", "maps/wan/stop")
    sne.sim.inject(LinksDown())
    sne.done("PUT", "maps/wan/start")
    assert sne.suffered() == Conditions.of(LinkState(state="down"))
    for port in (1, 2):
        assert sne.ask("GET", f"maps/wan/{port}").json()["portStatus"] == "Down"
        sne.done("PUT", f"maps/wan/{port}/linkup")
    assert sne.suffered().is_neutral


def test_an_idle_data_path_says_success(sne: Any) -> None:
    sne.sim.inject(IdleDatapath(), count=None)
    sne.done("PUT", DELAY, {"enabled": True})
    assert sne.settings("delay")["enabled"] is True
    assert sne.sim.state.entries == ()
    assert sne.plane.programs[-1].entries == ()


def test_statistics_that_are_not_ready_after_a_start(sne: Any, clock: Any) -> None:
    sne.done("PUT", "maps/wan/stop")
    sne.sim.inject(StatisticsNotReady(for_ns=SECOND))
    sne.done("PUT", "maps/wan/start")
    sne.refused(503, "GET", "maps/wan/stats")
    clock.now_ns += SECOND
    assert sne.ask("GET", "maps/wan/stats").status_code == 200


def test_ports_that_are_said_to_be_in_use_for_a_while(sne: Any, clock: Any) -> None:
    sne.done("PUT", "maps/wan/stop")
    sne.sim.inject(StaleInUse(for_ns=2 * SECOND))
    assert "in use" in sne.refused(409, "POST", "maps/wan/load")
    clock.now_ns += SECOND
    sne.refused(409, "POST", "maps/wan/load")
    clock.now_ns += SECOND
    sne.done("POST", "maps/wan/load")


def test_a_value_that_is_clamped_without_a_word(sne: Any) -> None:
    sne.sim.inject(SilentClamp("delay/latency", Decimal(20)))
    sne.done("PUT", DELAY, {"enabled": True, "delayModeSettings": {"constDelayMode": {"latency": 50}}})
    assert sne.suffered() == Conditions.of(Delay(mean="20 ms"))
    assert sne.settings("delay")["delayModeSettings"]["constDelayMode"]["latency"] == 20


def test_a_setting_that_is_forgotten_and_an_update_that_stays_pending(sne: Any) -> None:
    sne.sim.inject(SilentlyIgnored())
    sne.done("PUT", DELAY, {"enabled": True})
    assert sne.settings("delay")["enabled"] is False
    sne.sim.inject(Pending(), count=2)
    assert [sne.ask("GET", DELAY).json()["updatePending"] for _ in range(3)] == [True, True, False]


def test_a_fault_that_it_cannot_have(sne: Any) -> None:
    with pytest.raises(ValueError, match="no fault ModeReset; it has Chatter"):
        sne.sim.inject(ModeReset())


def test_replies_that_are_late_garbled_cut_off_or_in_pieces(sne: Any) -> None:
    sne.sim.inject(LateReply(after_ns=150 * MS))
    begun = time.monotonic_ns()
    sne.ask("GET", "maps")
    assert time.monotonic_ns() - begun >= 150 * MS
    sne.sim.inject(Fragments(size=40))
    assert sne.ask("GET", "maps").status_code == 200
    for fault in (Garbage(), CloseMidReply(keep=30), Chatter()):
        sne.sim.inject(fault)
        with pytest.raises(httpx.RemoteProtocolError):
            sne.ask("GET", "maps")
        assert sne.ask("GET", "maps").status_code == 200
    sne.sim.inject(PartialReply(keep=30))
    with pytest.raises(httpx.ReadTimeout):
        sne.client.get("/api/maps", timeout=0.2)
    sne.sim.inject(Mute())
    with pytest.raises(httpx.ReadTimeout):
        sne.client.put(f"/api/{DELAY}", json={"enabled": True}, timeout=0.2)
    assert sne.suffered().is_neutral
    assert sne.ask("GET", "maps").status_code == 200
    sne.sim.inject(DropHurried(gap_ns=3600 * SECOND))
    with pytest.raises(httpx.ReadTimeout):
        sne.client.get("/api/maps", timeout=0.2)


def test_a_reply_that_comes_twice(sne: Any) -> None:
    sne.sim.inject(Repeat())
    assert sne.ask("GET", "maps").status_code == 200


def test_connections_are_refused_and_accepted_again(sne: Any) -> None:
    sne.sim.inject(Refuse())
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{sne.sim.address}/api/maps")
    sne.sim.clear_faults()
    assert httpx.get(f"{sne.sim.address}/api/maps").status_code == 401


def test_a_reboot_loses_maps_tokens_and_impairments(sne: Any) -> None:
    sne.done("PUT", DELAY, {"enabled": True})
    sne.done("PUT", "physical/ports/reserve", [0, 1])
    sne.sim.inject(Reboot())
    assert sne.sim.state.entries == ()
    deadline = time.monotonic() + 10
    while True:  # the client may have kept a connection that is not there any more
        try:
            status = sne.ask("GET", "maps").status_code
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline
    assert status == 401
    sne.log_on()
    assert sne.ask("GET", "maps").json()["maps"] == []
