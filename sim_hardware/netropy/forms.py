"""What follows `set`: the forms of each condition, what they mean for packets, and how `show` tells them.

Source of the forms: com.apposite.api in Neotys-Partner-Solutions/Netropy @c25bca2, its sample and its comments. Limits,
and the words of `show` but for Gilbert-Elliott, are house answers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from impairlab.drivers.model import (
    AccumulateBurst,
    BitErrorLoss,
    Delay,
    Duplicate,
    GilbertElliottLoss,
    Impairment,
    LinkState,
    PeriodicLoss,
    RandomBurstLoss,
    RandomFlap,
    RandomLoss,
)
from impairlab.drivers.model.units import format_time
from impairlab.sim_hardware.netropy import house

_MS, _SECOND = 1_000_000, 1_000_000_000
_PERCENT_STEP = Decimal("1e-7")

Values = Sequence[Decimal]


class BadArgument(ValueError):  # noqa: N818 - what the shell says
    """An argument that cannot be taken, and what would be legal."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number within limits; of an interval, `5-10` or `5`, both ends."""

    low: Decimal
    high: Decimal
    step: Decimal
    is_interval: bool = False

    def read(self, text: str) -> list[Decimal]:
        """Return it, or both its ends. Raises `BadArgument`."""
        parts = text.split("-") if self.is_interval else [text]
        values = [self._one(part, text) for part in parts]
        if len(values) > 2 or values[0] > values[-1]:
            raise BadArgument(f"{text!r} is no interval like 5-10")
        return [values[0], values[-1]] if self.is_interval else values

    def _one(self, part: str, text: str) -> Decimal:
        try:
            value = Decimal(part)
        except InvalidOperation as error:
            raise BadArgument(f"{text!r} is not a number{self}") from error
        if not value.is_finite() or not self.low <= value <= self.high or value % self.step:
            raise BadArgument(f"{text} is not within limits{self}")
        return value

    def __str__(self) -> str:
        return f" ({self.low:f} - {self.high:f})" if self.low >= self.step else f" ({self.low} - {self.high:f})"


_TIME = Number(Decimal(0), Decimal(house.MOST_MS), Decimal(1) / _MS)
_SHARE = Number(Decimal(0), Decimal(100), _PERCENT_STEP)
_COUNT = Number(Decimal(1), Decimal(house.MOST_PACKETS), Decimal(1))
_BER = Number(house.LEAST_BER, house.MOST_BER, Decimal("1e-25"))
_SECONDS = Number(Decimal("0.001"), Decimal(house.MOST_SECONDS), Decimal("0.001"), is_interval=True)


@dataclass(frozen=True, slots=True)
class Form:
    """One way to set a condition.

    Attributes:
        words: Literal words and numbers, in order.
        meaning: What it does to packets, of the numbers and of whether reordering is enabled.
        shown: How `show` tells it, of the numbers.
        may_reorder: Whether `reordering enabled|disabled` may follow.
    """

    words: tuple[str | Number, ...]
    meaning: Callable[[Values, bool], Impairment | None]
    shown: Callable[[Values], str]
    may_reorder: bool = False

    @property
    def help(self) -> str:
        """As `?` lists it."""
        told = [word if isinstance(word, str) else f"<number>{word}" for word in self.words]
        return " ".join([*told, *(["[reordering enabled|disabled]"] if self.may_reorder else [])])

    def read(self, arguments: Sequence[str]) -> tuple[list[Decimal], bool] | None:
        """Return the numbers and whether packets may overtake; None when the words are another form's.

        Raises:
            BadArgument: The form it is, with an argument that is not legal.
        """
        own, rest = arguments[: len(self.words)], arguments[len(self.words) :]
        literal = [(word, given) for word, given in zip(self.words, own, strict=False) if isinstance(word, str)]
        if not literal or literal[0][0] != literal[0][1]:
            return None
        if len(own) < len(self.words) or any(word != given for word, given in literal):
            raise BadArgument(f"write it like: {self.help}")
        numbers = [
            value
            for word, given in zip(self.words, own, strict=True)
            if not isinstance(word, str)
            for value in word.read(given)
        ]
        return numbers, self._reordering(rest)

    def _reordering(self, rest: Sequence[str]) -> bool:
        if not rest:
            return False
        if not self.may_reorder or len(rest) != 2 or rest[0] != "reordering" or rest[1] not in {"enabled", "disabled"}:
            raise BadArgument(f"{' '.join(rest)!r} is too much; write it like: {self.help}")
        return rest[1] == "enabled"


@dataclass(frozen=True, slots=True)
class Setting:
    """What one condition is set to.

    Attributes:
        impairment: What it does to packets; None: nothing.
        shown: Its words in `show`.
    """

    impairment: Impairment | None = None
    shown: str = "None"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a path in one direction.

    Attributes:
        word: Behind `set`.
        key: In `show`.
        forms: Beside `none`.
    """

    word: str
    key: str
    forms: tuple[Form, ...] = field(repr=False)

    def read(self, arguments: Sequence[str]) -> Setting:
        """Return what arguments set. Raises `BadArgument`."""
        if list(arguments) == ["none"]:
            return Setting()
        if arguments[:1] == ["recorded"]:
            raise BadArgument("nothing was recorded")
        for form in self.forms:
            found = form.read(arguments)
            if found is not None:
                return _setting(form, *found)
        raise BadArgument(f"{' '.join(arguments)!r}: {self.word} is none, {', '.join(self.names())}")

    def names(self) -> Iterator[str]:
        """Yield the first words of the forms."""
        return (str(form.words[0]) for form in self.forms)

    def help(self) -> list[str]:
        """Return the lines that `?` lists."""
        return ["none", *(form.help for form in self.forms)]


def _setting(form: Form, numbers: Values, reorders: bool) -> Setting:  # noqa: FBT001 - one of the values that were read
    try:
        impairment = form.meaning(numbers, reorders)
    except ValueError as error:  # of the model: numbers that contradict each other
        raise BadArgument(f"these do not go together; write it like: {form.help}") from error
    return Setting(impairment, form.shown(numbers) + (", reordering enabled" if reorders else ""))


def _ns(milliseconds: Decimal) -> str:
    return format_time(int(milliseconds * _MS))


def _delay(law: str, mean: Decimal, spread: Decimal, reorders: bool) -> Delay:  # noqa: FBT001 - see `_setting`
    if not spread:
        return Delay(mean=_ns(mean))
    return Delay.model_validate(
        {"mean": _ns(mean), "spread": _ns(spread), "distribution": law, "keep_order": not reorders}
    )


def _within(law: str) -> Callable[[Values, bool], Impairment]:
    def meaning(values: Values, reorders: bool) -> Impairment:  # noqa: FBT001 - see `_setting`
        low, high = values
        if low > high:
            raise ValueError(values)
        return _delay(law, (low + high) / 2, (high - low) / 2, reorders)

    return meaning


def _accumulate(values: Values, _: bool) -> Impairment:  # noqa: FBT001 - see `_setting`
    packets, extra, timeout = values
    return AccumulateBurst(hold=_ns(timeout), packets=int(packets), mean=_ns(extra))


def _share(percent: Decimal) -> Decimal:
    return percent / 100


def _random(values: Values, _: bool) -> Impairment | None:  # noqa: FBT001 - see `_setting`
    return RandomLoss(rate=_share(values[0])) if values[0] else None


def _chain(values: Values, _: bool) -> Impairment:  # noqa: FBT001 - see `_setting`
    good_loss, to_bad, bad_loss, to_good = map(_share, values)
    return GilbertElliottLoss(to_bad=to_bad, to_good=to_good, bad_loss=bad_loss, good_loss=good_loss)


def _chain_shown(values: Values) -> str:
    good, bad = (
        f"  {name} state: Loss probability: {loss:f}%, Change probability: {change:f}%"
        for name, loss, change in (("Good", *values[:2]), ("Bad", *values[2:]))
    )
    return f"Gilbert-Elliott:\n{good}\n{bad}"


def _outage(values: Values, _: bool) -> Impairment:  # noqa: FBT001 - see `_setting`
    up, up_most, down, down_most = (int(value * _SECOND) for value in values)
    if (up, down) == (up_most, down_most):
        return LinkState(state="flap", down=format_time(down), period=format_time(up + down))
    return RandomFlap(
        up=format_time(up), up_most=format_time(up_most), down=format_time(down), down_most=format_time(down_most)
    )


def _interval(low: Decimal, high: Decimal) -> str:
    return f"{low:f}-{high:f}" if low != high else f"{low:f}"


DELAY = Condition(
    "delay",
    "Delay",
    (
        Form(
            ("constant", _TIME), lambda v, _: Delay(mean=_ns(v[0])) if v[0] else None, lambda v: f"Constant {v[0]:f}ms"
        ),
        Form(
            ("uniform", _TIME, _TIME), _within("uniform"), lambda v: f"Uniform {v[0]:f}ms {v[1]:f}ms", may_reorder=True
        ),
        Form(
            ("normal", _TIME, _TIME),
            lambda v, reorders: _delay("normal", v[0], v[1], reorders),
            lambda v: f"Normal {v[0]:f}ms {v[1]:f}ms",
            may_reorder=True,
        ),
        Form(
            ("exponential", _TIME, _TIME),
            _within("exponential"),
            lambda v: f"Exponential {v[0]:f}ms {v[1]:f}ms",
            may_reorder=True,
        ),
        Form(
            ("accumulate-and-burst", _COUNT, "extra-delay", _TIME, "timeout", _TIME),
            _accumulate,
            lambda v: f"Accumulate and Burst {v[0]:f}, extra delay {v[1]:f}ms, timeout {v[2]:f}ms",
        ),
    ),
)
LOSS = Condition(
    "loss",
    "Loss",
    (
        Form(("random", _SHARE), _random, lambda v: f"Random {v[0]:f}%"),
        Form(
            ("burst", _SHARE, "min", _COUNT, "max", _COUNT),
            lambda v, _: RandomBurstLoss(rate=_share(v[0]), shortest=int(v[1]), longest=int(v[2])),
            lambda v: f"Burst {v[0]:f}%, min {v[1]:f}, max {v[2]:f}",
        ),
        Form(
            ("periodic", _COUNT, "burst", _COUNT),
            lambda v, _: PeriodicLoss(every=int(v[0]), burst=int(v[1])),
            lambda v: f"Periodic {v[0]:f}, burst {v[1]:f}",
        ),
        Form(("ber", _BER), lambda v, _: BitErrorLoss(ber=v[0]), lambda v: f"BER {v[0]}"),
        Form(
            (
                "gilbert-elliott",
                "good-state",
                "loss",
                _SHARE,
                "change",
                _SHARE,
                "bad-state",
                "loss",
                _SHARE,
                "change",
                _SHARE,
            ),
            _chain,
            _chain_shown,
        ),
    ),
)
OUTAGE = Condition(
    "network-outage",
    "Network outage",
    (
        Form(
            ("periodic", "interval", _SECONDS, "duration", _SECONDS),
            _outage,
            lambda v: f"Periodic, interval {_interval(v[0], v[1])}s, duration {_interval(v[2], v[3])}s",
        ),
    ),
)
DUPLICATION = Condition(
    "duplication",
    "Duplication",
    (
        Form(
            ("random", _SHARE),
            lambda v, _: Duplicate(rate=_share(v[0])) if v[0] else None,
            lambda v: f"Random {v[0]:f}%",
        ),
    ),
)
CONDITIONS: Mapping[str, Condition] = {each.word: each for each in (DELAY, LOSS, OUTAGE, DUPLICATION)}
