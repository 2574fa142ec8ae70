"""docs/reference/netem.md names every setting and every feature of the netem driver, and none besides."""

from impairlab.drivers.netem.address import SETTINGS
from impairlab.drivers.netem.capabilities import capabilities
from impairlab.drivers.netem.probe import KernelFeatures
from impairlab.drivers.netem.topology import Topology
from impairlab.drivers.netem.translate import Sizing

EVERYTHING = KernelFeatures("6.1", *[True] * 9)


def test_the_settings_are_those_of_the_address(page):
    assert page("reference/netem.md").column("Address") == list(SETTINGS)


def test_the_features_are_those_of_the_driver(page):
    caps = capabilities(EVERYTHING, Topology(), ("wan",), Sizing(), 1514)
    assert set(page("reference/netem.md").column("What can be set")) == set(caps.features)
