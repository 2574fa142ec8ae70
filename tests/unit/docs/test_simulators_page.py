"""The page of simulated appliances has every house answer, every fault and every option, in the words of the code."""

import inspect

import pytest

from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.attero import house as attero
from impairlab.sim_hardware.sne import SimulatedSne
from impairlab.sim_hardware.sne import house as sne
from impairlab.sim_hardware.sne.resources import RESOURCES

PAGE = "reference/simulators.md"


@pytest.mark.parametrize(("box", "table"), [("SNE", sne.TABLE), ("Attero-100G", attero.TABLE)])
def test_every_house_answer_is_there_with_its_reason(page, box, table):
    (rows,) = page(PAGE).tables(f"House answers of the {box}")
    assert [tuple(row.values()) for row in rows] == [(each.question, each.answer, each.reason) for each in table]


@pytest.mark.parametrize(("box", "kind"), [("SNE", SimulatedSne), ("Attero-100G", SimulatedAttero)])
def test_every_fault_of_a_box_is_there(page, box, kind):
    assert page(PAGE).column(f"Faults of the {box}") == [fault.__name__ for fault in kind.instrument_faults]


@pytest.mark.parametrize(
    ("heading", "kind"), [("Calnex (Spirent) SNE", SimulatedSne), ("Calnex Attero-100G", SimulatedAttero)]
)
def test_every_option_is_there(page, heading, kind):
    listed = [name.strip("`, ") for cell in page(PAGE).column(heading) for name in cell.split(",")]
    assert listed == [name for name in inspect.signature(kind).parameters if name not in {"plane", "host", "port"}]


def test_every_resource_of_the_sne_is_there(page):
    assert page(PAGE).column("What the settings of the SNE do to packets") == [each.name for each in RESOURCES]
