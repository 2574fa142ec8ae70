"""What must fit together: the appliance's own validity rules, and that a value can be said to it at all.

The rules about means and standard deviations are those of the PED commands in tdl-xoa-driver 1.11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from impairlab.drivers.model.capabilities import PlaceRule, Range, Rule, Violation, format_value
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import AccumulateBurst, Delay
from impairlab.drivers.model.flows import EVERYTHING_ELSE, Target
from impairlab.drivers.model.impairments import Corrupt, Duplicate, Reorder
from impairlab.drivers.model.losses import AnyLoss, Outage
from impairlab.drivers.model.patterns import AnyPattern, BitErrors, Even, SingleBurst, Spaced
from impairlab.drivers.model.schedule import Schedule
from impairlab.drivers.xena.commands import MOST_PACKETS, PPM
from impairlab.drivers.xena.delays import POISSON_QUANTUM_NS, STEP_NS
from impairlab.drivers.xena.laws import gamma_arguments, gamma_moments, table_values
from impairlab.drivers.xena.patterns import GAP_RESOLUTION
from impairlab.drivers.xena.writing import LONGEST_LATENCY_TABLE, LONGEST_TABLE

Moments = Callable[[int, int], bool]

_NOT_ON_EVERYTHING_ELSE = {"ip", "udp", "tcp"}


def delay_rules(low: int, high: int) -> tuple[Rule, ...]:
    """Return the rules of delays, between the least and greatest that the appliance answered."""
    between = f"{format_value(low, 'time')} .. {format_value(high, 'time')}"
    most = format_value(high, "time")

    def within(spreads: int) -> Moments:
        return lambda mean, spread: low <= mean - spreads * spread and mean + spreads * spread <= high

    laws: Mapping[str, tuple[str, Moments]] = {
        "uniform": (f"mean - spread and mean + spread within {between}", within(1)),
        "step": (f"mean - spread and mean + spread within {between}", within(1)),
        "normal": (f"mean - 3 * spread and mean + 3 * spread within {between}", within(3)),
        "gamma": (f"mean + 4 * spread at most {most}", lambda mean, spread: mean + 4 * spread <= high),
        "poisson": (f"mean + 3 * sqrt(mean in ns) at most {most}", lambda mean, _: mean + 3 * _root(mean) <= high),
    }
    return (
        *(_delay_rule(law, text, holds) for law, (text, holds) in laws.items()),
        Rule("delay.spread", _GAMMA_TEXT.format(step="100 ns"), _gamma_delay_holds),
        Rule(
            "delay.table",
            f"exactly {LONGEST_LATENCY_TABLE} numbers, each a delay mean + spread * number within {between} and a"
            " multiple of 100 ns",
            lambda conditions: _table_delay_holds(conditions, low, high),
        ),
        Rule(
            "delay.schedule",
            "accumulate-burst comes once, period 0, or again: it needs a schedule that is on for its hold",
            _accumulation_holds,
        ),
    )


def pattern_rules() -> tuple[Rule, ...]:
    """Return the rules of patterns, for each kind that has them."""
    return (
        *(rule for kind in ("loss", "duplicate", "corrupt") for rule in _rules_of(kind)),
        Rule("reorder.pattern.rate", "rate * (depth + 1) below 100 %", _reorder_holds),
        *(_burst_rule(kind) for kind in ("loss", "reorder", "duplicate", "corrupt")),
    )


def _layers(target: Target, conditions: Conditions) -> Iterator[Violation]:
    corrupt = conditions.corrupt
    if target.flow == EVERYTHING_ELSE and corrupt is not None and corrupt.damages in _NOT_ON_EVERYTHING_ELSE:
        problem = f"{corrupt.damages} needs a flow with a filter"
        yield Violation(field="corrupt.damages", problem=problem, legal=_LAYERS_TEXT)


def _port_alone(target: Target, conditions: Conditions) -> Iterator[Violation]:
    if target.flow != EVERYTHING_ELSE and conditions.link is not None:
        problem = "belongs to the port, not to one of its flows"
        yield Violation(field="link", problem=problem, legal=_LINK_TEXT)


_LAYERS_TEXT = "ethernet on 'everything else'; ip, udp and tcp on flow 1 .."
_LINK_TEXT = "set it on 'everything else'"

PLACE_RULES = (PlaceRule("corrupt.damages", _LAYERS_TEXT, _layers), PlaceRule("link", _LINK_TEXT, _port_alone))
"""What the appliance does on some flows only."""

_GAMMA_TEXT = (
    "of a gamma law: shape = (mean / spread)^2 a whole number and scale = mean / shape a multiple of {step},"
    " spread rounded to what follows from them"
)


def _delay_rule(law: str, text: str, holds: Moments) -> Rule:
    def check(conditions: Conditions) -> bool:
        delay = conditions.delay
        return not isinstance(delay, Delay) or delay.distribution != law or holds(delay.mean, delay.spread)

    return Rule("delay.mean", f"of a {law} delay: {text}", check)


def _gamma_delay_holds(conditions: Conditions) -> bool:
    delay = conditions.delay
    if not isinstance(delay, Delay) or delay.distribution != "gamma":
        return True
    mean, spread = Decimal(delay.mean), Decimal(delay.spread)
    return gamma_moments(*gamma_arguments(mean, spread, STEP_NS), Decimal(1)) == (mean, spread)


def _table_delay_holds(conditions: Conditions, low: int, high: int) -> bool:
    delay = conditions.delay
    if not isinstance(delay, Delay) or delay.distribution != "table":
        return True
    legal = Range(dimension="time", low=Decimal(low), high=Decimal(high), step=Decimal(STEP_NS))
    return _table_holds(Decimal(delay.mean), Decimal(delay.spread), delay.table, LONGEST_LATENCY_TABLE, legal)


def _table_holds(mean: Decimal, spread: Decimal, table: tuple[Decimal, ...], count: int, legal: Range) -> bool:
    exact = [mean + spread * number for number in table]
    return (
        len(table) == count
        and list(table_values(mean, spread, table)) == exact
        and all(legal.nearest(value) == value for value in exact)
    )


def _accumulation_holds(conditions: Conditions) -> bool:
    delay = conditions.delay
    if not isinstance(delay, AccumulateBurst):
        return True
    return isinstance(delay.schedule, Schedule) and delay.schedule.on == delay.hold


def _rules_of(kind: str) -> Iterator[Rule]:
    prefix = kind if kind == "loss" else f"{kind}.pattern"

    def rule(field: str, text: str, holds: Callable[[AnyPattern], bool]) -> Rule:
        return Rule(f"{prefix}.{field}", text, lambda conditions: _holds(conditions, kind, holds))

    yield rule("ber", "one digit, as in 4E-7", _one_digit)
    yield rule("mean", f"of a uniform gap: mean - spread and mean + spread whole, at most {MOST_PACKETS}", _uniform)
    yield rule("mean", f"of a normal gap: whole, mean +- 3 * spread within 0 .. {MOST_PACKETS}", _normal)
    yield rule("mean", f"of a poisson gap: whole, mean + 3 * sqrt(mean) at most {MOST_PACKETS}", _poisson)
    yield rule("spread", f"{_GAMMA_TEXT.format(step='1 packet')} to {GAP_RESOLUTION:f},"
               f" mean + 4 * spread at most {MOST_PACKETS}", _gamma)  # fmt: skip
    yield rule("table", f"exactly {LONGEST_TABLE} numbers, each a whole gap mean + spread * number of at most"
               f" {MOST_PACKETS}", _table)  # fmt: skip


def _burst_rule(kind: str) -> Rule:
    def holds(conditions: Conditions) -> bool:
        found = getattr(conditions, kind)
        if not isinstance(_pattern_of(found), SingleBurst) or not isinstance(found.schedule, Schedule):
            return True
        return bool(found.schedule.on == found.schedule.period)

    return Rule(f"{kind}.schedule.on", "of a single burst: the same as the period, it waits for its packets", holds)


def _holds(conditions: Conditions, kind: str, holds: Callable[[AnyPattern], bool]) -> bool:
    pattern = _pattern_of(getattr(conditions, kind))
    return pattern is None or holds(pattern)


def _pattern_of(found: AnyLoss | Reorder | Duplicate | Corrupt | None) -> AnyPattern | None:
    if isinstance(found, Reorder | Duplicate | Corrupt):
        return found.pattern
    return None if isinstance(found, Outage) else found


def _one_digit(pattern: AnyPattern) -> bool:
    return not isinstance(pattern, BitErrors) or len(pattern.ber.normalize().as_tuple().digits) == 1


def _uniform(pattern: AnyPattern) -> bool:
    if not isinstance(pattern, Spaced) or pattern.law != "uniform":
        return True
    ends = pattern.mean - pattern.spread, pattern.mean + pattern.spread
    return all(_is_whole(end) for end in ends) and ends[1] <= MOST_PACKETS


def _normal(pattern: AnyPattern) -> bool:
    if not isinstance(pattern, Spaced) or pattern.law != "normal":
        return True
    whole = _is_whole(pattern.mean) and _is_whole(pattern.spread)
    return whole and 3 * pattern.spread <= pattern.mean and pattern.mean + 3 * pattern.spread <= MOST_PACKETS


def _poisson(pattern: AnyPattern) -> bool:
    if not isinstance(pattern, Spaced) or pattern.law != "poisson":
        return True
    return _is_whole(pattern.mean) and pattern.mean + 3 * pattern.mean.sqrt() <= MOST_PACKETS


def _gamma(pattern: AnyPattern) -> bool:
    if not isinstance(pattern, Spaced) or pattern.law != "gamma":
        return True
    exact = gamma_moments(*gamma_arguments(pattern.mean, pattern.spread, 1), GAP_RESOLUTION)
    return exact == (pattern.mean, pattern.spread) and pattern.mean + 4 * pattern.spread <= MOST_PACKETS


def _table(pattern: AnyPattern) -> bool:
    if not isinstance(pattern, Spaced) or pattern.law != "table":
        return True
    legal = Range(dimension="count", low=Decimal(0), high=Decimal(MOST_PACKETS), step=Decimal(1))
    return _table_holds(pattern.mean, pattern.spread, pattern.table, LONGEST_TABLE, legal)


def _reorder_holds(conditions: Conditions) -> bool:
    reorder = conditions.reorder
    if reorder is None or not isinstance(reorder.pattern, Even):
        return True
    return reorder.pattern.rate * PPM * (reorder.depth + 1) < PPM


def _is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def _root(mean: int) -> Decimal:
    return Decimal(mean * POISSON_QUANTUM_NS).sqrt()
