"""The settings of the reference dialect: headers, types, ranges, steps and defaults.

Source: docs/reference/scpi.md, "Impairments" and "Filters".
"""

from decimal import Decimal

from impairlab.sim_hardware.appliance.parameters import Address, Network, Numbers, OrAny
from impairlab.sim_hardware.appliance.settings import AnyField, Field
from impairlab.sim_hardware.planes import FILTER
from impairlab.sim_hardware.scpi import BIT_RATE, RATIO, SECOND, Boolean, Choice, Integer, Numeric


def _switch(header: str, option: str, *, default: bool = False) -> Field[bool]:
    return Field(header, option, Boolean(), default)


def _word(header: str, option: str, default: str, *spellings: str) -> Field[str]:
    return Field(header, option, Choice(*spellings), default)


def _number(
    header: str,
    option: str,
    parameter: Numeric,
    only_with: tuple[Field[str], str] | None = None,
) -> Field[Decimal]:
    if parameter.default is None:
        raise ValueError(f"{header} has no default")
    return Field(header, option, parameter, parameter.default, only_with)


def _time(default: str = "0", *, minimum: str = "0", maximum: str = "10") -> Numeric:
    return Numeric(SECOND, minimum=minimum, maximum=maximum, step="1E-7", default=default)


def _probability(default: str = "0", *, step: str = "1E-9") -> Numeric:
    return Numeric(RATIO, minimum=0, maximum=1, step=step, default=default)


def _count(minimum: int, maximum: int, default: int, *, step: str = "1") -> Numeric:
    return Numeric(minimum=minimum, maximum=maximum, step=step, default=default)


DELAY_STATE = _switch(":DELay:STATe", "delay")
DELAY_MEAN = _number(":DELay:MEAN", "delay", _time())
DELAY_SPREAD = _number(":DELay:SPRead", "delay", _time())
DELAY_DISTRIBUTION = _word(
    ":DELay:DISTribution", "delay", "constant",
    "CONStant", "UNIForm", "NORMal", "PAReto", "GAMMa", "EXPonential", "TABLe",
)  # fmt: skip
DELAY_ORDER = _switch(":DELay:ORDer", "delay", default=True)
DELAY_TABLE: Field[tuple[Decimal, ...]] = Field(
    ":DELay:TABLe", "delay", Numbers(Numeric(minimum=-1000, maximum=1000, step="1E-6"), at_most=1024), (),
    (DELAY_DISTRIBUTION, "table"),
)  # fmt: skip

LOSS_STATE = _switch(":LOSS:STATe", "loss")
LOSS_MODEL = _word(
    ":LOSS:MODel", "loss", "random", "RANDom", "PERiodic", "BURSt", "GELLiott", "BER", "OUTage"
)  # fmt: skip
LOSS_RATE = _number(":LOSS:RANDom:RATE", "loss", _probability(), (LOSS_MODEL, "random"))
LOSS_PERIOD = _number(":LOSS:PERiodic:EVERy", "loss", _count(1, 10**9, 100), (LOSS_MODEL, "periodic"))
LOSS_PERIOD_BURST = _number(":LOSS:PERiodic:BURSt", "loss", _count(1, 10**6, 1), (LOSS_MODEL, "periodic"))
LOSS_BURST_RATE = _number(":LOSS:BURSt:RATE", "loss", _probability(), (LOSS_MODEL, "burst"))
LOSS_BURST_LENGTH = _number(":LOSS:BURSt:LENGth", "loss", _count(1, 10**5, 1, step="0.001"), (LOSS_MODEL, "burst"))
LOSS_TO_BAD = _number(":LOSS:GELLiott:TOBad", "loss", _probability(), (LOSS_MODEL, "gelliott"))
LOSS_TO_GOOD = _number(":LOSS:GELLiott:TOGood", "loss", _probability("1"), (LOSS_MODEL, "gelliott"))
LOSS_IN_BAD = _number(":LOSS:GELLiott:LBAD", "loss", _probability("1"), (LOSS_MODEL, "gelliott"))
LOSS_IN_GOOD = _number(":LOSS:GELLiott:LGOod", "loss", _probability(), (LOSS_MODEL, "gelliott"))
LOSS_BIT_ERRORS = _number(":LOSS:BER:RATE", "loss", _probability(step="1E-15"), (LOSS_MODEL, "ber"))

REORDER_STATE = _switch(":REORder:STATe", "reorder")
REORDER_RATE = _number(":REORder:RATE", "reorder", _probability())
REORDER_DEPTH = _number(":REORder:DEPTh", "reorder", _count(1, 1000, 1))
REORDER_HOLD = _number(":REORder:HOLD", "reorder", _time("0.1"))

DUPLICATE_STATE = _switch(":DUPLicate:STATe", "duplicate")
DUPLICATE_RATE = _number(":DUPLicate:RATE", "duplicate", _probability())
DUPLICATE_COPIES = _number(":DUPLicate:COPies", "duplicate", _count(1, 100, 1))

CORRUPT_STATE = _switch(":CORRupt:STATe", "corrupt")
CORRUPT_RATE = _number(":CORRupt:RATE", "corrupt", _probability())
CORRUPT_BITS = _number(":CORRupt:BITS", "corrupt", _count(1, 64, 1))

RATE_STATE = _switch(":RATE:STATe", "rate")
RATE_LIMIT = _number(
    ":RATE:LIMit", "rate", Numeric(BIT_RATE, minimum=1000, maximum=10**11, step=1, default=10**9)
)  # fmt: skip
RATE_MODE = _word(":RATE:MODE", "rate", "shaper", "SHAPer", "POLicer", "LINK")
RATE_BURST = _number(":RATE:BURSt", "rate", _count(0, 16 * 10**6, 3028))
RATE_QUEUE = _number(":RATE:QUEue", "rate", _count(0, 10**9, 256_000))
RATE_LAYER = _word(":RATE:LAYer", "rate", "l2", "L1", "L2")

LINK_STATE = _switch(":LINK:STATe", "link")
LINK_MODE = _word(":LINK:MODE", "link", "down", "UP", "DOWN", "FLAP")
LINK_DOWN = _number(":LINK:DOWN", "link", _time("1", minimum="1E-6", maximum="3600"), (LINK_MODE, "flap"))
LINK_PERIOD = _number(":LINK:PERiod", "link", _time("10", minimum="1E-6", maximum="3600"), (LINK_MODE, "flap"))

ECN_STATE = _switch(":ECN:STATe", "ecn")
ECN_RATE = _number(":ECN:RATE", "ecn", _probability())

PFC_STATE = _switch(":PFC:STATe", "pfc")
PFC_PRIORITIES: Field[tuple[Decimal, ...]] = Field(
    ":PFC:PRIorities", "pfc", Numbers(Numeric(minimum=0, maximum=7, step=1), at_most=8), (Decimal(3),)
)
PFC_DURATION = _number(":PFC:DURation", "pfc", _time("0.001", minimum="1E-6"))
PFC_PERIOD = _number(":PFC:PERiod", "pfc", _time("0.1", minimum="1E-6"))

MTU_STATE = _switch(":MTU:STATe", "mtu")
MTU_SIZE = _number(":MTU:SIZE", "mtu", _count(68, 65535, 1500))

IMPAIRMENTS: tuple[tuple[Field[bool], tuple[AnyField, ...]], ...] = (
    (DELAY_STATE, (DELAY_MEAN, DELAY_SPREAD, DELAY_DISTRIBUTION, DELAY_ORDER, DELAY_TABLE)),
    (
        LOSS_STATE,
        (
            LOSS_MODEL, LOSS_RATE, LOSS_PERIOD, LOSS_PERIOD_BURST, LOSS_BURST_RATE, LOSS_BURST_LENGTH,
            LOSS_TO_BAD, LOSS_TO_GOOD, LOSS_IN_BAD, LOSS_IN_GOOD, LOSS_BIT_ERRORS,
        ),
    ),
    (REORDER_STATE, (REORDER_RATE, REORDER_DEPTH, REORDER_HOLD)),
    (DUPLICATE_STATE, (DUPLICATE_RATE, DUPLICATE_COPIES)),
    (CORRUPT_STATE, (CORRUPT_RATE, CORRUPT_BITS)),
    (RATE_STATE, (RATE_LIMIT, RATE_MODE, RATE_BURST, RATE_QUEUE, RATE_LAYER)),
    (LINK_STATE, (LINK_MODE, LINK_DOWN, LINK_PERIOD)),
    (ECN_STATE, (ECN_RATE,)),
    (PFC_STATE, (PFC_PRIORITIES, PFC_DURATION, PFC_PERIOD)),
    (MTU_STATE, (MTU_SIZE,)),
)  # fmt: skip
"""Every impairment: its switch and its other settings, in the order of a flow's string."""

FILTER_STATE = _switch(":FILTer:STATe", FILTER)


def _or_any(header: str, maximum: int) -> Field[int | None]:
    return Field(header, FILTER, OrAny(Integer(minimum=0, maximum=maximum)), None)


def _address(header: str) -> Field[Network | None]:
    return Field(header, FILTER, OrAny(Address()), None)


FILTER_VLAN = _or_any(":FILTer:VLAN", 4095)
FILTER_DSCP = _or_any(":FILTer:DSCP", 63)
FILTER_PROTOCOL = _word(":FILTer:PROTocol", FILTER, "any", "TCP", "UDP", "ICMP", "ANY")
FILTER_SOURCE = _address(":FILTer:SOURce:ADDRess")
FILTER_SOURCE_PORT = _or_any(":FILTer:SOURce:PORT", 65535)
FILTER_DESTINATION = _address(":FILTer:DESTination:ADDRess")
FILTER_DESTINATION_PORT = _or_any(":FILTer:DESTination:PORT", 65535)

FILTER_FIELDS: tuple[AnyField, ...] = (
    FILTER_VLAN, FILTER_DSCP, FILTER_PROTOCOL, FILTER_SOURCE, FILTER_SOURCE_PORT,
    FILTER_DESTINATION, FILTER_DESTINATION_PORT,
)  # fmt: skip

CONDITION_FIELDS: tuple[AnyField, ...] = tuple(field for switch, others in IMPAIRMENTS for field in (switch, *others))
"""Every setting of the impairments of a flow."""

ALL_FILTER_FIELDS: tuple[AnyField, ...] = (FILTER_STATE, *FILTER_FIELDS)
"""Every setting of the filter of a flow."""
