"""Run a scenario from Python: rack, scenario, run, report."""

import sys
from pathlib import Path

from impairlab.controller.plan.rack import Rack
from impairlab.controller.plan.scenario_file import read_scenario
from impairlab.controller.report.write import write_report
from impairlab.controller.run.scenario_run import ScenarioRun

rack_file, scenario_file, runs = map(Path, sys.argv[1:])

rack = Rack.read(rack_file)
scenario = read_scenario(scenario_file)
with ScenarioRun(scenario, rack, {"wan": rack.bind("wan", "wan-1")}, runs) as run:
    try:
        stop = run.perform()
        print(f"{stop.steps_done} steps, the latest {stop.worst_lateness_ns / 1e6:.2f} ms after its instant")
    finally:
        report = write_report(run.folder)

for judged in report.verdicts:
    verdict = judged.verdict
    print(f"{verdict.outcome}: {verdict.claim}, n = {verdict.n}, {verdict.reason}")
print(f"report: {report.path}")
