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
