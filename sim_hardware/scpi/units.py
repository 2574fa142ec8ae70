"""Suffixes: which units a parameter takes and what each multiplies by.

Sources: IEEE 488.2, 7.7.3 and tables 7-1 (units) and 7-2 (multipliers). There is no bit rate in the standard:
`BIT_RATE` is this project's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

MULTIPLIERS: Mapping[str, Decimal] = {
    "EX": Decimal("1E18"),
    "PE": Decimal("1E15"),
    "T": Decimal("1E12"),
    "G": Decimal("1E9"),
    "MA": Decimal("1E6"),
    "K": Decimal("1E3"),
    "M": Decimal("1E-3"),
    "U": Decimal("1E-6"),
    "N": Decimal("1E-9"),
    "P": Decimal("1E-12"),
    "F": Decimal("1E-15"),
    "A": Decimal("1E-18"),
}
"""M is milli, except in MHZ and MOHM."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A quantity's suffixes, in upper case, each with the factor that takes it to the base unit."""

    name: str
    suffixes: Mapping[str, Decimal]

    def factor(self, suffix: str) -> Decimal | None:
        """Return what `suffix`, in any case, multiplies by; None when this unit has no such suffix."""
        return self.suffixes.get(suffix.upper())


def scaled(name: str, symbol: str, own: Mapping[str, Decimal] | None = None, base: str = "1") -> Unit:
    """Return a unit whose `symbol` takes every multiplier; `own` suffixes win over what the multipliers make."""
    factor = Decimal(base)
    suffixes = {prefix + symbol: multiplier * factor for prefix, multiplier in MULTIPLIERS.items()}
    return Unit(name, {**suffixes, symbol: factor, **(own or {})})


def plain(name: str, **factors: str) -> Unit:
    """Return a unit that takes no multiplier, only the suffixes given with their factors."""
    return Unit(name, {suffix: Decimal(factor) for suffix, factor in factors.items()})


_MINUTE = Decimal(1) / 60

SECOND = scaled("SECOND", "S", {"MIN": Decimal(60), "HR": Decimal(3600)})
RATIO = plain("UNITLESS", PCT="0.01", PPM="1E-6")
HERTZ = scaled("HERTZ", "HZ", {"MHZ": Decimal("1E6")})
BIT_RATE = plain("BIT_RATE", BPS="1", KBPS="1E3", MBPS="1E6", GBPS="1E9", TBPS="1E12")
"""Bits per second. MBPS is mega, as everyone writes it; a bare M or K is refused."""

STANDARD_UNITS = (
    SECOND,
    RATIO,
    HERTZ,
    scaled("GRAY", "GY"),
    scaled("BECQUEREL", "BQ"),
    scaled("MOLE", "MOL"),
    scaled("SIEVERT", "SV"),
    scaled("ELECTRONVOLT", "EV"),
    plain("ATOMIC_MASS", U="1"),
    Unit("DEGREE", {"DEG": Decimal(1), "MNT": _MINUTE, "SEC": _MINUTE / 60}),
    plain("GRADE", GON="1"),
    scaled("RADIAN", "RAD"),
    plain("REVOLUTION", REV="1"),
    plain("STERADIAN", RS="1"),
    scaled("FARAD", "F"),
    scaled("AMPERE", "A"),
    scaled("VOLT", "V"),
    scaled("OHM", "OHM", {"MOHM": Decimal("1E6")}),
    scaled("HENRY", "H"),
    scaled("COULOMB", "C"),
    scaled("SIEMENS", "SIE"),
    scaled("JOULE", "J"),
    scaled("NEWTON", "N"),
    plain("ATMOSPHERE", ATM="1"),
    plain("INCH_OF_MERCURY", INHG="1"),
    plain("MM_OF_MERCURY", MMHG="1"),
    plain("TORR", TORR="1"),
    plain("BAR", BAR="1"),
    scaled("PASCAL", "PAL"),
    plain("STROKES", ST="1"),
    plain("POISE", P="1"),
    plain("LITER", L="1"),
    scaled("KILOGRAM", "G", {"TNE": Decimal(1000)}, base="1E-3"),
    plain("ASTRONOMIC_UNIT", ASU="1"),
    plain("PARSEC", PRS="1"),
    plain("INCH", IN="1"),
    plain("FOOT", FT="1"),
    plain("MILE", MI="1"),
    plain("NAUTICAL_MILE", NAMI="1"),
    scaled("METER", "M"),
    scaled("LUX", "LX"),
    scaled("LUMEN", "LM"),
    scaled("CANDELA", "CD"),
    scaled("WEBER", "WB"),
    scaled("TESLA", "T"),
    scaled("WATT", "W"),
    plain("DBM", DBM="1", DBMW="1"),
    plain("DECIBEL", DB="1"),
    plain("CELSIUS", CEL="1"),
    plain("FAHRENHEIT", FAR="1"),
    scaled("KELVIN", "K"),
    plain("DAY", D="1"),
    plain("YEAR", ANN="1"),
)
