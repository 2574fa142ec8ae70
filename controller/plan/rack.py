"""The rack: which appliances there are and how to reach them, and the stations that traffic starts from.

appliances:
  wan-1:
    driver: scpi
    address: tcp://10.0.0.7:5025
    expect: {serial: SN123}
    paths: {access: "1"}
    tags: [100g]
    secret: env:WAN1_PASSWORD
stations:
  client: {prefix: [nsenter, --net=/run/netns/client]}
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from impairlab.controller.plan.located import Reading, unknown_word
from impairlab.controller.plan.names import LEGAL_NAME, is_name
from impairlab.controller.plan.yaml import Located, parse_yaml, read_yaml
from impairlab.drivers.links.address import is_visa_address
from impairlab.drivers.model.applied import Identity
from impairlab.drivers.model.errors import AuthError, FileError
from impairlab.drivers.model.frozen import Frozen


def _address(text: str) -> str:
    if is_visa_address(text):
        return text
    if not urlsplit(text).scheme or "://" not in text:
        raise ValueError(
            f"{text!r} is not an address; scheme://place, like tcp://10.0.0.7:5025, or a VISA "
            "resource name, like TCPIP::10.0.0.7::hislip0::INSTR"
        )
    if urlsplit(text).password:
        raise ValueError("a password stands in the address; put it in the environment and write secret: env:NAME")
    return text


def _secret(text: str) -> str:
    scheme, _, name = text.partition(":")
    if scheme != "env" or not name.isidentifier():
        raise ValueError("the secret is not a reference; env:NAME, the name of an environment variable")
    return text


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f"{text!r} is not a name; {LEGAL_NAME}")
    return text


def _words(value: object) -> object:
    return tuple(shlex.split(value)) if isinstance(value, str) else value


Name = Annotated[str, AfterValidator(_name)]


class Expected(Frozen):
    """What of an appliance's identity must be so; a field left out may be anything."""

    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None

    def differences(self, identity: Identity) -> tuple[str, ...]:
        """Return one line per field that is not as expected."""
        return tuple(
            f"{field} is {getattr(identity, field)!r}, expected {wanted!r}"
            for field in type(self).model_fields
            if (wanted := getattr(self, field)) is not None and wanted != getattr(identity, field)
        )


class ApplianceEntry(Frozen):
    """One appliance of the rack.

    Attributes:
        driver: Entry-point name of its driver, e.g. "scpi".
        address: Where it listens, e.g. "tcp://10.0.0.7:5025".
        expect: The identity that must answer there.
        paths: The lab's names for the appliance's own path names.
        tags: Free words to choose by.
        secret: Where the password is: `env:NAME`. Never the password.
    """

    driver: Annotated[str, Field(min_length=1)]
    address: Annotated[str, AfterValidator(_address), Field(examples=["tcp://10.0.0.7:5025"])]
    expect: Expected = Expected()
    paths: Mapping[str, str] = {}
    tags: tuple[str, ...] = ()
    secret: Annotated[str, AfterValidator(_secret), Field(examples=["env:WAN1_PASSWORD"])] | None = None

    def password(self, environment: Mapping[str, str]) -> str | None:
        """Return the secret from the environment; None where the appliance has none.

        Raises:
            AuthError: the environment variable is not set.
        """
        if self.secret is None:
            return None
        name = self.secret.removeprefix("env:")
        if name not in environment:
            raise AuthError(f"the environment variable {name} is not set", appliance=self.address)
        return environment[name]


class Station(Frozen):
    """A place that traffic starts from.

    Attributes:
        prefix: What to put before a command so that it runs there, e.g. nsenter or ssh with arguments.
    """

    prefix: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()


class Rack(Frozen):
    """All appliances and stations, by name."""

    appliances: Mapping[Name, ApplianceEntry]
    stations: Mapping[str, Station] = {}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a rack file.

        Raises:
            FileError: with every fault and its place.
        """
        return cls._from(read_yaml(path))

    @classmethod
    def parse(cls, text: str, name: str = "rack.yaml") -> Self:
        """Read a rack from text; see `read`."""
        return cls._from(parse_yaml(text, name))

    @classmethod
    def _from(cls, source: Located) -> Self:
        reading = Reading(source)
        rack = reading.value((), cls)
        reading.finish()
        if rack is None:
            raise AssertionError("a reading without a value has faults")
        return rack

    def appliance(self, name: str, asked_by: str = "") -> ApplianceEntry:
        """Return the entry of an appliance.

        Args:
            name: Its name.
            asked_by: What the message begins with.

        Raises:
            FileError: There is no such appliance.
        """
        if name not in self.appliances:
            known = sorted(self.appliances)
            problem = unknown_word("appliance", name, known)
            raise FileError([f"{asked_by}{problem}; legal: {', '.join(known) or 'nothing: the rack is empty'}"])
        return self.appliances[name]

    def bind(self, role: str, place: str) -> PathRef:
        """Find the path that a role is played by.

        Args:
            role: The scenario's word for the path.
            place: "appliance" or "appliance:path". Without a path: the path that is named like the role, else "1".

        Raises:
            FileError: there is no such appliance or path.
        """
        name, _, path = place.partition(":")
        aliases = self.appliance(name, f"{role}={place}: ").paths
        return PathRef(name, aliases.get(path, path) if path else aliases.get(role, "1"))


@dataclass(frozen=True)
class PathRef:
    """One path of one appliance, by the appliance's own name for it."""

    appliance: str
    path: str

    def __str__(self) -> str:
        """Return e.g. "wan-1:1"."""
        return f"{self.appliance}:{self.path}"
