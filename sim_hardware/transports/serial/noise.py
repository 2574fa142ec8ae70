"""Noise on a serial line, as values: what the instrument's receiver makes of a damaged character."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParityNoise:
    """A character of the next message has the wrong parity: the message is lost, -361."""


@dataclass(frozen=True, slots=True)
class FramingNoise:
    """A character of the next message has no stop bit: the message is lost, -362."""


LineNoise = ParityNoise | FramingNoise
"""What strikes one message on its way to the instrument."""
