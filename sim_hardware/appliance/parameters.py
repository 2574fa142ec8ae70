"""Parameter types of the reference dialect that SCPI's own do not cover: lists of numbers, addresses, `ANY`."""

from collections import deque
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

from impairlab.sim_hardware.scpi import Numeric, Parameter, Repeated, ScpiError, Text
from impairlab.sim_hardware.scpi.header import is_form_of
from impairlab.sim_hardware.scpi.lexer import Datum, Kind
from impairlab.sim_hardware.scpi.responses import show

T = TypeVar("T")
Network = IPv4Network | IPv6Network

ANY = "ANY"
_LONGEST_ADDRESS = 64


class Numbers(Parameter[tuple[Decimal, ...]]):
    """At least one number and at most `at_most`, each as `number` wants it; none at all is shown as NAN."""

    def __init__(self, number: Numeric, at_most: int) -> None:
        self._number = number
        self._several = Repeated(number, at_most)

    def convert(self, datum: Datum) -> tuple[Decimal, ...]:
        """Return a list of one."""
        return (self._number.convert(datum),)

    def take(self, data: deque[Datum]) -> tuple[Decimal, ...]:
        """Return as many as there are, up to the limit."""
        return self._several.take(data)

    def show(self, value: tuple[Decimal, ...]) -> str:
        """Return the numbers joined by commas."""
        return show(value or (Decimal("NaN"),))


class Address(Parameter[Network]):
    """An IPv4 or IPv6 address with or without prefix length, in quotes; bits beyond the prefix are 0."""

    _text = Text(_LONGEST_ADDRESS)

    def convert(self, datum: Datum) -> Network:
        """Return the network. Raises -104 for other data, -224 for text that is no network."""
        text = self._text.convert(datum)
        try:
            return ip_network(text)
        except ValueError as error:
            raise ScpiError(-224, text) from error

    def show(self, value: Network) -> str:
        """Return it in quotes, with its prefix length."""
        return show(str(value))


class OrAny(Parameter[T | None]):
    """What `parameter` takes, or the word ANY, which is delivered as None."""

    def __init__(self, parameter: Parameter[T]) -> None:
        self._parameter = parameter

    def convert(self, datum: Datum) -> T | None:
        """Return the value, or None for ANY."""
        if datum.kind is Kind.CHARACTER and is_form_of(datum.lexeme, ANY):
            return None
        return self._parameter.convert(datum)

    def limit(self, word: Datum) -> T | None:
        """Return the limit of the parameter within."""
        return self._parameter.limit(word)

    def show(self, value: T | None) -> str:
        """Return the value, or ANY."""
        return ANY if value is None else self._parameter.show(value)
