"""The rack file: appliances, paths by alias, stations, secrets by reference."""

import pytest

from impairlab.controller.plan.rack import PathRef, Rack
from impairlab.drivers.model.applied import Identity
from impairlab.drivers.model.errors import AuthError, FileError

RACK = """
appliances:
  wan-1:
    driver: scpi
    address: tcp://127.0.0.1:5025
    expect: {serial: SIM0001}
    paths: {access: "1", backbone: "2"}
    tags: [lab]
    secret: env:WAN1_PASSWORD
  plain: {driver: scpi, address: tcp://127.0.0.1:5026}
stations:
  client: {prefix: nsenter --net=/run/netns/client}
  gpu: {prefix: [ssh, gpu-1]}
"""


@pytest.mark.parametrize(
    ("role", "place", "path"),
    [
        ("access", "wan-1", PathRef("wan-1", "1")),
        ("wan", "wan-1:backbone", PathRef("wan-1", "2")),
        ("wan", "wan-1:7", PathRef("wan-1", "7")),
        ("wan", "plain", PathRef("plain", "1")),
    ],
)
def test_a_role_is_bound_to_a_path_by_alias_by_number_or_by_its_own_name(role: str, place: str, path: PathRef) -> None:
    assert Rack.parse(RACK).bind(role, place) == path


def test_an_unknown_appliance_is_refused_with_the_closest_name() -> None:
    with pytest.raises(
        FileError, match=r"wan=wan-2: unknown appliance 'wan-2', did you mean 'wan-1'\?; legal: plain, wan"
    ):
        Rack.parse(RACK).bind("wan", "wan-2")


def test_a_station_prefix_is_a_list_or_a_line() -> None:
    stations = Rack.parse(RACK).stations
    assert stations["client"].prefix == ("nsenter", "--net=/run/netns/client")
    assert stations["gpu"].prefix == ("ssh", "gpu-1")


def test_a_secret_comes_from_the_environment_or_is_an_auth_error() -> None:
    entry = Rack.parse(RACK).appliances["wan-1"]
    assert entry.password({"WAN1_PASSWORD": "x"}) == "x"
    with pytest.raises(AuthError, match="WAN1_PASSWORD is not set"):
        entry.password({})
    assert Rack.parse(RACK).appliances["plain"].password({}) is None


def test_the_wrong_box_is_told_apart() -> None:
    identity = Identity(manufacturer="impairlab", model="IL-8", serial="SIM0002", firmware="1.0")
    assert Rack.parse(RACK).appliances["wan-1"].expect.differences(identity) == (
        "serial is 'SIM0002', expected 'SIM0001'",
    )
