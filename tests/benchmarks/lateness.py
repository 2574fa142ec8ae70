"""How late the steps of a timeline begin: the sequencer on the real clock, with an appliance that answers at once."""

import statistics
import time
from collections.abc import Iterator

from figures import Figure

from impairlab.controller.plan.documents import Document, EventDocument
from impairlab.controller.plan.timeline import Change, Span, Step, Timeline
from impairlab.controller.sequencer.sequencer import Sequencer
from impairlab.drivers.model import NEUTRAL, Applied, Conditions, FlowEntry, Identity, Snapshot, Statistics, Target
from impairlab.drivers.model.factories import outage

STEPS = 500
APART_NS = 10_000_000
WHERE = Target(path="1", direction="a-b")


class InstantBox:
    """An appliance that has done what it is told before it was told."""

    def apply_many(self, settings, *, on_mismatch="refuse"):
        now_ns = time.monotonic_ns()
        return tuple(
            Applied(target=target, field="loss", asked="-", sent="-", sent_ns=now_ns, acknowledged_ns=now_ns)
            for target in settings
        )

    def snapshot(self, targets=None):
        identity = Identity(manufacturer="", model="", serial="", firmware="")
        entries = tuple(FlowEntry(target=target) for target in targets)
        return Snapshot(identity=identity, entries=entries, taken_ns=time.monotonic_ns())

    def restore(self, snapshot):
        return None

    def statistics(self, target):
        return Statistics(at_ns=time.monotonic_ns())


def measure() -> Iterator[Figure]:
    documents: list[Document] = []
    Sequencer(timeline(), {"box": InstantBox()}, documents.append).run()
    late = [each.lateness_ns / 1e6 for each in documents if isinstance(each, EventDocument) and each.event == "step"]
    cuts = statistics.quantiles(late, n=100, method="inclusive")
    beside = f"p50 {cuts[49]:.3f} ms, max {max(late):.3f} ms"
    yield Figure(f"lateness of {len(late)} steps 10 ms apart, p99", cuts[98], "ms", 2, beside)


def timeline() -> Timeline:
    steps = tuple(
        Step(anchor="traffic start", t_ns=number * APART_NS, phase="all", label="phase", changes=(change(number),))
        for number in range(STEPS)
    )
    span = Span(phase="all", anchor="traffic start", start_ns=0, end_ns=STEPS * APART_NS)
    return Timeline(scenario="lateness", steps=steps, spans=(span,))


def change(number: int) -> Change:
    conditions = Conditions.of(outage()) if number % 2 else NEUTRAL
    return Change(appliance="box", role="wan", target=WHERE, conditions=conditions)
