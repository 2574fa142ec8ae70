"""Emulations: what a NE-ONE has on its bench, beside the impairments: emulations, their virtual interfaces, and ports.

Source: itrinegy.py in github.com/nijokarively/itrinegy-api. Nothing was tried on hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from impairlab.drivers.itrinegy.modules import Module
from impairlab.drivers.itrinegy.session import Session
from impairlab.drivers.itrinegy.text import options_in, quoted
from impairlab.drivers.links.link import Exchange

_FIELDS_OF_AN_EMULATION = 8
_FIELDS_OF_A_PORT = 6
_NO_PARENT = "-1"
_RUNNING = {"1": True, "true": True, "yes": True, "running": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Emulation:
    """An emulation.

    Attributes:
        id: Its number.
        name: Its name.
        running: Whether it runs; the words for that are inferred, None where the appliance says another.
        notes: Of whoever made it.
        user: Whose it is.
        started: When, in the appliance's words.
    """

    id: int
    name: str
    running: bool | None
    notes: str
    user: str
    started: str


@dataclass(frozen=True, slots=True)
class Port:
    """A port.

    Attributes:
        id: Its number.
        name: Its name, or its address.
        parent: The port that it is part of; None for none.
        type: In the appliance's words.
        subtype: In the appliance's words, "" for none.
    """

    id: int
    name: str
    parent: int | None
    type: str
    subtype: str


class Emulations:
    """The emulations and ports of a NE-ONE. Methods raise as `Session` does, and MalformedResponse."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> Sequence[Emulation]:
        """Return the emulations."""
        return [
            Emulation(int(number), name, _RUNNING.get(running.lower()), notes, user, started)
            for number, name, running, notes, _, user, started, _ in self._table(
                "--getemulations", "emulations", _FIELDS_OF_AN_EMULATION
            )
        ]

    def interfaces(self, emulation: int) -> Sequence[int]:
        """Return the numbers of the virtual interfaces of an emulation."""
        command = f"--emulationId {emulation} --getVIsForEmulation"
        return [int(number) for (number,) in self._table(command, "VIsForEmulation", 1)]

    def ports(self) -> Sequence[Port]:
        """Return the ports."""
        return [
            Port(int(number), name, None if parent == _NO_PARENT else int(parent), kind, subtype)
            for number, name, parent, _, kind, subtype in self._table("--getAllPorts", "allPorts", _FIELDS_OF_A_PORT)
        ]

    def start(self, emulation: int) -> Exchange:
        """Start an emulation."""
        return self._session.change(f"--emulationId {emulation} --start")

    def stop(self, emulation: int) -> Exchange:
        """Stop an emulation."""
        return self._session.change(f"--emulationId {emulation} --stop")

    def add(self, name: str) -> int:
        """Make an emulation; return its id."""
        return self._made(f"--addEmulation {quoted(name)}", "emulationId")

    def add_interface(self, emulation: int, name: str) -> int:
        """Give an emulation a virtual interface; return its number."""
        return self._made(f"--emulationId {emulation} --addVi {quoted(name)}", "id")

    def set_port(self, module: Module) -> None:
        """Make or change a port by its module."""
        self._session.create(f"--portModule {quoted(str(module))}")

    def delete_port(self, port: int) -> None:
        """Delete a port. One that is called in use is tried again for a while."""
        self._session.change(f"--delPortModule {port}")

    def _made(self, command: str, option: str) -> int:
        reply = self._session.create(command).reply
        try:
            return int(dict(options_in(reply))[option])
        except (KeyError, ValueError) as error:
            raise self._session.malformed(command, reply, f"no --{option} in the answer") from error

    def _table(self, command: str, option: str, width: int) -> Sequence[Sequence[str]]:
        """Return the rows of an answer like --emulations "2;1;lab;…": a count, then so many fields a row."""
        reply = self._session.ask(command)
        try:
            [(_, text)] = options_in(reply)
            count, *fields = text.split(";")
            rows = [fields[at : at + width] for at in range(0, int(count) * width, width)]
            if fields[int(count) * width :] not in ([], [""]) or any(len(row) < width for row in rows):
                raise ValueError(f"{count} rows of {width} fields are not what follows")
            for row in rows:
                int(row[0])
        except ValueError as error:
            raise self._session.malformed(command, reply, f"{option} cannot be read: {error}") from error
        return rows
