"""How a serial line is set: what follows the question mark in `serial:///dev/ttyUSB0?baud=9600&flow=xonxoff`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, get_args
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, PositiveInt

Bits = Literal[7, 8]
Parity = Literal["none", "even", "odd"]
Stop = Literal[1, 2]
Flow = Literal["none", "xonxoff", "rtscts"]
End = Literal["lf", "cr", "crlf"]
Echo = Literal["off", "on"]

_CHOICES: Mapping[str, tuple[object, ...]] = {
    "bits": get_args(Bits), "parity": get_args(Parity), "stop": get_args(Stop), "flow": get_args(Flow),
    "end": get_args(End), "echo": get_args(Echo),
}  # fmt: skip


class SerialSettings(BaseModel):
    """How a serial line is set.

    Attributes:
        baud: Bits per second, above 0.
        bits: Data bits of a character.
        parity: Of a character.
        stop: Stop bits of a character.
        flow: Who may halt whom: nobody, XON and XOFF characters, or the lines RTS and CTS.
        end: What ends a message, in both directions. With "lf" and "crlf", LF ends an answer and a CR before it is
            dropped; with "cr", CR ends an answer and an LF after it is dropped.
        echo: Whether the appliance sends back every character that it gets; the echo is then taken off its answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    baud: PositiveInt = 9600
    bits: Bits = 8
    parity: Parity = "none"
    stop: Stop = 1
    flow: Flow = "none"
    end: End = "lf"
    echo: Echo = "off"

    @classmethod
    def parse(cls, query: str) -> Self:
        """Read what follows the question mark of an address; what it leaves out is as usual, 9600 8N1.

        Raises:
            ValueError: There is no such setting, it is there twice, or it has no such value.
        """
        given: dict[str, object] = {}
        for name, text in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)):
            if name in given:
                raise ValueError(f"{name} is there twice")
            given[name] = _value(name, text)
        return cls.model_validate(given)

    @property
    def query(self) -> str:
        """The same as text: the rate, and what is not as usual."""
        told = {"baud": self.baud} | self.model_dump(exclude_defaults=True)
        return "&".join(f"{name}={value}" for name, value in told.items())

    @property
    def character_bits(self) -> int:
        """Bits of one character on the line, start, parity and stop bits included."""
        return 1 + self.bits + (self.parity != "none") + self.stop


def _value(name: str, text: str) -> object:
    if name == "baud":
        if not (text.isascii() and text.isdecimal() and int(text)):
            raise ValueError(f"baud is a number of bit/s, not {text!r}")
        return int(text)
    if name not in _CHOICES:
        raise ValueError(f"there is no setting {name!r}, but baud, {', '.join(_CHOICES)}")
    for choice in _CHOICES[name]:
        if text == str(choice):
            return choice
    raise ValueError(f"{name} is one of {', '.join(map(str, _CHOICES[name]))}, not {text!r}")
