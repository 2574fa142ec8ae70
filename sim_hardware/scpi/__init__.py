"""A SCPI instrument to build on: declare commands on a `Device`, run it as an `Instrument` behind a `ScpiServer`."""

from impairlab.sim_hardware.scpi.commands import Action, Declaration, Node, Query, Setting
from impairlab.sim_hardware.scpi.device import Device, Identity
from impairlab.sim_hardware.scpi.errors import ErrorEntry, ScpiError
from impairlab.sim_hardware.scpi.instrument import Instrument
from impairlab.sim_hardware.scpi.message_session import Chunk, MessageSession
from impairlab.sim_hardware.scpi.operations import Operation
from impairlab.sim_hardware.scpi.parameters import (
    INFINITE,
    Block,
    Boolean,
    ChannelList,
    Choice,
    Integer,
    Numeric,
    NumericList,
    OffStep,
    Omittable,
    Parameter,
    Repeated,
    Text,
)
from impairlab.sim_hardware.scpi.personality import AfterCommandError, ErrorQueues, Personality
from impairlab.sim_hardware.scpi.responses import Reply, Word
from impairlab.sim_hardware.scpi.session import Session
from impairlab.sim_hardware.scpi.status import Operating, StatusByte
from impairlab.sim_hardware.scpi.tcp_server import RAW_SCPI_PORT, ScpiServer
from impairlab.sim_hardware.scpi.units import BIT_RATE, HERTZ, RATIO, SECOND, Unit

__all__ = [
    "BIT_RATE",
    "HERTZ",
    "INFINITE",
    "RATIO",
    "RAW_SCPI_PORT",
    "SECOND",
    "Action",
    "AfterCommandError",
    "Block",
    "Boolean",
    "ChannelList",
    "Choice",
    "Chunk",
    "Declaration",
    "Device",
    "ErrorEntry",
    "ErrorQueues",
    "Identity",
    "Instrument",
    "Integer",
    "MessageSession",
    "Node",
    "Numeric",
    "NumericList",
    "OffStep",
    "Omittable",
    "Operating",
    "Operation",
    "Parameter",
    "Personality",
    "Query",
    "Repeated",
    "Reply",
    "ScpiError",
    "ScpiServer",
    "Session",
    "Setting",
    "StatusByte",
    "Text",
    "Unit",
    "Word",
]
