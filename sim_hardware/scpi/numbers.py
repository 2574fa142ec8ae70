"""Exact numbers: program data to Decimal and Decimal to response data, with nothing lost on the way.

Sources: IEEE 488.2, 7.7.2 and 7.7.4 (program data), 8.7 (response data); SCPI-1999 volume 1, 7.2.1 (special numbers).
"""

from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal

from impairlab.sim_hardware.scpi.errors import ScpiError
from impairlab.sim_hardware.scpi.lexer import Datum, Kind

MOST_DIGITS = 255
LARGEST_EXPONENT = 32000

EXACT = Context(prec=4 * MOST_DIGITS, rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Arithmetic wide enough for every legal mantissa times a multiplier; halves round away from zero."""

INFINITY = Decimal("9.9E37")
NOT_A_NUMBER = Decimal("9.91E37")
"""How the special numbers are answered (SCPI-1999 7.2.1.4 and 7.2.1.5)."""

_BASES = {Kind.HEXADECIMAL: 16, Kind.OCTAL: 8, Kind.BINARY: 2}
_MARKS = {16: ("#H", "X"), 8: ("#Q", "o"), 2: ("#B", "b")}
_PLAIN_FROM, _PLAIN_TO = -7, 15

NUMERIC_KINDS = frozenset({Kind.DECIMAL, *_BASES})


def exact(datum: Datum) -> Decimal:
    """Return the value of a numeric element, without its suffix, exactly as written.

    Raises:
        ScpiError: -123 for an exponent beyond 32000, -124 for more than 255 digits, -104 when it is no number.
    """
    if datum.kind in _BASES:
        if len(datum.lexeme) > MOST_DIGITS:
            raise ScpiError(-124)
        return Decimal(int(datum.lexeme, _BASES[datum.kind]))
    if datum.kind is not Kind.DECIMAL:
        raise ScpiError(-104, f"{datum.kind.value} for a number")
    mantissa, _, exponent = "".join(char for char in datum.lexeme if char > " ").upper().partition("E")
    if len(exponent.lstrip("+-0")) > len(str(LARGEST_EXPONENT)) or abs(int(exponent or 0)) > LARGEST_EXPONENT:
        raise ScpiError(-123)
    if len(mantissa.strip("+-").replace(".", "").lstrip("0")) > MOST_DIGITS:
        raise ScpiError(-124)
    return Decimal(f"{mantissa}E{exponent or 0}")


def nearest_integer(value: Decimal) -> Decimal:
    """Round to a whole number, halves away from zero (IEEE 488.2 7.7.2.4.2 rounds and leaves halves open)."""
    return value.to_integral_value(context=EXACT)


def show_exact(value: Decimal) -> str:
    """Return `value` as NR1, NR2 or, when very large or small, NR3; reading it back gives the same value."""
    if not value.is_finite():
        return show_special(value)
    short = value.normalize(EXACT)
    if short == 0:
        return "0"
    if _PLAIN_FROM <= short.adjusted() < _PLAIN_TO:
        return f"{short:f}"
    sign, digits, _ = short.as_tuple()
    fraction = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{digits[0]}.{fraction}E{short.adjusted():+03d}"


def show_special(value: Decimal) -> str:
    """Return 9.9E+37, -9.9E+37 or 9.91E+37 for infinity, minus infinity or not-a-number."""
    if value.is_nan():
        return show_exact(NOT_A_NUMBER)
    return show_exact(INFINITY if value > 0 else -INFINITY)


def show_real(value: float, digits: int = 15) -> str:
    """Return a measured value with at most `digits` significant digits; the exponent mark is E (IEEE 488.2 8.7.4)."""
    as_decimal = Decimal(value)
    return f"{value:.{digits}g}".upper() if as_decimal.is_finite() else show_special(as_decimal)


def show_nondecimal(value: int, base: int) -> str:
    """Return a non-negative integer as #H, #Q or #B data (IEEE 488.2 8.7.5 to 8.7.7)."""
    mark, form = _MARKS[base]
    return f"{mark}{value:{form}}"
