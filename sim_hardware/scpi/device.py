"""What an instrument is, apart from its language: identity, commands, and what the common commands act on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from impairlab.sim_hardware.scpi.commands import Declaration
from impairlab.sim_hardware.scpi.errors import ScpiError

if TYPE_CHECKING:
    from impairlab.sim_hardware.scpi.instrument import Instrument

LONGEST_IDENTITY = 72
"""IEEE 488.2 10.14: the whole *IDN? response has at most 72 characters."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The four fields of *IDN?; a field that is not known is `0` (IEEE 488.2 10.14).

    Raises:
        ValueError: When a field holds `,` or `;` or leaves printable ASCII, or all are longer than 72 characters.
    """

    manufacturer: str
    model: str
    serial: str = "0"
    firmware: str = "0"

    def __post_init__(self) -> None:
        fields = (self.manufacturer, self.model, self.serial, self.firmware)
        for each in fields:
            if not each or not each.isascii() or not each.isprintable() or set(each) & {",", ";"}:
                raise ValueError(f"not a field of *IDN?: {each!r}")
        if len(self.show()) > LONGEST_IDENTITY:
            raise ValueError(f"*IDN? would have {len(self.show())} characters, at most {LONGEST_IDENTITY} are allowed")

    def show(self) -> str:
        """Return the *IDN? response."""
        return f"{self.manufacturer},{self.model},{self.serial},{self.firmware}"


class Device:
    """Base of a simulated instrument: override what it has.

    Attributes:
        identity: What *IDN? answers.
        options: What *OPT? answers; none answers `0`.
        suffixes: The legal numbers of each numeric suffix that the headers name.
        save_slots: How many *SAV and *RCL memories there are; with none both are undefined headers.
    """

    identity: Identity = Identity("impairlab", "simulated instrument")
    options: tuple[str, ...] = ()
    suffixes: Mapping[str, range] = {}
    save_slots: int = 0

    def commands(self) -> Iterable[Declaration]:
        """Return what it understands, beside the common and the required SCPI commands."""
        return ()

    def power_on(self, instrument: "Instrument") -> None:  # noqa: ARG002 - subclasses keep it to start operations
        """Start up; called once at first and again after every power cycle. Resets, by default."""
        self.reset()

    def reset(self) -> None:
        """*RST: take every setting to its default. Pending operations are aborted already."""

    def self_test(self) -> int:
        """*TST?: return 0 when it passed."""
        return 0

    def trigger(self) -> None:
        """*TRG: act on a bus trigger. Raises -211 while none is waited for."""
        raise ScpiError(-211)

    def save(self, slot: int) -> None:
        """*SAV: keep the settings in `slot`, from 0."""
        raise ScpiError(-314, str(slot))

    def recall(self, slot: int) -> None:
        """*RCL: take the settings back from `slot`, from 0."""
        raise ScpiError(-314, str(slot))
