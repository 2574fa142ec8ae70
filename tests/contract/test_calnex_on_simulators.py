"""The REST drivers and the simulators of their boxes, each written from the published texts without the other."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from impairlab.drivers import (
    NEUTRAL,
    Appliance,
    AuthError,
    CertificateChanged,
    Conditions,
    ConnectionLost,
    ExchangeTimeout,
    ImpairlabError,
    LockedByOther,
    MalformedResponse,
    NoResponse,
    RebootDetected,
    Target,
    UntrustedCertificate,
    VerifyMismatch,
    connect,
    delay,
    duplicate,
    link_down,
    loss,
    outage,
    periodic_loss,
    rate,
    reorder,
)
from impairlab.drivers.model.delays import Delay, RampDelay, SineDelay
from impairlab.drivers.model.impairments import Corrupt, Duplicate, Reorder
from impairlab.drivers.model.losses import EvenLoss, RandomLoss, SingleBurstLoss
from impairlab.drivers.model.patterns import BitErrors, SingleBurst
from impairlab.drivers.model.schedule import PacketSchedule, Schedule
from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.faults import (
    CloseMidReply,
    Garbage,
    LateReply,
    LinksDown,
    PartialReply,
    Pending,
    Reboot,
    ReservedByOther,
    SessionExpired,
    SilentlyIgnored,
)
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.simulator import Simulator
from impairlab.sim_hardware.sne import SimulatedSne
from impairlab.sim_hardware.transports.http.self_signed import SelfSigned

MS = 1_000_000
LONG_NS = 20_000 * MS
AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")

TYPES = (
    "PacketDelayDisruptor", "PacketDropDisruptor", "BandwidthThrottleDisruptor", "PacketDuplicationDisruptor",
    "PacketReorderDisruptor", "BitErrorDisruptor",
)  # fmt: skip


def map_file(folder: Path, suffix: str) -> Path:
    """A map in the simulator's house format, with one of each impairment in each direction."""
    path = folder / f"wan.{suffix}"
    if suffix == "json":
        disruptors = [{"name": kind, "type": kind} for kind in TYPES]
        links = [{"from": port, "to": 1 - port, "disruptors": disruptors} for port in (0, 1)]
        path.write_text(json.dumps({"mapName": "wan", "format": "impairlab-1", "links": links}))
        return path
    inner = "".join(f'<disruptor name="{kind}" type="{kind}"/>' for kind in TYPES)
    links = "".join(f'<link from="{port}" to="{1 - port}">{inner}</link>' for port in (0, 1))
    path.write_text(f'<map name="wan" format="impairlab-1">{links}</map>')
    return path


@pytest.fixture(params=["newer", "6.1"])
def sne(request, tmp_path: Path) -> Iterator[tuple[Simulator, str]]:
    with SimulatedSne(NullPlane(paths=("1",)), firmware=request.param, update_ns=5 * MS) as sim:
        user = "user=admin&auth=bearer&" if request.param == "newer" else ""
        path = map_file(tmp_path, "json" if user else "xml")
        yield sim, f"{sim.address}?{user}upload={path}"


@pytest.fixture
def newer(tmp_path: Path) -> Iterator[tuple[Simulator, str]]:
    with SimulatedSne(NullPlane(paths=("1",)), update_ns=5 * MS) as sim:
        yield sim, f"{sim.address}?user=admin&auth=bearer&upload={map_file(tmp_path, 'json')}"


@pytest.fixture
def attero() -> Iterator[tuple[Simulator, Appliance]]:
    with (
        SimulatedAttero(NullPlane(paths=("1",))) as sim,
        connect(sim.address, "calnex-attero100g", timeout_ns=LONG_NS) as box,
    ):
        yield sim, box


def active(sim: Simulator, target: Target) -> Conditions:
    return sim.state.conditions(target.path, target.direction, target.flow)


def agree(sim: Simulator, box: Appliance, cases) -> None:
    for each in cases:
        box.apply_many({AB: Conditions.of(each), BA: NEUTRAL})
        assert active(sim, AB) == Conditions.of(each), f"{each}"
        assert active(sim, BA) == NEUTRAL
    box.neutral()
    assert active(sim, AB) == active(sim, BA) == NEUTRAL


def test_sne_does_what_the_driver_says(sne) -> None:
    sim, address = sne
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        agree(sim, box, [
            delay("0.01 ms"), delay("50.01 ms"), delay("10 s"),
            Delay(mean="10 ms", spread="4 ms", distribution="uniform"),
            Delay(mean="10 ms", spread="4 ms", distribution="uniform", keep_order=False),
            Delay(mean="40 ms", spread="8 ms", distribution="normal"),
            RampDelay(start="30 s", end="10 s", hold="0.01 ms", rise="30 s"),
            SineDelay(low="5 ms", high="15 ms", period="2 s"),
            Delay(mean="5 ms", schedule=Schedule(start="0.1 ms", on="36 s")),
            loss("0.01 %"), loss("99.99 %"), periodic_loss(every=10_000_000, burst=3), EvenLoss(rate="5 %"),
            EvenLoss(rate="0.1 ppm"), RandomLoss(rate="1 %", schedule=Schedule(start="0.01 ms", on="360 s")),
            rate("4 kbit/s", mode="link"), rate("200 kbit/s", mode="link"), duplicate("100 %"),
            Reorder(rate="0.01 %", depth=1, depth_most=2), Reorder(rate="100 %", depth=9999, depth_most=10_000),
            Reorder(rate="5 %", depth=0, hold="0.01 ms"), Reorder(rate="5 %", depth=0, hold="500 ms"),
            Corrupt(pattern=BitErrors(ber=1e-8)), Corrupt(pattern=BitErrors(ber=1e-3), bits=8),
        ])  # fmt: skip


def test_attero_does_what_the_driver_says(attero) -> None:
    agree(*attero, [
        delay("50 us"), delay("50.001 us"), delay("20 s"), loss("0.1 ppm"), loss("99.99999 %"),
        SingleBurstLoss(packets=1), SingleBurstLoss(packets=10_000),
        SingleBurstLoss(packets=5, schedule=Schedule(on="1 s", period="5 s")),
        RandomLoss(rate="1 %", schedule=Schedule(on="2 s", period="3 s")),
        RandomLoss(rate="1 %", schedule=Schedule(on="2 s")),
        RandomLoss(rate="1 %", schedule=PacketSchedule(on_packets=4, period_packets=120)),
        Corrupt(rate="2 %", damages="ethernet"), Corrupt(pattern=SingleBurst(packets=3), damages="ethernet"),
        reorder("3 %", depth=32), reorder("49.99999 %", depth=1), Reorder(pattern=SingleBurst(packets=3), depth=2),
        duplicate("100 %"), Duplicate(pattern=SingleBurst(packets=3)),
    ])  # fmt: skip


def test_outage_is_a_loss_of_everything_to_both(newer, attero) -> None:
    sim, address = newer
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        for simulated, appliance in ((sim, box), attero):
            appliance.apply(BA, Conditions.of(outage()))
            assert active(simulated, BA) == Conditions.of(loss("100 %"))
            assert appliance.read(BA).conditions == Conditions.of(outage())


def test_whole_states_are_swapped_snapshot_and_restored(newer, attero) -> None:
    sim, address = newer
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        for simulated, appliance in ((sim, box), attero):
            first = Conditions.of(delay("40 ms"), loss("1 %"))
            second = Conditions.of(delay("1 ms"), duplicate("100 %"))
            appliance.apply_many({AB: first, BA: second})
            snapshot = appliance.snapshot()
            appliance.apply_many({AB: second, BA: first})
            assert (active(simulated, AB), active(simulated, BA)) == (second, first)
            with appliance.path("1").impaired(delay("2 ms")):
                assert active(simulated, AB) == Conditions.of(delay("2 ms"))
            assert active(simulated, AB) == second
            appliance.restore(snapshot)
            assert (active(simulated, AB), active(simulated, BA)) == (first, second)


def test_four_threads_leave_what_the_last_one_said(attero) -> None:
    sim, box = attero
    flows = [Target(path="1", direction=direction, flow=flow) for direction in ("a-b", "b-a") for flow in (0, 1)]

    def work(target: Target) -> None:
        for n in range(1, 6):
            box.apply(target, Conditions.of(delay(f"{n} ms"), loss(f"{n} %")))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, flows))
    assert {box.read(target).conditions for target in flows} == {Conditions.of(delay("5 ms"), loss("5 %"))}
    assert active(sim, AB) == active(sim, BA) == Conditions.of(delay("5 ms"), loss("5 %"))


def test_link_goes_down_and_comes_up(sne) -> None:
    _, address = sne
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        box.apply(BA, Conditions.of(link_down()))
        assert (box.read(AB).conditions, box.read(BA).conditions) == (NEUTRAL, Conditions.of(link_down()))
        box.neutral()
        assert box.read(BA).conditions == NEUTRAL


def test_links_that_are_down_at_the_start_are_seen_and_taken_up(newer) -> None:
    sim, address = newer
    sim.inject(LinksDown())
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        assert [entry.conditions for entry in box.snapshot().entries] == [Conditions.of(link_down())] * 2
        box.neutral()
        assert all(entry.conditions.is_neutral for entry in box.snapshot().entries)


def test_token_that_expires_is_renewed_in_silence(newer) -> None:
    sim, address = newer
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        sim.inject(SessionExpired())
        box.apply(AB, Conditions.of(delay("7 ms")))
        assert active(sim, AB) == Conditions.of(delay("7 ms"))


def test_ports_that_somebody_reserves_are_told_with_the_holder(newer) -> None:
    sim, address = newer
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        with box.locked():
            box.apply(AB, Conditions.of(delay("7 ms")))
        sim.inject(ReservedByOther("lab2"), count=None)
        with pytest.raises(LockedByOther, match="lab2"):
            box.lock()
        with pytest.raises(LockedByOther, match="lab2"):
            box.apply(AB, Conditions.of(delay("8 ms")))
        sim.clear_faults()
        assert box.read(AB).conditions == Conditions.of(delay("7 ms"))


def test_settings_that_are_taken_and_forgotten_are_told(newer) -> None:
    sim, address = newer
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        sim.inject(SilentlyIgnored())
        with pytest.raises(VerifyMismatch):
            box.apply(AB, Conditions.of(delay("9 ms")))


def test_pending_update_is_waited_for_and_not_for_ever(newer) -> None:
    sim, address = newer
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        sim.inject(Pending(), count=3)
        box.apply(AB, Conditions.of(delay("11 ms")))
        assert active(sim, AB) == Conditions.of(delay("11 ms"))
    with connect(address, "calnex-sne", timeout_ns=400 * MS) as box:
        sim.inject(Pending(), count=None)
        with pytest.raises(NoResponse, match="stays pending"):
            box.apply(AB, Conditions.of(delay("12 ms")))


def after_a_reboot(box: Appliance) -> list[type[ImpairlabError]]:
    """Use the box until it answers; return what it died of."""
    deadline = time.monotonic() + 20
    died: list[type[ImpairlabError]] = []
    while time.monotonic() < deadline:
        try:
            box.read(AB)
        except ImpairlabError as error:
            died.append(type(error))
            time.sleep(0.01)
        else:
            return died
    raise AssertionError(f"it never came back: {died}")


def test_reboot_of_an_sne_is_detected_and_its_map_started_again(newer) -> None:
    sim, address = newer
    with connect(address, "calnex-sne", timeout_ns=LONG_NS) as box:
        box.apply(AB, Conditions.of(delay("7 ms")))
        sim.inject(Reboot())
        assert RebootDetected in after_a_reboot(box)
        box.apply(AB, Conditions.of(delay("13 ms")))
        assert active(sim, AB) == Conditions.of(delay("13 ms"))


def test_reboot_of_an_attero_is_a_lost_connection_and_what_it_forgot_is_read(attero) -> None:
    sim, box = attero
    box.apply(AB, Conditions.of(delay("7 ms")))
    sim.inject(Reboot())
    after_a_reboot(box)
    assert box.read(AB).conditions == NEUTRAL == active(sim, AB)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (LateReply(1_000 * MS), ExchangeTimeout),
        (PartialReply(keep=20), ExchangeTimeout),
        (CloseMidReply(keep=20), ConnectionLost),
        (Garbage(), MalformedResponse),
    ],
)
def test_every_fault_of_a_reply_has_its_error_and_the_next_use_goes_on(fault, error, newer) -> None:
    sim, address = newer
    with (
        connect(address, "calnex-sne", timeout_ns=400 * MS) as sne,
        SimulatedAttero(NullPlane(paths=("1",))) as attero_sim,
        connect(attero_sim.address, "calnex-attero100g", timeout_ns=400 * MS) as attero,
    ):
        for simulated, box in ((sim, sne), (attero_sim, attero)):
            simulated.inject(fault)
            with pytest.raises(error) as raised:
                box.read(AB)
            assert raised.value.state_known
            box.apply(AB, Conditions.of(delay("5 ms")))
            assert active(simulated, AB) == Conditions.of(delay("5 ms"))


def test_password_of_an_attero() -> None:
    with SimulatedAttero(NullPlane(paths=("1",)), password="".join("hunter2")) as sim:
        with connect(sim.address, "calnex-attero100g", secret="".join("hunter2"), timeout_ns=LONG_NS) as box:
            box.apply(AB, Conditions.of(delay("5 ms")))
            assert active(sim, AB) == Conditions.of(delay("5 ms"))
            sim.inject(SessionExpired())
            box.apply(AB, Conditions.of(delay("6 ms")))
        with pytest.raises(AuthError):
            connect(sim.address, "calnex-attero100g")
        with (
            pytest.raises(AuthError),
            connect(sim.address, "calnex-attero100g", secret="".join("wr0ng"), timeout_ns=LONG_NS) as box,
        ):
            box.read(AB)


def test_certificate_of_an_attero_is_pinned() -> None:
    made = SelfSigned.made_for("127.0.0.1")
    with SimulatedAttero(NullPlane(paths=("1",)), tls=made.context) as sim:
        with pytest.raises(UntrustedCertificate) as raised:
            connect(sim.address, "calnex-attero100g")
        pinned = str(raised.value).rpartition("fingerprint=")[2].split()[0]
        assert pinned == made.fingerprint
        with connect(f"{sim.address}?fingerprint={pinned}", "calnex-attero100g", timeout_ns=LONG_NS) as box:
            box.apply(AB, Conditions.of(delay("5 ms")))
        with pytest.raises(CertificateChanged):
            connect(f"{sim.address}?fingerprint={'0' * 64}", "calnex-attero100g")
