"""Refusals over HTTP whose form is ours."""

from dataclasses import dataclass

from impairlab.sim_hardware.house import HouseAnswer


@dataclass(frozen=True, slots=True)
class HouseRefusal(HouseAnswer):
    """A refusal whose form is ours.

    Attributes:
        status: The HTTP status.
    """

    status: int


class Refused(Exception):  # noqa: N818 - what the box says, not an error of the simulation
    """A request is refused.

    Attributes:
        refusal: By which house answer.
        message: What the client is told.
    """

    def __init__(self, refusal: HouseRefusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.message = message
