"""Which instruments a driver drives, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drives:
    """Instruments by what they say of themselves, in *IDN? or in a service record.

    Attributes:
        manufacturer: As the instrument writes it; capitals do not matter.
        models: Regular expression that the whole model matches; any by default.
    """

    manufacturer: str
    models: str = ".*"

    def fits(self, manufacturer: str, model: str) -> bool:
        """Say whether such an instrument is among them."""
        return self.manufacturer.casefold() == manufacturer.casefold() and bool(re.fullmatch(self.models, model))
