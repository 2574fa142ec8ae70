"""The options of the plug-in, each of which an ini setting of the same name may give as well."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal, Self, TypeVar

import pytest

Sim = Literal["auto", "netns", "null"]
_SIMS: dict[str, Sim] = {"auto": "auto", "netns": "netns", "null": "null"}

_SIM_ABOUT = (
    "What the simulated appliance stands in: netns, two network namespaces that real packets cross between; null, no "
    "packets; auto, netns where the machine allows it."
)

Value = TypeVar("Value")


@dataclass(frozen=True)
class Settings:
    """What the options and ini settings say.

    Attributes:
        rack: The rack file; None: a simulated rack.
        on: By role "appliance" or "appliance:path".
        runs: Where runs are kept; None: nowhere for long.
        sim: What the simulated appliance stands in.
        wait_s: How long to wait for a rack that another process uses, in seconds.
        strict: Whether to fail where a test would be skipped.
    """

    rack: Path | None
    on: dict[str, str]
    runs: Path | None
    sim: Sim
    wait_s: float
    strict: bool

    @classmethod
    def of(cls, config: pytest.Config) -> Self:
        """Return the settings of a session; an option goes before the ini setting.

        Raises:
            pytest.UsageError: An ini setting is wrong.
        """
        on: list[str] | None = config.getoption("impairlab_on")
        ini_on: list[str] = config.getini("impairlab_on")
        strict: bool = config.getoption("impairlab_strict") or config.getini("impairlab_strict")
        return cls(
            rack=_path(config, "impairlab_rack", file),
            on=dict((_ini("impairlab_on", role, text) if on is None else role(text)) for text in on or ini_on),
            runs=_path(config, "impairlab_runs", folder),
            sim=_SIMS[_chosen(config, "impairlab_sim", sim)],
            wait_s=float(_chosen(config, "impairlab_wait", seconds)),
            strict=strict,
        )


def add_options(parser: pytest.Parser) -> None:
    """Declare them. What an option's type returns must stay plain text: pytest-xdist sends it to its workers."""
    group = parser.getgroup("impairlab", "network impairment")
    for name, kind, metavar, default, about in (
        ("rack", file, "FILE", "", "Rack file with the appliances to test with. Default: one simulated, sim-1."),
        ("runs", folder, "DIR", "", "Where to keep runs of scenarios, with reports. Default: not for long."),
        ("sim", sim, "PLANE", "auto", _SIM_ABOUT),
        ("wait", seconds, "SECONDS", "300", "How long to wait for a rack that another process tests with."),
    ):  # fmt: skip
        shown = f" Default: {default}." if default else ""
        group.addoption(f"--impairlab-{name}", dest=f"impairlab_{name}", type=kind, metavar=metavar, help=about + shown)
        parser.addini(f"impairlab_{name}", about, type="string", default=default)
    about = "Which path plays a role; once for each role. With one role, impairlab_path is that path."
    group.addoption("--impairlab-on", dest="impairlab_on", action="append", type=role_text, help=about,
                    metavar="ROLE=APPLIANCE[:PATH]")  # fmt: skip
    parser.addini("impairlab_on", about, type="linelist")
    about = "Fail a test that would be skipped for want of a feature or of real packets."
    group.addoption("--impairlab-strict", dest="impairlab_strict", action="store_true", help=about)
    parser.addini("impairlab_strict", about, type="bool", default=False)


def file(text: str) -> str:
    """Return the absolute path of a file that is there."""
    if not Path(text).is_file():
        raise ArgumentTypeError(f"there is no file {text!r}")
    return str(Path(text).resolve())


def folder(text: str) -> str:
    """Return the absolute path of a folder, there or not."""
    if Path(text).exists() and not Path(text).is_dir():
        raise ArgumentTypeError(f"{text!r} is not a folder")
    return str(Path(text).resolve())


def sim(text: str) -> str:
    """Return the name of a plane."""
    if text not in _SIMS:
        raise ArgumentTypeError(f"{text!r} is none of {', '.join(_SIMS)}")
    return text


def seconds(text: str) -> str:
    """Return a number of seconds, 0 or more."""
    try:
        good = isfinite(float(text)) and float(text) >= 0
    except ValueError:
        good = False
    if not good:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return text


def role_text(text: str) -> str:
    """Return ROLE=APPLIANCE[:PATH] as it is."""
    role(text)
    return text


def role(text: str) -> tuple[str, str]:
    """Split ROLE=APPLIANCE[:PATH]."""
    name, equals, place = text.partition("=")
    if not (name and equals and place):
        raise ArgumentTypeError(f"{text!r} says no path for a role; ROLE=APPLIANCE or ROLE=APPLIANCE:PATH")
    return name, place


def _path(config: pytest.Config, name: str, check: Callable[[str], str]) -> Path | None:
    """Return what the option says, or else what the ini setting says, which counts from the root of the tests."""
    option: str | None = config.getoption(name)
    if option is not None:
        return Path(option)
    setting: str = config.getini(name)
    return Path(_ini(name, check, str(config.rootpath / setting))) if setting else None


def _chosen(config: pytest.Config, name: str, check: Callable[[str], str]) -> str:
    """Return what the option says, or else what the ini setting says, checked."""
    option: str | None = config.getoption(name)
    if option is not None:
        return option
    setting: str = config.getini(name)
    return _ini(name, check, setting)


def _ini(name: str, check: Callable[[str], Value], text: str) -> Value:
    try:
        return check(text)
    except ArgumentTypeError as error:
        raise pytest.UsageError(f"ini setting {name}: {error}") from error
