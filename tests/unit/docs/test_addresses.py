"""Every appliance of a rack in the documentation has an address that its driver reads, and every driver has one."""

import re
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from impairlab.controller.plan.rack import Rack
from impairlab.drivers import ConnectError, connect, driver_names
from impairlab.drivers.cmw.site import Site as CmwSite
from impairlab.drivers.links.address import is_visa_address
from impairlab.drivers.netem.address import NetemAddress

DOCS = Path(__file__).parents[3] / "docs"
NOBODY = "127.0.0.1:1"
IN_ONE_LINE = re.compile(r"^ +([\w-]+: \{driver: .*\})$", re.MULTILINE)
OF_OTHERS = {"acme"}


def entries():
    blocks = [
        (page.name, text)
        for page in sorted(DOCS.rglob("*.md"))
        for text in re.findall(r"^```yaml\n(appliances:\n.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    ]
    lines = [
        (page.name, f"appliances:\n  {line}\n")
        for page in sorted(DOCS.glob("reference/*.md"))
        for line in IN_ONE_LINE.findall(page.read_text())
    ]
    return [
        pytest.param(entry, id=f"{name}-{appliance}")
        for name, text in blocks + lines
        for appliance, entry in Rack.parse(text, name).appliances.items()
    ]


ENTRIES = entries()


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_driver_reads_the_address_and_meets_nobody_there(entry):
    if entry.driver == "netem":
        assert NetemAddress.parse(entry.address).paths
        return
    if is_visa_address(entry.address):  # its port is in the resource's kind, and somebody may be there
        assert CmwSite.parse(entry.address, entry.driver).entries
        return
    place = urlsplit(entry.address).netloc.rpartition("@")[2]
    with pytest.raises(ConnectError, match="refused the connection"):
        connect(entry.address.replace(place, NOBODY), entry.driver, secret="")


def test_there_is_a_rack_of_each_driver_with_its_secret_explained(page):
    real_rack = page("how-to/real-rack.md")
    [text] = real_rack.blocks("yaml")
    drivers = {entry.driver for entry in Rack.parse(text).appliances.values()}
    explained = re.findall(r"^\| \[?`([\w-]+)`", real_rack.sections["A rack of each driver"], re.MULTILINE)
    assert drivers == set(explained) == set(driver_names()) - OF_OTHERS


def test_the_readme_names_every_driver():
    table = (DOCS.parent / "README.md").read_text().partition("## What it drives")[2]
    assert set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) == set(driver_names()) - OF_OTHERS


def test_the_page_of_transports_names_every_driver(page):
    transports = page("reference/transports.md").sections["Transports"]
    assert set(re.findall(r"`([\w-]+)`", transports)) == set(driver_names()) - OF_OTHERS


def test_the_links_that_a_driver_may_make_are_there(page):
    for name in page("how-to/driver.md").column("Another way than one TCP connection"):
        module, _, link = name.rpartition(".")
        assert isinstance(getattr(import_module(module), link), type)
