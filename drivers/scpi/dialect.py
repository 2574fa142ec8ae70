"""The dialect as a table: each feature's settings, their headers, codecs, limits and steps (docs/reference/scpi.md).

`write_conditions` and `read_conditions` turn whole conditions into the string that CONDitions takes, and back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import ValidationError

from impairlab.drivers.links.scpi_response import split_units
from impairlab.drivers.model.capabilities import Dimension, Range, feature_name
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.impairments import Impairment
from impairlab.drivers.scpi.codecs import COUNT, COUNTS, NUMBER, NUMBERS, SECONDS, SWITCH, Codec, Value, words


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of an impairment.

    Attributes:
        field: Its name in the model.
        header: Relative to the flow, in short form.
        codec: How its value is written.
        limits: Dimension and, in the dialect's base unit, least, greatest and step; None for what is not a number.
        choices: Legal values of what is not a number.
    """

    field: str
    header: str
    codec: Codec
    limits: tuple[Dimension, str, str, str] | None = None
    choices: tuple[str | bool, ...] = ()

    def range(self, low: Decimal | None = None, high: Decimal | None = None) -> Range:
        """Return the legal range in the model's unit; `low` and `high`, in the dialect's, replace the documented."""
        if self.limits is None:
            raise ValueError(f"{self.header} has no range")
        dimension, documented_low, documented_high, step = self.limits
        factor = 10**9 if dimension == "time" else 1
        return Range(
            dimension=dimension,
            low=(Decimal(documented_low) if low is None else low) * factor,
            high=(Decimal(documented_high) if high is None else high) * factor,
            step=Decimal(step) * factor,
        )


@dataclass(frozen=True, slots=True)
class Form:
    """One feature: an impairment in one of its forms.

    Attributes:
        feature: As `feature_name` gives it.
        node: Of the impairment, relative to the flow.
        option: What *OPT? must list.
        settings: Beside STATe and the selector.
        selector: Field, header and word that choose this form; None where there is one form only.
    """

    feature: str
    node: str
    option: str
    settings: tuple[Setting, ...]
    selector: tuple[str, str, str] | None = None

    @property
    def kind(self) -> str:
        """The impairment's kind in the model."""
        return self.feature.partition(".")[0]


def _time(field: str, header: str, low: str, high: str) -> Setting:
    return Setting(field, header, SECONDS, ("time", low, high, "1E-7"))


def _share(field: str, header: str, step: str = "1E-9") -> Setting:
    return Setting(field, header, NUMBER, ("probability", "0", "1", step))


def _count(field: str, header: str, high: str) -> Setting:
    return Setting(field, header, COUNT, ("count", "1", high, "1"))


def _size(field: str, header: str, low: str, high: str) -> Setting:
    return Setting(field, header, COUNT, ("size", low, high, "1"))


_MEAN = _time("mean", "DEL:MEAN", "0", "10")
_SPREAD = _time("spread", "DEL:SPR", "0", "10")
_ORDER = Setting("keep_order", "DEL:ORD", SWITCH, choices=(True, False))
_TABLE = Setting("table", "DEL:TABL", NUMBERS, ("count", "-1000", "1000", "1E-6"))
_LIMIT = Setting("rate", "RATE:LIM", COUNT, ("rate", "1000", "100000000000", "1"))
_BUCKET = _size("burst", "RATE:BURS", "0", "16000000")
_QUEUE = _size("queue", "RATE:QUE", "0", "1000000000")
_LAYER = Setting("layer", "RATE:LAY", words({"l1": "L1", "l2": "L2"}), choices=("l1", "l2"))


def _delay(distribution: str, word: str, *settings: Setting) -> Form:
    return Form(f"delay.{distribution}", "DEL", "DELAY", (_MEAN, *settings, _ORDER), ("distribution", "DEL:DIST", word))


def _loss(model: str, word: str, *settings: Setting) -> Form:
    return Form(f"loss.{model}", "LOSS", "LOSS", settings, ("model", "LOSS:MOD", word))


def _rate(mode: str, word: str, *settings: Setting) -> Form:
    return Form(f"rate.{mode}", "RATE", "RATE", (_LIMIT, *settings, _LAYER), ("mode", "RATE:MODE", word))


def _link(state: str, word: str, *settings: Setting) -> Form:
    return Form(f"link.{state}", "LINK", "LINK", settings, ("state", "LINK:MODE", word))


FORMS: Mapping[str, Form] = {
    form.feature: form
    for form in (
        _delay("constant", "CONS"),
        _delay("uniform", "UNIF", _SPREAD),
        _delay("normal", "NORM", _SPREAD),
        _delay("pareto", "PAR", _SPREAD),
        _delay("gamma", "GAMM", _SPREAD),
        _delay("exponential", "EXP", _SPREAD),
        _delay("table", "TABL", _SPREAD, _TABLE),
        _loss("random", "RAND", _share("rate", "LOSS:RAND:RATE")),
        _loss(
            "periodic", "PER",
            _count("every", "LOSS:PER:EVER", "1000000000"), _count("burst", "LOSS:PER:BURS", "1000000"),
        ),
        _loss(
            "burst", "BURS",
            _share("rate", "LOSS:BURS:RATE"),
            Setting("burst", "LOSS:BURS:LENG", NUMBER, ("count", "1", "100000", "0.001")),
        ),
        _loss(
            "gilbert-elliott", "GELL",
            _share("to_bad", "LOSS:GELL:TOB"), _share("to_good", "LOSS:GELL:TOG"),
            _share("bad_loss", "LOSS:GELL:LBAD"), _share("good_loss", "LOSS:GELL:LGO"),
        ),
        _loss("bit-error", "BER", _share("ber", "LOSS:BER:RATE", "1E-15")),
        _loss("outage", "OUT"),
        Form(
            "reorder", "REOR", "REORDER",
            (_share("rate", "REOR:RATE"), _count("depth", "REOR:DEPT", "1000"), _time("hold", "REOR:HOLD", "0", "10")),
        ),
        Form("duplicate", "DUPL", "DUPLICATE", (_share("rate", "DUPL:RATE"), _count("copies", "DUPL:COP", "100"))),
        Form("corrupt", "CORR", "CORRUPT", (_share("rate", "CORR:RATE"), _count("bits", "CORR:BITS", "64"))),
        _rate("shaper", "SHAP", _BUCKET, _QUEUE),
        _rate("policer", "POL", _BUCKET),
        _rate("link", "LINK", _QUEUE),
        _link("up", "UP"),
        _link("down", "DOWN"),
        _link("flap", "FLAP", _time("down", "LINK:DOWN", "1E-6", "3600"), _time("period", "LINK:PER", "1E-6", "3600")),
        Form("ecn", "ECN", "ECN", (_share("rate", "ECN:RATE"),)),
        Form(
            "pfc", "PFC", "PFC",
            (
                Setting("priorities", "PFC:PRI", COUNTS, ("count", "0", "7", "1")),
                _time("duration", "PFC:DUR", "1E-6", "10"), _time("period", "PFC:PER", "1E-6", "10"),
            ),
        ),
        Form("mtu", "MTU", "MTU", (_size("size", "MTU:SIZE", "68", "65535"),)),
    )
}  # fmt: skip


def write_conditions(conditions: Conditions) -> str:
    """Return the string that CONDitions takes."""
    return ";".join(setting for impairment in conditions for setting in _settings(impairment))


def read_conditions(text: str) -> Conditions:
    """Read the string that CONDitions? answers.

    Raises:
        ValueError: An impairment without a known form, a value that cannot be read, or values that do not fit together.
    """
    values: dict[str, str] = {}
    for unit in split_units(text) if text else ():
        header, _, value = unit.partition(" ")
        values[header] = value
    impairments: dict[str, dict[str, Value]] = {}
    for node in dict.fromkeys(header.partition(":")[0] for header in values):
        form = _form_of(node, values)
        fields = {s.field: s.codec.decode(values[s.header]) for s in form.settings if s.header in values}
        selected: dict[str, Value] = {form.selector[0]: form.feature.partition(".")[2]} if form.selector else {}
        impairments[form.kind] = {**selected, **fields}
    try:
        return Conditions.model_validate(impairments)
    except ValidationError as error:
        raise ValueError(f"{text!r} is no set of conditions: {error}") from error


def _settings(impairment: Impairment) -> Iterator[str]:
    form = FORMS[feature_name(impairment)]
    yield f"{form.node}:STAT 1"
    if form.selector is not None:
        yield f"{form.selector[1]} {form.selector[2]}"
    for setting in form.settings:
        yield f"{setting.header} {setting.codec.encode(getattr(impairment, setting.field))}"


def _form_of(node: str, values: Mapping[str, str]) -> Form:
    if values.get(f"{node}:STAT") != "1":
        raise ValueError(f"{node} is given without its state")
    for form in FORMS.values():
        if form.node == node and (form.selector is None or values.get(form.selector[1]) == form.selector[2]):
            return form
    raise ValueError(f"{node} has no form that is known")
