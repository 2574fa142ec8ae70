"""Bench: the appliance under test as `DriverContract` sees it, behind the driver's back."""

from __future__ import annotations

from typing import Protocol

from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.flows import Target


class NotOffered(Exception):  # noqa: N818 - the field's own word
    """This bench cannot do that, for the reason that it gives; the test that asks is skipped with it."""


class Bench(Protocol):
    """An appliance that was just switched on, and the ways to make its life hard.

    Every method but `conditions` may raise NotOffered.

    Attributes:
        address: What the driver takes.
        secret: What authenticates, or None.
    """

    address: str
    secret: str | None

    def conditions(self, target: Target) -> Conditions:
        """Return what is active, asked in another way than the driver asks."""

    def answer_late(self, after_ns: int) -> None:
        """Have the next answer come so late."""

    def restart(self) -> None:
        """Switch the appliance off and on again, at once; what was programmed is gone."""

    def reserve(self, holder: str) -> None:
        """Have another session reserve the appliance, or take the reservation away from ours."""

    def free(self) -> None:
        """Have the other session give the appliance back."""
