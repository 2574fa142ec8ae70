"""What shall happen, as frozen objects: rack, scenario, timeline, and the documents of a run. Files in, values out."""

from impairlab.controller.plan.rack import PathRef, Rack
from impairlab.controller.plan.scenario import Scenario
from impairlab.controller.plan.scenario_file import parse_scenario, read_scenario

__all__ = ["PathRef", "Rack", "Scenario", "parse_scenario", "read_scenario"]
