"""Whether a run may be judged at all: a generator that was late itself says nothing about the service."""

from impairlab.controller.traffic.records import GeneratorHealth

LAG_LIMIT_NS = 5_000_000
EFFECT_SHARE = 0.1
RATE_TOLERANCE = 0.02


def faults_of(health: GeneratorHealth | None, effect_ns: float | None = None) -> tuple[str, ...]:
    """Why the run is INVALID; empty when it is sound.

    Args:
        health: What the generator said of itself, or None if it died before it could.
        effect_ns: The smallest latency, or difference, that a verdict on the run is about. The generator's own lateness
            must be below a tenth of it, and below 5 ms in any case.

    The schedule is known ahead, so the rate is compared with what that very schedule asked for: chance plays no part,
    and 2 % is a tolerance for the ends of the run. Less than one request is never held against it.
    """
    if health is None:
        return ("the traffic generator died before it could report how well it kept its plan",)
    limit_ns = LAG_LIMIT_NS if effect_ns is None else min(LAG_LIMIT_NS, EFFECT_SHARE * effect_ns)
    found = []
    for name, p99_ns in (("event loop", health.lag_p99_ns), ("dispatch", health.dispatch_p99_ns)):
        if p99_ns > limit_ns:
            found.append(
                f"the generator's {name} was late by {p99_ns / 1e6:.3g} ms at p99, more than {limit_ns / 1e6:.3g} ms"
            )
    missing = health.planned - health.dispatched
    if missing > max(1.0, RATE_TOLERANCE * health.planned):
        found.append(f"the generator began {health.dispatched} of {health.planned} planned requests")
    if rate_is_off(health):
        found.append(f"the generator offered {health.achieved_rate:.4g} instead of {health.offered_rate:.4g} req/s")
    return tuple(found)


def rate_is_off(health: GeneratorHealth) -> bool:
    """Whether the achieved rate is off the offered one by more than 2 %, and by more than one request."""
    if health.offered_rate is None or health.achieved_rate is None:
        return False
    off = abs(health.achieved_rate / health.offered_rate - 1)
    return off > RATE_TOLERANCE and off * health.dispatched > 1
