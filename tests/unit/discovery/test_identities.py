"""Which driver fits is data that drivers state, and asking for it loads no link."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from impairlab.drivers import identities
from impairlab.drivers.model.drives import Drives
from impairlab.drivers.model.errors import ImpairlabError

ACME = (Drives("Acme", r"W1\d\d"), Drives("Acme Labs"))


@pytest.fixture
def acme(monkeypatch):
    offered = EntryPoint("acme", "acme_identities:DRIVES", identities.GROUP)
    sneaky = EntryPoint("scpi", "acme_identities:DRIVES", identities.GROUP)
    monkeypatch.setitem(sys.modules, "acme_identities", SimpleNamespace(DRIVES=ACME))
    monkeypatch.setattr(identities, "entry_points", lambda **_: [offered, sneaky])


@pytest.mark.parametrize(
    ("manufacturer", "model", "driver"),
    [
        ("impairlab", "IL-8", "scpi"),
        ("ImpairLab", "IL-8", "scpi"),
        ("Rohde&Schwarz", "CMW500", "rs-cmw"),
        ("impairlab", "Glider", None),
        ("Acme", "W100", "acme"),
        ("Acme", "W1000", None),
        ("ACME LABS", "", "acme"),
        ("", "", None),
    ],
)
def test_manufacturer_and_model_have_to_fit(acme, manufacturer, model, driver):
    assert identities.driver_for(manufacturer, model) == driver


def test_two_that_fit_are_none(acme, monkeypatch):
    monkeypatch.setitem(identities._BUILT_IN, "other", ACME)
    assert identities.driver_for("Acme", "W100") is None


def test_what_cannot_be_loaded_is_named(monkeypatch):
    broken = EntryPoint("acme", "no_such_module:DRIVES", identities.GROUP)
    monkeypatch.setattr(identities, "entry_points", lambda **_: [broken])
    with pytest.raises(ImpairlabError, match=r"what 'acme' drives .* cannot be loaded"):
        identities.driver_for("Acme", "W100")


def test_no_link_library_is_loaded_to_tell():
    script = (
        "import sys; from impairlab.drivers.identities import driver_for; assert driver_for('impairlab', 'IL-8');"
        "print(sorted({'pyvisa', 'serial', 'paramiko', 'httpx', 'zeroconf'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert told.stdout == "[]\n", told.stderr
