"""What a plane refuses before it touches anything: unknown paths, impairments it cannot do, bad filters."""

from collections.abc import Collection, Iterator, Sequence

from impairlab.drivers.model import EVERYTHING_ELSE, FlowEntry, Rule, Violation
from impairlab.drivers.model.errors import CapabilityError
from impairlab.sim_hardware.planes.plane import FILTER


def refuse_impossible(
    entries: Sequence[FlowEntry], paths: Collection[str], options: frozenset[str], rules: Sequence[Rule] = ()
) -> None:
    """Check a full state against what a plane has and does, and against rules within what it does.

    Raises:
        CapabilityError: With every violation.
    """
    violations = [violation for entry in entries for violation in _violations(entry, paths, options)]
    targets = [entry.target for entry in entries]
    violations += [
        Violation(where=str(target), field="target", problem="programmed twice", legal="one entry a target")
        for target in {target for target in targets if targets.count(target) > 1}
    ]
    violations += [
        Violation(where=str(entry.target), field=rule.name, problem="this data plane cannot do it", legal=rule.text)
        for entry in entries
        for rule in rules
        if not rule.holds(entry.conditions)
    ]
    if violations:
        raise CapabilityError(violations)


def _violations(entry: FlowEntry, paths: Collection[str], options: frozenset[str]) -> Iterator[Violation]:
    where, target = str(entry.target), entry.target
    if target.path not in paths:
        yield Violation(where=where, field="path", problem=f"no path {target.path!r}", legal=", ".join(sorted(paths)))
    if target.flow != EVERYTHING_ELSE and FILTER not in options:
        yield Violation(where=where, field="flow", problem="this data plane cannot tell flows apart", legal="flow 0")
    elif (target.flow == EVERYTHING_ELSE) != (entry.filter is None):
        legal = "a filter on every flow but 0"
        yield Violation(where=where, field="filter", problem="filter missing or not wanted here", legal=legal)
    for impairment in entry.conditions:
        if impairment.kind not in options:
            legal = ", ".join(sorted(options - {FILTER}))
            yield Violation(where=where, field=impairment.kind, problem="this data plane cannot do it", legal=legal)
