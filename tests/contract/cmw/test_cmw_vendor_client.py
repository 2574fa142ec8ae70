"""The vendor's own client, PyPI RsCmwDau, unmodified, sets and reads every impairment of the simulated CMW."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

RsCmwDau = pytest.importorskip("RsCmwDau", reason="RsCmwDau is not installed: pip install RsCmwDau")


@pytest.fixture
def nimpairments(cmw) -> Iterator[Any]:
    host, _, port = cmw.sim.address.removeprefix("tcp://").rpartition(":")
    with closing(RsCmwDau.RsCmwDau(f"TCPIP::{host}::{port}::SOCKET", True, True, "SelectVisa=socket")) as driver:
        yield driver.configure.data.measurement.nimpairments


def test_it_sets_and_reads_every_impairment(cmw, nimpairments):
    last = RsCmwDau.repcap.Impairments.Ix15
    for name, value in {
        "delay": 45.5, "jitter": 8.0, "plRate": 0.3, "crate": 1.0, "drate": 2.0, "rrate": 3.0,
        "ipAddress": "192.0.2.7", "jitterDistribution": RsCmwDau.enums.JitterDistrib.PNORmal, "enable": True,
    }.items():  # fmt: skip
        setting = getattr(nimpairments, name)
        setting.set(value, last)
        assert setting.get(last) == value
    ports = nimpairments.prange.PrangeStruct()
    ports.Start_Port, ports.End_Port = 80, 80
    nimpairments.prange.set(ports, last)
    told = nimpairments.prange.get(last)
    assert (told.Start_Port, told.End_Port) == (80, 80)
    assert cmw.suffered("b-a", flow=2).delay.mean == 45_500_000


def test_it_tells_its_user_of_a_refusal(nimpairments):
    with pytest.raises(Exception, match="Data out of range"):
        nimpairments.delay.set(1e6)
