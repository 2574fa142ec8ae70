"""The traffic of a scenario, as the sequencer steers it: one generator process for each, at its station."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

from impairlab.controller.plan.rack import Rack
from impairlab.controller.plan.traffic import TrafficSpec
from impairlab.controller.run.folder import RunFolder
from impairlab.controller.traffic.process import TrafficProcess
from impairlab.controller.traffic.protocol import TrafficPlan
from impairlab.controller.traffic.records import Progress
from impairlab.controller.traffic.spec import InferenceTraffic


class ScenarioTraffic:
    """All traffics of a scenario, started at one instant. A `Traffic` of the sequencer.

    Args:
        specs: By name.
        rack: Where the stations are.
        folder: Where the logs go.
        on_progress: Told of each finished request, from a thread for each traffic.
    """

    def __init__(
        self, specs: Mapping[str, TrafficSpec], rack: Rack, folder: RunFolder, on_progress: Callable[[Progress], None]
    ) -> None:
        self._planned = {
            name: TrafficProcess(
                TrafficPlan(traffic=offered(spec)),
                folder.requests(name),
                prefix=rack.stations[spec.station].prefix if spec.station is not None else (),
                on_progress=on_progress,
            )
            for name, spec in specs.items()
        }
        self._running = ExitStack()

    def prepare(self) -> None:
        """Launch every generator and wait until it stands by. Raises TrafficStartError."""
        for process in self._planned.values():
            self._running.enter_context(process)

    def start(self, at_ns: int) -> None:
        """Let every schedule count from the same instant. Raises TrafficDied."""
        for process in self._planned.values():
            process.start(at_ns)

    def check(self) -> None:
        """Raise TrafficDied when a generator is gone."""
        for process in self._planned.values():
            process.check()

    def stop(self) -> None:
        """Admit nothing new. Raises TrafficDied."""
        for process in self._planned.values():
            process.stop()

    def finish(self) -> None:
        """Wait for what is under way. Raises TrafficDied or TrafficTimeout."""
        for process in self._planned.values():
            process.wait()
        self._running.close()

    def abort(self) -> None:
        """End every generator; open requests are on record as cancelled."""
        self._running.close()


def offered(spec: TrafficSpec) -> InferenceTraffic:
    """Return what a generator is told to offer."""
    return InferenceTraffic(
        url=spec.url,
        rate=spec.rate,
        arrivals=spec.arrivals,
        burstiness=spec.burstiness,
        prompt_tokens=spec.prompt,
        output_tokens=spec.output,
        seed=spec.seed,
        timeout_ns=spec.timeout,
        connections=spec.connections,
        model=spec.model,
        endpoint=spec.endpoint,
    )
