"""Capabilities: the documented ones, less the options that are not installed, with the limits the appliance answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from impairlab.drivers.model.capabilities import Capabilities, Feature, Provenance, Rule
from impairlab.drivers.model.delays import Delay
from impairlab.drivers.scpi.codecs import read_number
from impairlab.drivers.scpi.dialect import FORMS, Setting
from impairlab.drivers.scpi.filters import HEADERS

FACTS = ":SYST:PATH?;FLOW?;UPD:INT?;*OPT?"
"""*OPT? comes last: its answer is arbitrary text and ends the response (IEEE 488.2 10.20)."""

LONGEST_TABLE = 1024

PROVENANCE = Provenance(
    basis="documented", detail="the reference SCPI dialect; limits and options as the appliance answered"
)

COUNTERS = (
    "received_packets", "received_bytes", "forwarded_packets", "forwarded_bytes", "dropped_loss", "dropped_rate",
    "dropped_link", "dropped_mtu", "corrupted", "duplicated", "reordered", "marked",
)  # fmt: skip
"""In the order in which STATistics? answers them."""

_RULES = (
    Rule(
        "delay.table",
        f"a table has at most {LONGEST_TABLE} numbers",
        lambda conditions: not isinstance(conditions.delay, Delay) or len(conditions.delay.table) <= LONGEST_TABLE,
    ),
    Rule(
        "pfc.priorities",
        "at most 8 priorities",
        lambda conditions: conditions.pfc is None or len(conditions.pfc.priorities) <= 8,
    ),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an appliance says of itself.

    Attributes:
        paths: How many it has.
        flows: Flows with a filter in each direction.
        interval_ns: Least time between commits that is kept exactly.
        options: What is installed.
    """

    paths: int
    flows: int
    interval_ns: int
    options: frozenset[str]

    @classmethod
    def read(cls, units: Sequence[str]) -> Facts:
        """Read the answer to `FACTS`. Raises ValueError."""
        paths, flows, interval, options = units
        return cls(
            int(read_number(paths)), int(read_number(flows)), int(read_number(interval).scaleb(9)),
            frozenset(options.replace('"', "").split(",")),
        )  # fmt: skip

    def settings(self) -> list[Setting]:
        """Return every setting that has limits and whose option is installed, once each."""
        return list(
            {
                setting.header: setting
                for form in FORMS.values()
                if form.option in self.options
                for setting in form.settings
                if setting.limits is not None and not setting.header.endswith((":TABL", ":PRI"))
            }.values()
        )


def read_capabilities(facts: Facts, ask: Callable[[Sequence[str]], Sequence[str]]) -> Capabilities:
    """Return the capabilities; `ask` takes queries and returns their answers.

    Raises:
        ValueError: A limit is not a number.
    """
    settings = facts.settings()
    queries = [f":PATH1:AB:{setting.header}? {limit}" for setting in settings for limit in ("MIN", "MAX")]
    answers = [read_number(answer) for answer in ask(queries)]
    limits = {setting.header: (answers[2 * index], answers[2 * index + 1]) for index, setting in enumerate(settings)}
    return _capabilities(facts, limits)


def _capabilities(facts: Facts, limits: Mapping[str, tuple[Decimal, Decimal]]) -> Capabilities:
    features = {
        name: Feature(
            name=name,
            ranges={s.field: s.range(*limits.get(s.header, (None, None))) for s in form.settings if s.limits},
            choices={s.field: s.choices for s in form.settings if s.choices},
            provenance=PROVENANCE,
        )
        for name, form in FORMS.items()
        if form.option in facts.options
    }
    has_filters = "FILTER" in facts.options
    return Capabilities(
        paths=tuple(str(number) for number in range(1, facts.paths + 1)),
        features=features,
        flows=facts.flows if has_filters else 0,
        filter_fields=frozenset(HEADERS) if has_filters else frozenset(),
        rules=_RULES,
        effect="commit",
        update_interval_ns=facts.interval_ns,
        statistics=COUNTERS,
    )
