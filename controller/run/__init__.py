"""One run: a scenario on a rack, from the first check to a closed record."""

from impairlab.controller.run.scenario_run import ScenarioRun

__all__ = ["ScenarioRun"]
