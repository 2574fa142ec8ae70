"""A serial line: the instrument on a pseudo-terminal, paced as a UART is, with noise, unplugging and boot messages."""

from impairlab.sim_hardware.transports.serial.line import CHARACTER_BITS, PacedLine
from impairlab.sim_hardware.transports.serial.noise import FramingNoise, LineNoise, ParityNoise
from impairlab.sim_hardware.transports.serial.server import SerialServer

__all__ = ["CHARACTER_BITS", "FramingNoise", "LineNoise", "PacedLine", "ParityNoise", "SerialServer"]
