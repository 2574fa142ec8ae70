"""Conditions of the model to what is programmed on a flow, and back."""

from __future__ import annotations

from decimal import Decimal

from pydantic import ValidationError

from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import AnyDelay
from impairlab.drivers.model.impairments import Corrupt, Duplicate, LinkState, RandomFlap, RateLimit, Reorder
from impairlab.drivers.model.patterns import AnyPattern, Random
from impairlab.drivers.model.schedule import AnySchedule, Schedule
from impairlab.drivers.xena.commands import PPM
from impairlab.drivers.xena.delays import read_delay, write_delay
from impairlab.drivers.xena.patterns import Fields, read_pattern, write_pattern
from impairlab.drivers.xena.programmed import (
    BURSTS,
    CONTINUOUS,
    CORRUPTION,
    DROP,
    DUPLICATION,
    KINDS,
    LATENCY,
    MISORDER,
    NO_CORRUPTION,
    Band,
    Distribution,
    Programmed,
)

RATE_STEP = 100_000
"""Bit/s: the committed rate is counted in these."""

MILLISECOND_NS = 1_000_000
ONE_UNIT = 1
"""Duration of the schedule of a burst, which takes as long as it takes."""

PERMANENT = 0
"""Duration of a link flap that never ends."""

LONGEST_FLAP_PERIOD_MS = 50_000

_LAYERS = {"ethernet": "ETH", "ip": "IP", "udp": "UDP", "tcp": "TCP", "payload": "BER"}
_DAMAGES = {word: damages for damages, word in _LAYERS.items()}


class Translator:
    """Translates for an appliance whose schedules count in `unit_ns` (see the page of the driver: sources conflict)."""

    def __init__(self, unit_ns: int) -> None:
        self.unit_ns = unit_ns

    def program(self, conditions: Conditions) -> Programmed:
        """Return what to program.

        Raises:
            ValueError: The appliance has no words for it.
        """
        distributions: dict[int, Distribution] = {}
        if conditions.loss is not None:
            distributions[DROP] = self._scheduled(write_pattern(conditions.loss), conditions.loss.schedule)
        if conditions.reorder is not None:
            distributions[MISORDER] = self._picked(conditions.reorder)
        if conditions.delay is not None:
            distributions[LATENCY] = self._delay(conditions.delay)
        if conditions.duplicate is not None:
            distributions[DUPLICATION] = self._picked(conditions.duplicate)
        if conditions.corrupt is not None:
            distributions[CORRUPTION] = self._picked(conditions.corrupt)
        limit = conditions.rate
        return Programmed(
            distributions=distributions,
            depth=conditions.reorder.depth if conditions.reorder is not None else 1,
            corruption=_LAYERS[conditions.corrupt.damages] if conditions.corrupt is not None else NO_CORRUPTION,
            policer=_policer(limit) if limit is not None and limit.mode == "policer" else None,
            shaper=_shaper(limit) if limit is not None and limit.mode == "shaper" else None,
            flap=_flap(conditions.link) if conditions.link is not None else None,
        )

    def conditions(self, programmed: Programmed) -> Conditions:
        """Return what is programmed in the model's words.

        Raises:
            ValueError: The model has no words for it.
        """
        kinds: dict[str, Fields] = {}
        for kind, distribution in programmed.distributions.items():
            kinds[KINDS[kind]] = self._fields(kind, distribution)
        if MISORDER in programmed.distributions:
            kinds["reorder"]["depth"] = programmed.depth
        if CORRUPTION in programmed.distributions:
            if programmed.corruption == NO_CORRUPTION:
                del kinds["corrupt"]
            else:
                kinds["corrupt"]["damages"] = _DAMAGES[programmed.corruption]
        if programmed.policer is not None and programmed.shaper is not None:
            raise ValueError("policer and shaper are both on, and a flow has one rate")
        if programmed.policer is not None:
            kinds["rate"] = _limit("policer", programmed.policer)
        if programmed.shaper is not None:
            kinds["rate"] = _limit("shaper", programmed.shaper)
        if programmed.flap is not None:
            kinds["link"] = _link(*programmed.flap)
        try:
            return Conditions.model_validate(kinds)
        except ValidationError as error:
            raise ValueError(f"what is programmed cannot be said: {error}") from error

    def _picked(self, impairment: Reorder | Duplicate | Corrupt) -> Distribution:
        pattern: AnyPattern = impairment.pattern or Random(rate=impairment.rate)
        return self._scheduled(write_pattern(pattern), impairment.schedule)

    def _delay(self, delay: AnyDelay) -> Distribution:
        return self._scheduled(write_delay(delay), delay.schedule)

    def _scheduled(self, words: tuple[str, tuple[int, ...], str], schedule: AnySchedule | None) -> Distribution:
        command, arguments, comment = words
        if schedule is None:
            return Distribution(command, arguments, CONTINUOUS, comment)
        if not isinstance(schedule, Schedule):
            raise ValueError(f"no command for a schedule {schedule}")  # noqa: TRY004 - of a legal type
        on = schedule.on // self.unit_ns if command not in BURSTS else ONE_UNIT
        return Distribution(command, arguments, (on, schedule.period // self.unit_ns), comment)

    def _fields(self, kind: int, distribution: Distribution) -> Fields:
        schedule = self._schedule(distribution)
        if kind == LATENCY:
            delay = read_delay(distribution.command, distribution.arguments, distribution.comment)
            return {**delay, "schedule": schedule if distribution.command in BURSTS else None}
        if kind == DROP and (distribution.command, distribution.arguments) == ("PED_FIXED", (PPM,)):
            return {"model": "outage", "schedule": schedule}
        pattern = read_pattern(distribution.command, distribution.arguments, distribution.comment)
        if kind == DROP:
            return {**pattern, "schedule": schedule}
        if pattern["model"] == "random":
            return {"rate": pattern["rate"], "schedule": schedule}
        return {"pattern": pattern, "schedule": schedule}

    def _schedule(self, distribution: Distribution) -> Fields | None:
        """Return the schedule; what acts all the time, and a burst of packets that comes once, have none."""
        duration, period = distribution.schedule
        accumulates = distribution.command == "PED_ACCBURST"
        if period == 0 and not accumulates:
            return None
        on_ns = (period if distribution.command in BURSTS else duration) * self.unit_ns
        if accumulates:
            on_ns = distribution.arguments[0]
        return {"on": Decimal(on_ns).scaleb(-9), "period": Decimal(period * self.unit_ns).scaleb(-9)}


def _policer(limit: RateLimit) -> Band:
    return Band(limit.layer.upper(), (limit.rate // RATE_STEP, limit.burst))


def _shaper(limit: RateLimit) -> Band:
    return Band(limit.layer.upper(), (limit.rate // RATE_STEP, limit.burst, limit.queue))


def _limit(mode: str, band: Band) -> Fields:
    rate, burst, *queue = band.arguments
    fields: Fields = {"mode": mode, "rate": rate * RATE_STEP, "burst": burst, "layer": band.layer.lower()}
    return {**fields, "queue": queue[0]} if queue else fields


def _flap(link: LinkState | RandomFlap) -> tuple[int, int, int]:
    if isinstance(link, RandomFlap) or link.state == "up":
        raise ValueError(f"no command for {link}")
    if link.state == "down":
        return PERMANENT, LONGEST_FLAP_PERIOD_MS, 0
    return link.down // MILLISECOND_NS, link.period // MILLISECOND_NS, link.repetitions


def _link(duration: int, period: int, repetitions: int) -> Fields:
    if duration == PERMANENT:
        return {"state": "down"}
    down, every = (Decimal(ms).scaleb(-3) for ms in (duration, period))
    return {"state": "flap", "down": down, "period": every, "repetitions": repetitions}
