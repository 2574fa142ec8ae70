"""House answers: what a simulation does where no public text says what the vendor's box does.

Each stands in the table of its dialect with the reason for it, so that a test against the simulation is never taken for
knowledge of the hardware.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HouseAnswer:
    """One choice of ours.

    Attributes:
        question: What is not public.
        answer: What the simulation does.
        reason: Why that, and not something else.
    """

    question: str
    answer: str
    reason: str


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
