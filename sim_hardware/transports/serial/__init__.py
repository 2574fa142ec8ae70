"""A serial line: the instrument on a pseudo-terminal, paced as a UART is, or behind an access server (RFC 2217)."""

from impairlab.sim_hardware.transports.serial.access_server import AccessServer
from impairlab.sim_hardware.transports.serial.line import CHARACTER_BITS, PacedLine
from impairlab.sim_hardware.transports.serial.noise import FramingNoise, LineNoise, ParityNoise
from impairlab.sim_hardware.transports.serial.server import SerialServer

__all__ = ["CHARACTER_BITS", "AccessServer", "FramingNoise", "LineNoise", "PacedLine", "ParityNoise", "SerialServer"]
