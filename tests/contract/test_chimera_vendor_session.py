"""The vendor's own client, tdl-xoa-driver, unmodified, at the binary port of the simulated Chimera."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest
from xoa_driver import enums, exceptions, modules, testers
from xoa_driver.misc import Hex

from impairlab.drivers.model import Conditions, Filter, Statistics, Target
from impairlab.sim_hardware.chimera import SimulatedChimera
from impairlab.sim_hardware.planes.null import NullPlane

Work = Callable[[testers.L23Tester], Awaitable[None]]


@pytest.fixture
def plane() -> NullPlane:
    return NullPlane(("1", "2"))


@pytest.fixture
def chimera(plane: NullPlane) -> Iterator[SimulatedChimera]:
    with SimulatedChimera(plane) as made:
        yield made


def work(chimera: SimulatedChimera, *works: Work) -> None:
    """Let clients work one after the other, all of them connected."""

    async def connected() -> None:
        host, port = chimera.binary_address
        clients = [await testers.L23Tester(host, f"user{number}", "xena", port) for number, _ in enumerate(works)]
        try:
            for client, one in zip(clients, works, strict=True):
                await one(client)
        finally:
            for client in clients:
                await log_off(client)

    asyncio.run(connected())


async def log_off(client: testers.L23Tester) -> None:
    await client.session.logoff()
    await asyncio.sleep(0)  # its transport closes in the next round of the loop


def port_of(client: testers.L23Tester, number: int = 0) -> Any:
    module = client.modules.obtain(0)
    assert isinstance(module, modules.MChi100G5S2P)
    return module.ports.obtain(number)


def test_it_finds_a_chimera_with_its_ports_and_flows(chimera: SimulatedChimera) -> None:
    async def look(client: testers.L23Tester) -> None:
        assert client.info.model == "Chimera simulator"
        assert client.is_released()
        module = client.modules.obtain(0)
        assert module.info.model_name == "E_100_Q_CHIMERA"
        assert len(module.ports) == 4
        assert len(port_of(client).emulation.flows) == 8
        assert port_of(client).info.sync_status == enums.SyncStatus.IN_SYNC
        assert port_of(client, 3).info.capabilities.is_chimera == 1
        assert port_of(client, 3).info.capabilities.p2p_loop_partner == 2

    work(chimera, look)


def test_it_programs_a_flow_with_its_filter(chimera: SimulatedChimera) -> None:
    async def program(client: testers.L23Tester) -> None:
        port = port_of(client)
        await port.reservation.set_reserve()
        await port.emulate.set_on()
        flow = port.emulation.flows[1]
        await flow.shadow_filter.initiating.set()
        await flow.shadow_filter.use_basic_mode()
        basic = await flow.shadow_filter.get_mode()
        await basic.l3_use.set(use=enums.L3Present.IP4)
        await basic.ip.v4.settings.set(use=enums.FilterUse.AND, action=enums.InfoAction.INCLUDE)
        await basic.ip.v4.dest_address.set(use=enums.OnOff.ON, value=IPv4Address("10.10.10.20"), mask=Hex("FFFFFFFF"))
        await basic.udp.settings.set(use=enums.FilterUse.AND, action=enums.InfoAction.INCLUDE)
        await basic.udp.dest_port.set(use=enums.OnOff.ON, value=4791, mask=Hex("FFFF"))
        await flow.shadow_filter.enable.set_on()
        await flow.shadow_filter.apply.set()
        loss = flow.impairment_distribution.drop_type_config
        await loss.random_rate.set(probability=5000)
        await loss.enable.set_on()
        latency = flow.impairment_distribution.latency_jitter_type_config
        await latency.gaussian.set(mean=20_000_000, std_deviation=1_000_000)
        await latency.enable.set_on()
        await flow.bandwidth_control.shaper.set(
            on_off=enums.OnOff.ON, mode=enums.PolicerMode.L2, cir=100, cbs=10_000, buffer_size=100_000
        )
        read = await latency.gaussian.get()
        assert (read.mean, read.std_deviation) == (20_000_000, 1_000_000)
        assert (await loss.random_rate.get()).probability == 5000
        applied = await flow.working_filter.get_mode()
        assert (await applied.udp.dest_port.get()).value == 4791

    work(chimera, program)
    (entry,) = chimera.state.entries
    assert entry.target == Target(path="1", direction="a-b", flow=1)
    assert entry.filter == Filter(protocol="udp", destination="10.10.10.20", destination_port=4791)
    assert str(entry.conditions) == "delay 20 ms ± 1 ms normal, loss 0.5 %, shaper 10 Mbit/s"


def test_custom_distributions_and_link_flap(chimera: SimulatedChimera) -> None:
    async def program(client: testers.L23Tester) -> None:
        port = port_of(client, 3)
        await port.reservation.set_reserve()
        await port.emulate.set_on()
        await port.custom_distributions.assign(1)
        values = [100_000 * (1 + number % 8) for number in range(1024)]
        await port.custom_distributions[0].definition.set(
            linear=enums.OnOff.OFF, symmetric=enums.OnOff.OFF, entry_count=1024, data_x=values
        )
        assert (await port.custom_distributions[0].definition.get()).data_x == values
        assert (await port.custom_distributions[0].type.get()).latency_type == 1
        latency = port.emulation.flows[0].impairment_distribution.latency_jitter_type_config
        await latency.custom.set(cust_id=0)
        await latency.enable.set_on()
        with pytest.raises(exceptions.XmpBadValueError):
            await port.custom_distributions[0].definition.set(
                linear=enums.OnOff.OFF, symmetric=enums.OnOff.OFF, entry_count=512, data_x=values[:512]
            )
        await port.pcs_pma.link_flap.params.set(duration=100, period=1000, repetition=3)
        await port.pcs_pma.link_flap.enable.set_on()

    work(chimera, program)
    conditions = chimera.state.conditions("2", "b-a")
    assert "table" in str(conditions)
    assert "link flap 100 ms every 1 s, 3 times" in str(conditions)
    assert "link flap" in str(chimera.state.conditions("2", "a-b"))


def test_counters_as_the_plane_has_them(chimera: SimulatedChimera, plane: NullPlane) -> None:
    plane.counters = {
        Target(path="1", direction="a-b", flow=2): Statistics(
            at_ns=1, received_packets=1000, dropped_loss=5, dropped_rate=2, delayed=900, jittered=80, duplicated=7
        )
    }

    async def read(client: testers.L23Tester) -> None:
        port = port_of(client)
        total = await port.emulation.statistics.drop.get()
        assert (total.pkt_drop_count_total, total.pkt_drop_ratio_programmed) == (7, 5000)
        flow = port.emulation.flows[2].statistics.total
        assert (await flow.duplicated_packets.get()).pkt_count == 7
        assert (await flow.jittered_packets.get()).ratio == 80_000
        assert (await port.emulation.flows[2].statistics.rx.total.get()).packet_count == 1000

    work(chimera, read)


def test_refusals_arrive_as_the_errors_of_its_own(chimera: SimulatedChimera) -> None:
    async def hold(client: testers.L23Tester) -> None:
        await port_of(client).reservation.set_reserve()

    async def stumble(client: testers.L23Tester) -> None:
        port = port_of(client)
        async with asyncio.timeout(10):
            while port.info.reservation != enums.ReservedStatus.RESERVED_BY_OTHER:  # it is told of that unasked
                await asyncio.sleep(0.005)
        assert port.info.reserved_by == "user0"
        assert (await port.reservation.get()).status == enums.ReservedStatus.RESERVED_BY_OTHER
        drop = port.emulation.flows[0].impairment_distribution.drop_type_config
        with pytest.raises(exceptions.XmpNotReservedError):
            await drop.random_rate.set(probability=1)
        with pytest.raises(exceptions.XmpNotValidError):
            await port.reservation.set_reserve()
        await port.reservation.set_relinquish()
        await port.reservation.set_reserve()
        with pytest.raises(exceptions.XmpBadValueError):
            await port.emulation.flows[0].misordering.set(depth=33)
        with pytest.raises(exceptions.XmpBadIndexError):
            await port.emulation.flows[0].impairment_distribution.policer_type_config.enable.set_on()

    work(chimera, hold, stumble)
    assert chimera.state.conditions("1", "a-b") == Conditions()


def test_a_wrong_password(chimera: SimulatedChimera) -> None:
    async def connect() -> None:
        host, port = chimera.binary_address
        client = testers.L23Tester(host, "user", "wrong", port)
        with pytest.raises(exceptions.WrongTesterPasswordError):
            await client
        await log_off(client)

    asyncio.run(connect())
