"""From a scenario file to a Scenario, with every fault of the file at once.

Example::

    scenario: brown-out
    needs: {wan: [delay.normal, loss.burst]}
    traffic:
      chat: {kind: inference, url: "${SERVICE}", rate: 4 req/s, prompt: 512 tok, output: 200 tok}
    phases:
      - baseline: {for: 20 s}
      - impaired:
          for: 25 s
          wan: {b-a: {delay: {mean: 40 ms, jitter: 8 ms}, loss: {rate: 1 %, burst: 4}}}
          every 5 s: {wan: {both: {loss: outage}}, for: 100 ms}
    verdicts:
      - {metric: ttft, quantile: p99, at_most: 800 ms, in: impaired}
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from impairlab.controller.plan.located import Reading
from impairlab.controller.plan.names import LEGAL_NAME, is_name
from impairlab.controller.plan.scenario import ANCHORS, Anchor, Phase, Scenario, Setting, Window
from impairlab.controller.plan.traffic import TrafficSpec
from impairlab.controller.plan.verdicts import VerdictSpec
from impairlab.controller.plan.yaml import KeyPath, Located, Plain, parse_yaml, read_yaml
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import AnyDelay
from impairlab.drivers.model.flows import DIRECTIONS, Direction
from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.impairments import AnyLink, Corrupt, Duplicate, RateLimit, Reorder
from impairlab.drivers.model.losses import AnyLoss
from impairlab.drivers.model.patterns import Shaped
from impairlab.drivers.model.units import UnitError, format_time, parse_time

_TOP = ("scenario", "title", "needs", "traffic", "phases", "verdicts")
_NOT_YET = ("ramp", "trace", "repeat")
_WHEN = re.compile(r"(?:at (?P<at>\S.*?))?\s*(?:every (?P<every>\S.*))?")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_DIRECTION_KEYS: Mapping[str, tuple[Direction, ...]] = {"a-b": ("a-b",), "b-a": ("b-a",), "both": DIRECTIONS}


def read_scenario(path: Path, environment: Mapping[str, str] | None = None) -> Scenario:
    """Read a scenario file; `${NAME}` in a url is taken from the environment (this process's unless one is given).

    Raises:
        FileError: with every fault and its place.
    """
    return _ScenarioReader(read_yaml(path), os.environ if environment is None else environment).scenario()


def parse_scenario(text: str, name: str = "scenario.yaml", environment: Mapping[str, str] | None = None) -> Scenario:
    """Read a scenario from text; see `read_scenario`."""
    return _ScenarioReader(parse_yaml(text, name), os.environ if environment is None else environment).scenario()


def feature_words() -> tuple[str, ...]:
    """Every word that `needs` may use: each kind of impairment, and each of its forms."""
    patterns = _forms(get_args(Shaped), "model")
    forms: dict[str, tuple[str, ...]] = {
        "delay": _forms(get_args(AnyDelay), "distribution"),
        "loss": _forms(get_args(AnyLoss), "model"),
        "rate": _forms((RateLimit,), "mode"),
        "link": _forms(get_args(AnyLink), "state"),
        **{picked.model_fields["kind"].default: patterns for picked in (Reorder, Duplicate, Corrupt)},
    }
    return tuple(
        word for kind in Conditions.model_fields for word in (kind, *(f"{kind}.{f}" for f in forms.get(kind, ())))
    )


def _forms(branches: Iterable[type[Frozen]], selector: str) -> tuple[str, ...]:
    """Return every word that chooses one of these values, in their order."""
    return tuple(form for branch in branches for form in get_args(branch.model_fields[selector].annotation))


class _ScenarioReader:
    """One scenario file on its way to a Scenario."""

    def __init__(self, source: Located, environment: Mapping[str, str]) -> None:
        self.source = source
        self.environment = environment
        self.reading = Reading(source)

    def scenario(self) -> Scenario:
        top = self.reading.mapping((), "a mapping of " + ", ".join(_TOP))
        for key in top:
            if key not in _TOP:
                self.reading.unknown((key,), "key", _TOP)
        name = self._name(top)
        needs = self._needs(top)
        traffic = self._traffic(top)
        phases = self._phases(top, needs)
        verdicts = self._verdicts(top, phases, traffic)
        self.reading.finish()
        title = top.get("title")
        return Scenario(name, title if isinstance(title, str) else name, needs, traffic, phases, verdicts, self.source)

    def _name(self, top: Mapping[str, Plain]) -> str:
        name = top.get("scenario")
        if isinstance(name, str) and is_name(name):
            return name
        problem = "missing" if name is None else f"{name!r} is not a name"
        self.reading.fault(("scenario",), problem, LEGAL_NAME)
        return ""

    def _needs(self, top: Mapping[str, Plain]) -> dict[str, tuple[str, ...]]:
        if "needs" not in top:
            return {}
        needs: dict[str, tuple[str, ...]] = {}
        for role, words in self.reading.mapping(("needs",), "role: [features], like wan: [delay.normal]").items():
            needs[role] = ()
            if not isinstance(words, list):
                self.reading.fault(("needs", role), "not a list", "a list of features, like [delay.normal, loss.burst]")
                continue
            for index, word in enumerate(words):
                if word not in feature_words():
                    self.reading.unknown_value(("needs", role, index), "feature", str(word), feature_words())
            needs[role] = tuple(str(word) for word in words)
        return needs

    def _traffic(self, top: Mapping[str, Plain]) -> dict[str, TrafficSpec]:
        specs: dict[str, TrafficSpec] = {}
        if "traffic" not in top:
            return specs
        for name, body in self.reading.mapping(("traffic",), "name: {kind: inference, url: ..., rate: ...}").items():
            path: KeyPath = ("traffic", name)
            if not is_name(name):
                self.reading.fault(path, f"{name!r} is not a name", LEGAL_NAME, at_key=True)
            if isinstance(body, dict) and isinstance(body.get("url"), str):
                body["url"] = self._substituted((*path, "url"), str(body["url"]))
            spec = self.reading.value(path, TrafficSpec)
            if spec is not None:
                specs[name] = spec
        return specs

    def _substituted(self, path: KeyPath, text: str) -> str:
        for name in _VARIABLE.findall(text):
            if name not in self.environment:
                self.reading.fault(path, f"the environment variable {name} is not set", f"set it: export {name}=...")
        # An unset variable is one fault, not two: the stand-in is a legal address.
        return _VARIABLE.sub(lambda found: self.environment.get(found.group(1), "http://unset"), text)

    def _phases(self, top: Mapping[str, Plain], needs: Mapping[str, tuple[str, ...]]) -> tuple[Phase, ...]:
        listed = top.get("phases")
        if not isinstance(listed, list) or not listed:
            problem = "missing" if listed is None else "not a list of phases"
            self.reading.fault(("phases",), problem, "a list, like [baseline: {for: 20 s}]")
            return ()
        phases: dict[str, Phase] = {}
        for index, item in enumerate(listed):
            path: KeyPath = ("phases", index)
            if not isinstance(item, dict) or len(item) != 1:
                self.reading.fault(path, "not one phase", "one name with a mapping, like baseline: {for: 20 s}")
                continue
            name = next(iter(item))
            if name in phases:
                self.reading.fault((*path, name), f"a second phase {name!r}", "names that differ", at_key=True)
            phases[name] = _PhaseReader(self.reading, needs).phase((*path, name))
        ordered = [ANCHORS.index(phase.anchor) for phase in phases.values()]
        for phase, here, before in zip(list(phases.values())[1:], ordered[1:], ordered, strict=False):
            if here < before:
                self.reading.fault((*phase.where, "anchor"), f"{phase.anchor!r} after {ANCHORS[before]!r}",
                                   "phases in the order of their anchors: " + ", ".join(ANCHORS))  # fmt: skip
        return tuple(phases.values())

    def _verdicts(
        self, top: Mapping[str, Plain], phases: tuple[Phase, ...], traffic: Mapping[str, TrafficSpec]
    ) -> tuple[VerdictSpec, ...]:
        listed = top.get("verdicts", [])
        if not isinstance(listed, list):
            self.reading.fault(("verdicts",), "not a list", "a list of claims")
            return ()
        names = [phase.name for phase in phases]
        verdicts = []
        for index in range(len(listed)):
            path: KeyPath = ("verdicts", index)
            spec = self.reading.value(path, VerdictSpec)
            if spec is None:
                continue
            for key, phase in (("in", spec.phase), ("worse_than", spec.worse_than)):
                if phase is not None and phase not in names:
                    self.reading.unknown_value((*path, key), "phase", phase, names)
            if spec.traffic is not None and spec.traffic not in traffic:
                self.reading.unknown_value((*path, "of"), "traffic", spec.traffic, traffic)
            elif spec.traffic is None and len(traffic) != 1 and "traffic" in top and traffic:
                self.reading.fault((*path, "of"), "it does not say of which traffic", ", ".join(sorted(traffic)))
            elif not traffic and "traffic" not in top:
                self.reading.fault(path, "a verdict without traffic to judge", "a traffic section, or no verdicts")
            verdicts.append(spec)
        return tuple(verdicts)


class _PhaseReader:
    """One phase on its way."""

    def __init__(self, reading: Reading, needs: Mapping[str, tuple[str, ...]]) -> None:
        self.reading = reading
        self.needs = needs

    def phase(self, path: KeyPath) -> Phase:
        body = self.reading.mapping(path, "{for: 20 s, ...}")
        duration = self._time((*path, "for"), body.get("for"))
        settings: list[Setting] = []
        windows: list[Window] = []
        for key in body:
            inner: KeyPath = (*path, key)
            if key in {"for", "anchor"}:
                continue
            if key.partition(" ")[0] in {"at", "every"}:
                windows.extend(self._windows(inner, key, duration))
            else:
                settings.extend(self._role(inner, ("for", "anchor", "at ...", "every ...")))
        anchor = self._anchor((*path, "anchor"), body.get("anchor", "traffic start"))
        return Phase(str(path[-1]), duration or 1, anchor, tuple(settings), tuple(windows), path)

    def _anchor(self, path: KeyPath, given: Plain) -> Anchor:
        for anchor in ANCHORS:
            if given == anchor:
                return anchor
        self.reading.unknown_value(path, "anchor", str(given), ANCHORS)
        return "traffic start"

    def _windows(self, path: KeyPath, key: str, phase_ns: int | None) -> list[Window]:
        """Read what stands under "at 5 s", "every 15 s" or "at 5 s every 15 s": one event or a list of them."""
        match = _WHEN.fullmatch(key)
        if match is None:
            self.reading.fault(path, f"{key!r} is no time", "at 5 s, every 15 s, or at 5 s every 15 s", at_key=True)
            return []
        every = self._key_time(path, match["every"])
        at = self._key_time(path, match["at"], zero=True)
        offset = at if at is not None else every
        if offset is None:
            return []
        if phase_ns is not None and offset >= phase_ns:
            self.reading.fault(path, f"{format_time(offset)} is past the end of its phase",
                               f"less than {format_time(phase_ns)}", at_key=True)  # fmt: skip
        value = self.reading.source.at(path)
        places: list[KeyPath] = [(*path, i) for i in range(len(value))] if isinstance(value, list) else [path]
        return [self._window(place, key, offset, every, phase_ns) for place in places]

    def _window(self, path: KeyPath, label: str, offset: int, every: int | None, phase_ns: int | None) -> Window:
        body = self.reading.mapping(path, "{wan: {both: {loss: outage}}, for: 100 ms}")
        duration = self._time((*path, "for"), body["for"]) if "for" in body else None
        if duration is not None and every is not None and duration > every:
            self.reading.fault((*path, "for"), f"{format_time(duration)} is longer than its period",
                               f"at most {format_time(every)}")  # fmt: skip
        if duration is not None and every is None and phase_ns is not None and offset + duration > phase_ns > offset:
            self.reading.fault((*path, "for"), "it would end after its phase",
                               f"at most {format_time(phase_ns - offset)}")  # fmt: skip
        settings = [setting for key in body if key != "for" for setting in self._role((*path, key), ("for",))]
        return Window(offset, duration, every, tuple(settings), label, path)

    def _role(self, path: KeyPath, reserved: tuple[str, ...]) -> list[Setting]:
        role = str(path[-1])
        if role in _NOT_YET:
            self.reading.fault(path, f"{role!r} is not supported yet", "at ..., every ...", at_key=True)
            return []
        if role not in self.needs:
            self.reading.unknown(path, "role or key", (*self.needs, *reserved))
            return []
        settings: list[Setting] = []
        for word in self.reading.mapping(path, "{a-b: ..., b-a: ..., both: ...}"):
            where: KeyPath = (*path, word)
            if word not in _DIRECTION_KEYS:
                self.reading.unknown(where, "direction", _DIRECTION_KEYS)
                continue
            conditions = self._conditions(where)
            taken = {setting.direction for setting in settings}
            if taken & set(_DIRECTION_KEYS[word]):
                self.reading.fault(where, "this direction is set twice", "a-b and b-a, or both", at_key=True)
            settings += [Setting(role, direction, conditions, where) for direction in _DIRECTION_KEYS[word]]
        return settings

    def _conditions(self, path: KeyPath) -> Conditions:
        body = self.reading.source.at(path)
        delay = body.get("delay") if isinstance(body, dict) else None
        mean = delay.get("mean") if isinstance(delay, dict) else delay
        if isinstance(mean, str) and mean.lstrip().startswith("+"):
            mean_path: KeyPath = (*path, "delay", "mean") if isinstance(delay, dict) else (*path, "delay")
            self.reading.fault(mean_path, f"{mean!r}: a relative value is not supported yet", "like '45 ms'")
        return self.reading.value(path, Conditions) or Conditions()

    def _time(self, path: KeyPath, given: Plain) -> int | None:
        """Read a duration above zero."""
        if given is None:
            self.reading.fault(path, "missing", "like '20 s'")
        elif not isinstance(given, str):
            self.reading.fault(path, f"{given!r} has no unit", "write it like '20 s'")
        else:
            return self._parsed(path, given, at_key=False, zero=False)
        return None

    def _key_time(self, path: KeyPath, text: str | None, *, zero: bool = False) -> int | None:
        return None if text is None else self._parsed(path, text, at_key=True, zero=zero)

    def _parsed(self, path: KeyPath, text: str, *, at_key: bool, zero: bool) -> int | None:
        try:
            nanoseconds = parse_time(text)
        except UnitError as error:
            problem, _, legal = str(error).partition("; ")
            self.reading.fault(path, problem, legal or "like '20 s'", at_key=at_key)
            return None
        if nanoseconds < 0 or (nanoseconds == 0 and not zero):
            self.reading.fault(
                path, f"{text!r} is too short", "0 s or more" if zero else "more than 0 s", at_key=at_key
            )
            return None
        return nanoseconds
