"""Jitter profiles: delays to add, made by the box or read from a file. Forms and ranges are ours, see `house`."""

from collections.abc import Callable, Mapping
from random import Random

from impairlab.sim_hardware.attero.values import BadArgument, choice, integer, only, required, words
from impairlab.sim_hardware.rest.bodies import Read

Samples = tuple[int, ...]

DISTRIBUTIONS = ("UNIFORM", "GAUSSIAN", "GAMMA", "STEP")
LEAST_SAMPLES, MOST_SAMPLES = 2, 1024
MOST_NS = 1_000_000_000
MOST_ALPHA = 5
_MOST_FILES = 32


def parameters() -> dict[str, Read]:
    """Return what GET of the parameters answers: the ranges of `generate`."""
    return {
        "Samples": {"Min": LEAST_SAMPLES, "Max": MOST_SAMPLES},
        "Distribution": list(DISTRIBUTIONS),
        "Maximum": {"Min": 1, "Max": MOST_NS},
        "StandardDeviation": {"Min": 0, "Max": MOST_NS},
        "Alpha": {"Min": 1, "Max": MOST_ALPHA},
    }


def generate(body: Mapping[str, Read]) -> Samples:
    """Make a profile; the same for the same body. Raises `BadArgument`."""
    only(body, "Samples", "Distribution", "Maximum", "StandardDeviation", "Alpha")
    count = integer(required(body, "Samples"), "Samples", LEAST_SAMPLES, MOST_SAMPLES)
    law = choice(required(body, "Distribution"), "Distribution", DISTRIBUTIONS)
    most = integer(required(body, "Maximum"), "Maximum", 1, MOST_NS, "nanoseconds")
    deviation = integer(body.get("StandardDeviation", most // 6), "StandardDeviation", 0, MOST_NS, "nanoseconds")
    alpha = integer(body.get("Alpha", 1), "Alpha", 1, MOST_ALPHA)
    random = Random(f"{count} {law} {most} {deviation} {alpha}")
    draws: dict[str, Callable[[], float]] = {
        "UNIFORM": lambda: random.uniform(0, most),
        "GAUSSIAN": lambda: random.gauss(most / 2, deviation),
        "GAMMA": lambda: random.gammavariate(alpha, most / (2 * alpha)),
        "STEP": lambda: random.choice((0, most)),
    }
    return tuple(min(max(round(draws[law]()), 0), most) for _ in range(count))


def read_samples(body: Mapping[str, Read]) -> Samples:
    """Read a profile. Raises `BadArgument`."""
    samples = required(only(body, "Samples"), "Samples")
    if not isinstance(samples, list) or not LEAST_SAMPLES <= len(samples) <= MOST_SAMPLES:
        raise BadArgument(f"{LEAST_SAMPLES} - {MOST_SAMPLES} samples are required.\nParameter name: Samples")
    return tuple(integer(each, "Samples", 0, MOST_NS, "nanoseconds") for each in samples)


class JitterFiles:
    """The profiles that were uploaded, by the names of their files."""

    def __init__(self) -> None:
        self._files: dict[str, Samples] = {}

    @property
    def names(self) -> list[str]:
        """Of all files."""
        return list(self._files)

    def upload(self, name: Read, content: Read) -> None:
        """Keep a file. Raises `BadArgument`."""
        filename = words(name, "Filename")
        lines = content.split() if isinstance(content, str) else []
        if any(not (line.isascii() and line.isdigit() and len(line) < 12) for line in lines):
            raise BadArgument("A jitter profile has one whole number of nanoseconds a line.\nParameter name: Data")
        samples = read_samples({"Samples": [int(line) for line in lines]})
        if filename not in self._files and len(self._files) >= _MOST_FILES:
            raise BadArgument(f"There are {_MOST_FILES} files.\nParameter name: Filename")
        self._files[filename] = samples

    def extract(self, name: Read) -> Samples:
        """Return the profile of a file. Raises `BadArgument`."""
        if not isinstance(name, str) or name not in self._files:
            raise BadArgument("There is no such file.\nParameter name: Filename")
        return self._files[name]

    def remove(self, name: Read) -> None:
        """Forget a file. Raises `BadArgument`."""
        self.extract(name)
        del self._files[str(name)]
