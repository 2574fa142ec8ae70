"""The settings of one flow: fields that can be set, shown and limited, and frozen values for them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar, cast

from impairlab.sim_hardware.scpi import Parameter, ScpiError
from impairlab.sim_hardware.scpi.commands import bind
from impairlab.sim_hardware.scpi.header import HeaderPattern, short_form
from impairlab.sim_hardware.scpi.lexer import Datum

T = TypeVar("T")


class AnyField(ABC):
    """One setting of a flow, whatever the type of its value.

    Attributes:
        header: Relative to the flow, as a manual prints it: `:DELay:MEAN`.
        option: The option it belongs to: a kind of impairment, or `filter`.
    """

    def __init__(self, header: str, option: str) -> None:
        self.header = header
        self.option = option
        self._pattern = HeaderPattern(header)
        self._short = short_form(header).removeprefix(":")

    def answers_to(self, header: str) -> bool:
        """Say whether `header`, relative to the flow, is this field's."""
        return self._pattern.match(header) is not None

    def show_setting(self, settings: "FlowSettings", within: str = "") -> str:
        """Return the setting in short form, relative to the node `within`: `DEL:MEAN 0.045`."""
        return f"{self._short.removeprefix(within)} {self.show(settings)}"

    @abstractmethod
    def stage(self, settings: "FlowSettings", data: Sequence[Datum], active: "FlowSettings") -> "FlowSettings":
        """Return `settings` with what `data` say; UP and DOWN count from `active`. Raises `ScpiError`."""

    @abstractmethod
    def show(self, settings: "FlowSettings") -> str:
        """Return the value in `settings` as response data."""

    @abstractmethod
    def show_limit(self, word: Datum) -> str:
        """Return what MIN, MAX or DEF stands for, as response data. Raises `ScpiError` where there is none."""

    @abstractmethod
    def matters(self, settings: "FlowSettings") -> bool:
        """Say whether it matters beside the other values in `settings`."""


class Field(AnyField, Generic[T]):
    """A setting with its type.

    Args:
        header: See `AnyField`.
        option: See `AnyField`.
        parameter: Its type.
        default: Its value after *RST.
        only_with: A word of another field beside which alone it matters.
    """

    def __init__(
        self,
        header: str,
        option: str,
        parameter: Parameter[T],
        default: T,
        only_with: "tuple[Field[str], str] | None" = None,
    ) -> None:
        super().__init__(header, option)
        self._parameter = parameter
        self._only_with = only_with
        self.default = default

    def stage(self, settings: "FlowSettings", data: Sequence[Datum], active: "FlowSettings") -> "FlowSettings":
        """Return `settings` with what `data` say."""
        if len(data) == 1:
            return settings.put(self, self._parameter.convert_from(data[0], lambda: active.get(self)))
        (value,) = bind((self._parameter,), data)
        return settings.put(self, cast("T", value))

    def show(self, settings: "FlowSettings") -> str:
        """Return the value in `settings`."""
        return self._parameter.show(settings.get(self))

    def show_limit(self, word: Datum) -> str:
        """Return what MIN, MAX or DEF stands for."""
        return self._parameter.show(self._parameter.limit(word))

    def matters(self, settings: "FlowSettings") -> bool:
        """Say whether it matters beside the other values."""
        return self._only_with is None or settings.get(self._only_with[0]) == self._only_with[1]


@dataclass(frozen=True)
class FlowSettings:
    """Values for the fields of one flow, by header; fields at their default are not kept."""

    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, field: Field[T]) -> T:
        """Return the value of `field`."""
        return cast("T", self.values.get(field.header, field.default))  # only `put` writes, with the field's own type

    def put(self, field: Field[T], value: T) -> "FlowSettings":
        """Return these settings with another value for `field`."""
        others = self.without([field])
        return others if value == field.default else FlowSettings({**others.values, field.header: value})

    def without(self, fields: Iterable[AnyField]) -> "FlowSettings":
        """Return these settings with `fields` at their defaults."""
        dropped = {each.header for each in fields}
        return FlowSettings({header: value for header, value in self.values.items() if header not in dropped})


DEFAULTS = FlowSettings()


def only_one(data: Sequence[Datum]) -> Datum | None:
    """Return the one element of a query's data, None for none. Raises -108 for more."""
    if len(data) > 1:
        raise ScpiError(-108, data[1].lexeme)
    return data[0] if data else None
