"""Laws of numbers that both delays and gaps between packets are drawn from, in the terms of PED commands and back.

All are in whole units of the appliance's: nanoseconds of a delay, packets of a gap.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction


def gamma_arguments(mean: Decimal, spread: Decimal, step: int) -> tuple[int, int]:
    """Return shape and scale of a gamma law: the mean is shape * scale, the standard deviation sqrt(shape) * scale.

    Both are whole numbers, and the scale one of steps, so the law is as near as that allows.
    """
    shape = max(1, round((Fraction(mean) / Fraction(spread)) ** 2))
    return shape, step * max(1, round(Fraction(mean) / shape / step))


def gamma_moments(shape: int, scale: int, resolution: Decimal) -> tuple[Decimal, Decimal]:
    """Return mean and standard deviation, the latter rounded to `resolution`."""
    with localcontext() as context:
        context.prec = 60
        spread = Decimal(shape * scale * scale).sqrt().quantize(resolution, rounding=ROUND_HALF_EVEN)
    return Decimal(shape * scale), spread


def table_values(mean: Decimal, spread: Decimal, table: tuple[Decimal, ...]) -> tuple[int, ...]:
    """Return the values of a table: whole numbers, or as near as that allows."""
    return tuple(round(Fraction(mean) + Fraction(spread) * Fraction(each)) for each in table)


def table_deviations(mean: Decimal, spread: Decimal, values: tuple[int, ...]) -> tuple[Decimal, ...]:
    """Return the deviations from the mean in multiples of spread; exact where `table_values` made the values."""
    with localcontext() as context:
        context.prec = 60
        return tuple((value - mean) / spread for value in values)
