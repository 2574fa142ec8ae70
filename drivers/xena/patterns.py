"""Patterns of hit packets to the arguments of a PED command, and back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from impairlab.drivers.model.losses import AnyLoss, Outage
from impairlab.drivers.model.patterns import (
    AnyPattern,
    BitErrors,
    Even,
    GilbertElliott,
    Random,
    RandomBurst,
    SingleBurst,
    Spaced,
)
from impairlab.drivers.xena.commands import PPM
from impairlab.drivers.xena.laws import gamma_arguments, gamma_moments, table_deviations, table_values

Fields = dict[str, object]
"""What a pattern of the model is made from."""

GAP_RESOLUTION = Decimal("1E-6")
"""To which the standard deviation of a gamma law of gaps is rounded: it is seldom a whole number of packets."""

_LAWS = {
    "uniform": "PED_UNI",
    "normal": "PED_GAUSS",
    "poisson": "PED_POISSON",
    "gamma": "PED_GAMMA",
    "table": "PED_CUST",
}


def write_pattern(pattern: AnyPattern | AnyLoss) -> tuple[str, tuple[int, ...], str]:
    """Return the command, its arguments, and the comment that a table needs.

    Raises:
        ValueError: There is no command for it.
    """
    if isinstance(pattern, Outage):
        return "PED_FIXED", (PPM,), ""
    if isinstance(pattern, Random):
        return "PED_RANDOM", (_ppm(pattern.rate),), ""
    if isinstance(pattern, Even):
        return "PED_FIXED", (_ppm(pattern.rate),), ""
    if isinstance(pattern, BitErrors):
        return "PED_BER", _power_of_ten(pattern.ber), ""
    if isinstance(pattern, SingleBurst):
        return "PED_FIXEDBURST", (pattern.packets,), ""
    if isinstance(pattern, RandomBurst):
        return "PED_RANDOMBURST", (pattern.shortest, pattern.longest, _ppm(pattern.rate)), ""
    if isinstance(pattern, GilbertElliott):
        chances = (pattern.good_loss, pattern.to_bad, pattern.bad_loss, pattern.to_good)
        return "PED_GE", tuple(_ppm(chance) for chance in chances), ""
    if isinstance(pattern, Spaced):
        return _LAWS[pattern.law], _gaps(pattern), f"{pattern.mean:f} {pattern.spread:f}" if pattern.table else ""
    raise ValueError(f"no command for {pattern}")


def read_pattern(command: str, arguments: tuple[int, ...], comment: str) -> Fields:
    """Return the fields of the pattern.

    Raises:
        ValueError: The command is none of a pattern.
    """
    match command, arguments:
        case "PED_RANDOM", (rate,):
            return {"model": "random", "rate": _share(rate)}
        case "PED_FIXED", (rate,):
            return {"model": "even", "rate": _share(rate)}
        case "PED_BER", (coefficient, exponent):
            return {"model": "bit-error", "ber": Decimal(coefficient).scaleb(exponent)}
        case "PED_FIXEDBURST", (packets,):
            return {"model": "single-burst", "packets": packets}
        case "PED_RANDOMBURST", (shortest, longest, rate):
            return {"model": "random-burst", "rate": _share(rate), "shortest": shortest, "longest": longest}
        case "PED_GE", (good_loss, to_bad, bad_loss, to_good):
            chances = {"good_loss": good_loss, "to_bad": to_bad, "bad_loss": bad_loss, "to_good": to_good}
            return {"model": "gilbert-elliott", **{name: _share(chance) for name, chance in chances.items()}}
    return {"model": "spaced", **_read_gaps(command, arguments, comment)}


def _gaps(pattern: Spaced) -> tuple[int, ...]:
    match pattern.law:
        case "uniform":
            return int(pattern.mean - pattern.spread), int(pattern.mean + pattern.spread)
        case "normal":
            return int(pattern.mean), int(pattern.spread)
        case "poisson":
            return (int(pattern.mean),)
        case "gamma":
            return gamma_arguments(pattern.mean, pattern.spread, 1)
        case "table":
            return table_values(pattern.mean, pattern.spread, pattern.table)


def _read_gaps(command: str, arguments: tuple[int, ...], comment: str) -> Fields:
    match command, arguments:
        case "PED_UNI", (least, most):
            return {"law": "uniform", "mean": Decimal(least + most) / 2, "spread": Decimal(most - least) / 2}
        case "PED_GAUSS", (mean, spread):
            return {"law": "normal", "mean": Decimal(mean), "spread": Decimal(spread)}
        case "PED_POISSON", (mean,):
            return {"law": "poisson", "mean": Decimal(mean)}
        case "PED_GAMMA", (shape, scale):
            average, deviation = gamma_moments(shape, scale, GAP_RESOLUTION)
            return {"law": "gamma", "mean": average, "spread": deviation}
        case "PED_CUST", values if values:
            average, unit = table_unit(comment, values)
            return {"law": "table", "mean": average, "spread": unit, "table": table_deviations(average, unit, values)}
    raise ValueError(f"{command} {arguments} is no pattern of packets")


def table_unit(comment: str, values: tuple[int, ...], step: int = 1) -> tuple[Decimal, Decimal]:
    """Return mean and spread of a table as its comment has them; of a table that others wrote, its mean and a step."""
    try:
        mean, spread = (Decimal(word) for word in comment.split())
    except (ValueError, ArithmeticError):
        return Decimal(max(1, sum(values) // len(values) // step) * step), Decimal(step)
    return mean, spread


def _ppm(share: Decimal) -> int:
    return int(share.scaleb(6))


def _share(ppm: int) -> Decimal:
    return Decimal(ppm).scaleb(-6)


def _power_of_ten(ber: Decimal) -> tuple[int, int]:
    """Return coefficient and exponent of a number with one digit; more digits make a greater coefficient."""
    sign_digits_exponent = ber.normalize().as_tuple()
    exponent = sign_digits_exponent.exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{ber} is no bit error ratio")  # noqa: TRY004 - it has the right type
    return int("".join(map(str, sign_digits_exponent.digits))), exponent


LAWS: Mapping[str, str] = _LAWS
