"""The impairment engine: a pure model that decides what happens to each packet, on whatever clock the caller brings."""

from impairlab.sim_hardware.engine.direction import DirectionEngine, FlowProgram
from impairlab.sim_hardware.engine.flow import KINDS

__all__ = ["KINDS", "DirectionEngine", "FlowProgram"]
