"""The page of simulated appliances has every house answer, every fault and every option, in the words of the code."""

import dataclasses
import inspect

import pytest

from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.attero import house as attero
from impairlab.sim_hardware.chimera import HouseOptions, SimulatedChimera
from impairlab.sim_hardware.chimera import house_answers as chimera
from impairlab.sim_hardware.cmw import SimulatedCmw
from impairlab.sim_hardware.cmw import house as cmw
from impairlab.sim_hardware.itrinegy import SimulatedNeOne
from impairlab.sim_hardware.itrinegy import house as itrinegy
from impairlab.sim_hardware.lanforge import SimulatedLanforge
from impairlab.sim_hardware.lanforge import house as lanforge
from impairlab.sim_hardware.netropy import SimulatedNetropy
from impairlab.sim_hardware.netropy import house as netropy
from impairlab.sim_hardware.sne import SimulatedSne
from impairlab.sim_hardware.sne import house as sne
from impairlab.sim_hardware.sne.resources import RESOURCES

PAGE = "reference/simulators.md"


@pytest.mark.parametrize(
    ("box", "table"),
    [
        ("SNE", sne.TABLE),
        ("Attero-100G", attero.TABLE),
        ("CMW", cmw.TABLE),
        ("Netropy", netropy.TABLE),
        ("LANforge", lanforge.TABLE),
        ("NE-ONE", itrinegy.TABLE),
    ],
)
def test_every_house_answer_is_there_with_its_reason(page, box, table):
    (rows,) = page(PAGE).tables(f"House answers of the {box}")
    assert [tuple(row.values()) for row in rows] == [(each.question, each.answer, each.reason) for each in table]


def test_every_house_answer_of_the_chimera_is_there_with_its_option(page):
    (rows,) = page(PAGE).tables("House answers of the Chimera")
    assert [tuple(row.values()) for row in rows] == [
        (each.situation, each.text, each.reason + (f" (option `{each.option}`)" if each.option else ""))
        for each in chimera.TABLE
    ]


def test_every_option_of_a_house_answer_has_one(page):
    options = {each.option for each in chimera.TABLE if each.option}
    assert options == {field.name for field in dataclasses.fields(HouseOptions)}
    assert set(page(PAGE).column("Teledyne Xena Chimera", table=1)) == options


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ("SNE", SimulatedSne),
        ("Attero-100G", SimulatedAttero),
        ("Chimera", SimulatedChimera),
        ("CMW", SimulatedCmw),
        ("Netropy", SimulatedNetropy),
        ("LANforge", SimulatedLanforge),
        ("NE-ONE", SimulatedNeOne),
    ],
)
def test_every_fault_of_a_box_is_there(page, box, kind):
    assert page(PAGE).column(f"Faults of the {box}") == [fault.__name__ for fault in kind.instrument_faults]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Calnex (Spirent) SNE", SimulatedSne),
        ("Calnex Attero-100G", SimulatedAttero),
        ("R&S CMW500 network impairments", SimulatedCmw),
        ("Teledyne Xena Chimera", SimulatedChimera),
        ("Apposite Netropy", SimulatedNetropy),
        ("Candela LANforge-ICE", SimulatedLanforge),
        ("iTrinegy NE-ONE", SimulatedNeOne),
    ],
)
def test_every_option_is_there(page, heading, kind):
    listed = [name.strip("`, ") for cell in page(PAGE).column(heading) for name in cell.split(",")]
    assert listed == [name for name in inspect.signature(kind).parameters if name not in {"plane", "host", "port"}]


def test_every_resource_of_the_sne_is_there(page):
    assert page(PAGE).column("What the settings of the SNE do to packets") == [each.name for each in RESOURCES]
