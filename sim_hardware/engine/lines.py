"""Lines: whether the link itself is up."""

from collections.abc import Callable
from random import Random

from impairlab.drivers.model import AnyLink, LinkState, RandomFlap

LineLaw = Callable[[int], int | None]
"""Given the nanoseconds since it was set, tell for how long the line will stay down: 0 is up, None without an end."""


def line_law(link: AnyLink, random: Random) -> LineLaw:
    """Return the law of a link state. Times must not go backwards."""
    match link:
        case RandomFlap():
            return _RandomFlap(link, random)
        case LinkState(state="flap"):
            return lambda elapsed_ns: _flap(link, elapsed_ns)
        case LinkState(state="down"):
            return lambda _: None
    return lambda _: 0


def _flap(link: LinkState, elapsed_ns: int) -> int:
    number, phase = divmod(elapsed_ns, link.period)
    ended = link.repetitions and number >= link.repetitions
    return 0 if ended else max(0, link.down - phase)


class _RandomFlap:
    """Draws the next time up and the next time down whenever one is over."""

    def __init__(self, link: RandomFlap, random: Random) -> None:
        self._link = link
        self._random = random
        self._down_from = self._up_from = 0

    def __call__(self, elapsed_ns: int) -> int:
        while elapsed_ns >= self._up_from:
            self._down_from = self._up_from + self._random.randint(self._link.up, self._link.up_most)
            self._up_from = self._down_from + self._random.randint(self._link.down, self._link.down_most)
        return self._up_from - elapsed_ns if elapsed_ns >= self._down_from else 0
