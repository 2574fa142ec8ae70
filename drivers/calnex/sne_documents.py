"""The settings of one impairment of an SNE map: the document that the box answers, edited and read.

Nobody has published whole documents of all kinds, and published names disagree. So none is made up: the box's own
document is edited, under the names that it uses, and what is not edited goes back as it came.

Sources: "SNE 6.1 RESTful Remote Control API" and the QuickCall library di_sne of github.com/Spirent/iTest-assets; the
client and the logs of a box of build 11.0.0.18 in github.com/waripoornima/sne_rest_client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from impairlab.drivers.calnex.rest import number, truth
from impairlab.drivers.links.json_text import Json
from impairlab.drivers.model.schedule import AnySchedule, Schedule

Names: TypeAlias = tuple[str, ...]
"""The published names of one setting; the first is used where the box's document has none of them."""

MODE_KEYS: Mapping[str, str] = {
    "delay": "delayMode", "packetdrop": "packetDropMode", "bandwidththrottle": "bandwidthThrottleMode",
    "packetduplication": "packetDuplicationMode", "packetreorder": "packetReorderMode",
}  # fmt: skip
"""What tells the mode of each resource that has modes."""

_ENABLE = ("enableTimeConstraints", "enableTimeContraints")
_ENVELOPE = {"status", "code", "message", "updatePending"}
_MILLISECOND = Decimal(10**6)


class ForeignError(ValueError):
    """Somebody has programmed what the vocabulary has no words for."""


@dataclass(frozen=True, slots=True)
class Document:
    """The settings of one impairment.

    Attributes:
        resource: Last part of its path, e.g. "packetdrop".
        content: As it came, without the envelope.
        is_pending: Whether the box says that an update is pending.
    """

    resource: str
    content: Mapping[str, Json]
    is_pending: bool = False

    @classmethod
    def read(cls, resource: str, answer: Mapping[str, Json]) -> Document:
        """Take a document out of the answer that holds it. Raises ValueError."""
        is_pending = truth(answer.get("updatePending", False))
        content = {key: value for key, value in answer.items() if key not in _ENVELOPE}
        inner = [value for value in content.values() if isinstance(value, Mapping)]
        if "enabled" not in content and len(inner) == 1:  # later builds put it one level down, under a name of its own
            content = dict(inner[0])
        if "enabled" not in content:
            raise ValueError(f"{resource} without 'enabled'")
        return cls(resource, content, is_pending)

    @property
    def is_enabled(self) -> bool:
        """Whether it acts. Raises ValueError."""
        return truth(self.content["enabled"])

    @property
    def mode(self) -> str:
        """The word for the mode. Raises KeyError."""
        return str(self.content[MODE_KEYS[self.resource]])

    def has_mode(self, mode: str) -> bool:
        """Whether the box's document knows a mode."""
        return mode in self._modes()

    def knows(self, mode: str, *names: str) -> bool:
        """Whether the box's document has a setting, of that mode or of all."""
        return any(name in where for where in (self._settings(mode), self.content) for name in names)

    def value(self, *names: str) -> Json:
        """Return a setting of the present mode, or of all modes. Raises KeyError."""
        for where in (self._settings(self.mode) if self.resource in MODE_KEYS else {}, self.content):
            for name in names:
                if name in where:
                    return where[name]
        raise KeyError(names[0])

    def number(self, *names: str) -> Decimal:
        """Return a setting that is a number. Raises KeyError, ValueError."""
        return number(self.value(*names))

    def milliseconds(self, *names: str) -> str:
        """Return a time as the vocabulary takes it. Raises KeyError, ValueError."""
        return f"{self.number(*names):f} ms"

    def schedule(self) -> AnySchedule | None:
        """Return when it acts; None: always. Raises KeyError, ValueError."""
        constraints = self.content.get("timeConstraints")
        if not isinstance(constraints, Mapping):
            return None
        if not truth(next((constraints[name] for name in _ENABLE if name in constraints), False)):
            return None
        start, on = (number(constraints[name]) for name in ("startDelay", "duration"))
        return Schedule.model_validate({"start": f"{start:f} ms", "on": f"{on:f} ms"})

    def enabled(self, values: Mapping[Names, Json], mode: str | None = None) -> Document:
        """Return the document with some settings changed, and enabled."""
        content: dict[str, Json] = {**self.content, "enabled": True}
        if mode is None:
            for names, value in values.items():
                content[next((name for name in names if name in content), names[0])] = value
            return Document(self.resource, content)
        settings = dict(self._settings(mode))
        for names, value in values.items():
            key = next((name for name in names if name in settings), None)
            outer = next((name for name in names if name in content), None)
            if key is None and outer is not None:
                content[outer] = value
            else:
                settings[key or names[0]] = value
        content[MODE_KEYS[self.resource]] = mode
        content[self._settings_key()] = {**self._modes(), mode: settings}
        return Document(self.resource, content)

    def timed(self, schedule: AnySchedule | None) -> Document:
        """Return the document with its time constraints set, or put out of use."""
        present = self.content.get("timeConstraints")
        constraints = dict(present) if isinstance(present, Mapping) else {}
        switch = next((name for name in _ENABLE if name in constraints), _ENABLE[0])
        if isinstance(schedule, Schedule):
            constraints |= {
                switch: True, "startDelay": in_milliseconds(schedule.start), "duration": in_milliseconds(schedule.on),
            }  # fmt: skip
        elif constraints:
            constraints[switch] = False
        else:
            return self
        return Document(self.resource, {**self.content, "timeConstraints": constraints})

    def _modes(self) -> Mapping[str, Json]:
        modes = self.content.get(self._settings_key())
        return modes if isinstance(modes, Mapping) else {}

    def _settings(self, mode: str) -> Mapping[str, Json]:
        settings = self._modes().get(mode)
        return settings if isinstance(settings, Mapping) else {}

    def _settings_key(self) -> str:
        """What holds the settings of each mode: "delayModeSettings", but "packetDropSettings"."""
        mode_key = MODE_KEYS[self.resource]
        default = f"{mode_key}Settings" if self.resource == "delay" else f"{mode_key.removesuffix('Mode')}Settings"
        return next((key for key in self.content if key.endswith("Settings")), default)


def in_milliseconds(nanoseconds: int) -> Decimal:
    """Return a time as the appliance takes it, exactly."""
    return nanoseconds / _MILLISECOND
