"""Delays to the arguments of a PED command, and back. The appliance counts nanoseconds, in steps of 100."""

from __future__ import annotations

from decimal import Decimal

from impairlab.drivers.model.delays import AccumulateBurst, AnyDelay, Delay
from impairlab.drivers.xena.laws import gamma_arguments, gamma_moments, table_deviations, table_values
from impairlab.drivers.xena.patterns import Fields, table_unit

STEP_NS = 100

POISSON_QUANTUM_NS = 1
"""PED_POISSON takes its mean in nanoseconds and has a standard deviation of the square root of that number."""


def write_delay(delay: AnyDelay) -> tuple[str, tuple[int, ...], str]:
    """Return the command, its arguments, and the comment that a table needs.

    Raises:
        ValueError: There is no command for it.
    """
    if isinstance(delay, AccumulateBurst):
        return "PED_ACCBURST", (delay.hold,), ""
    if not isinstance(delay, Delay):
        raise ValueError(f"no command for {delay}")  # noqa: TRY004 - the caller gave what its type allows
    mean, spread = delay.mean, delay.spread
    match delay.distribution:
        case "constant":
            return "PED_CONST", (mean,), ""
        case "uniform":
            return "PED_UNI", (mean - spread, mean + spread), ""
        case "step":
            return "PED_STEP", (mean - spread, mean + spread), ""
        case "normal":
            return "PED_GAUSS", (mean, spread), ""
        case "poisson":
            return "PED_POISSON", (mean,), ""
        case "gamma":
            return "PED_GAMMA", gamma_arguments(Decimal(mean), Decimal(spread), STEP_NS), ""
        case "table":
            return "PED_CUST", table_values(Decimal(mean), Decimal(spread), delay.table), f"{mean} {spread}"
    raise ValueError(f"no command for {delay}")


def read_delay(command: str, arguments: tuple[int, ...], comment: str) -> Fields:
    """Return the fields of the delay, times in seconds.

    Raises:
        ValueError: The command is none of a delay.
    """
    match command, arguments:
        case "PED_ACCBURST", (hold,):
            return {"distribution": "accumulate-burst", "hold": _seconds(hold)}
        case "PED_CONST", (mean,):
            return _delay("constant", mean, 0)
        case "PED_UNI", (least, most):
            return _delay("uniform", Decimal(least + most) / 2, Decimal(most - least) / 2)
        case "PED_STEP", (least, most):
            return _delay("step", Decimal(least + most) / 2, Decimal(most - least) / 2)
        case "PED_GAUSS", (mean, spread):
            return _delay("normal", mean, spread)
        case "PED_POISSON", (mean,):
            return _delay("poisson", mean, POISSON_QUANTUM_NS)
        case "PED_GAMMA", (shape, scale):
            return _delay("gamma", *gamma_moments(shape, scale, Decimal(1)))
        case "PED_CUST", values if values:
            mean_ns, unit_ns = table_unit(comment, values, STEP_NS)
            return {**_delay("table", mean_ns, unit_ns), "table": table_deviations(mean_ns, unit_ns, values)}
    raise ValueError(f"{command} {arguments} is no delay")


def _delay(distribution: str, mean: Decimal | int, spread: Decimal | int) -> Fields:
    """Return the fields of a delay; without a spread it is constant, whatever law the appliance draws it from."""
    if not spread:
        return {"distribution": "constant", "mean": _seconds(mean)}
    return {"distribution": distribution, "mean": _seconds(mean), "spread": _seconds(spread)}


def _seconds(nanoseconds: Decimal | int) -> Decimal:
    return Decimal(nanoseconds).scaleb(-9)
