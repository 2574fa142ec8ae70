"""The settings of one impairment: a JSON object that holds every mode, and the changes that a PUT makes to it."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from impairlab.sim_hardware.rest.bodies import Read
from impairlab.sim_hardware.sne.fields import BadValue, Field, Flag
from impairlab.sim_hardware.sne.resources import ENABLED, TIMES, Modes, Resource

Settings = dict[str, Read]

Clamp = Callable[[str, Read], Read]
"""Given the name of a field and a legal value, return the one that is taken."""

_NOT_SETTINGS = frozenset({"status", "updatePending"})
_MOST_CONSTANT_MS = {100: 10_000, 1000: 10_000, 10_000: 4000, 25_000: 4000}


def unclamped(_: str, value: Read) -> Read:
    """Take a value as it is."""
    return value


def defaults(resource: Resource) -> Settings:
    """Return the settings of an impairment that nobody has touched: disabled."""
    settings: Settings = {ENABLED: False, **_defaults(resource.fields)}
    if resource.modes is not None:
        settings[resource.modes.key] = next(iter(resource.modes.fields))
        settings[resource.modes.settings_key] = {
            mode: _defaults(fields) for mode, fields in resource.modes.fields.items()
        }
    if resource.times is not None:
        settings[TIMES] = _defaults(resource.times)
    return settings


def _defaults(fields: Mapping[str, Field]) -> dict[str, Read]:
    return {name: each.default for name, each in fields.items()}


def changed(resource: Resource, settings: Settings, body: Mapping[str, Read], clamp: Clamp = unclamped) -> Settings:
    """Return the settings after a PUT; what the body leaves out stays.

    Args:
        resource: Of which type.
        settings: Before.
        body: Keys beside each other, or under the key of the resource as newer firmware answers them.
        clamp: What values that are legal become.

    Raises:
        BadValue: An unknown key or a value that is not legal; nothing has changed.
    """
    wrapped = body.get(resource.key)
    if isinstance(wrapped, dict):
        body = wrapped
    after = dict(settings)
    own: dict[str, Field] = {ENABLED: Flag(), **resource.fields}
    modes = resource.modes
    for key, value in body.items():
        if key in own:
            after[key] = _read(key, own[key], value, clamp)
        elif key == TIMES and resource.times is not None:
            after[key] = _group(key, resource.times, settings[key], value, clamp)
        elif modes is not None and key == modes.key:
            if not isinstance(value, str) or value not in modes.fields:
                raise BadValue(f"{key} must be one of {', '.join(modes.fields)}")
            after[key] = value
        elif modes is not None and key in _settings_keys(modes):
            after[modes.settings_key] = _every_mode(modes, settings[modes.settings_key], value, clamp)
        elif key not in _NOT_SETTINGS:
            raise BadValue(f"unknown key {key!r}; legal are {', '.join(settings)}")
    _refuse_contradictions(resource, after)
    return after


def _settings_keys(modes: Modes) -> set[str]:
    return {modes.settings_key, f"{modes.key}Settings", f"{modes.key.removesuffix('Mode')}Settings"}


def _read(name: str, own: Field, value: Read, clamp: Clamp) -> Read:
    try:
        return clamp(name, own.read(value))
    except BadValue as error:
        raise BadValue(f"{name} {error}") from error


def _group(key: str, fields: Mapping[str, Field], before: Read, value: Read, clamp: Clamp) -> Read:
    if not isinstance(value, dict) or not isinstance(before, dict):
        raise BadValue(f"{key} must be an object")
    after = dict(before)
    for name, content in value.items():
        if name not in fields:
            raise BadValue(f"unknown key {name!r} in {key}; legal are {', '.join(fields)}")
        after[name] = _read(name, fields[name], content, clamp)
    return after


def _every_mode(modes: Modes, before: Read, value: Read, clamp: Clamp) -> Read:
    if not isinstance(value, dict) or not isinstance(before, dict):
        raise BadValue(f"{modes.settings_key} must be an object")
    after = dict(before)
    for mode, content in value.items():
        if mode not in modes.fields:
            raise BadValue(f"unknown mode {mode!r}; legal are {', '.join(modes.fields)}")
        after[mode] = _group(mode, modes.fields[mode], before[mode], _spelled(modes, mode, content), clamp)
    return after


def _spelled(modes: Modes, mode: str, content: Read) -> Read:
    """Return the settings of a mode with the other names of its fields replaced."""
    if not isinstance(content, dict):
        return content
    synonyms = modes.synonyms.get(mode, {})
    return {synonyms.get(name, name): value for name, value in content.items()}


def chosen(resource: Resource, settings: Settings) -> tuple[str, dict[str, Read]]:
    """Return the mode that is chosen and its settings; "" and the settings themselves where there are no modes."""
    if resource.modes is None:
        return "", settings
    mode, every = settings[resource.modes.key], settings[resource.modes.settings_key]
    if not isinstance(mode, str) or not isinstance(every, dict):
        raise TypeError(settings)
    content = every[mode]
    if not isinstance(content, dict):
        raise TypeError(settings)
    return mode, content


def amount(settings: Mapping[str, Read], name: str) -> Decimal:
    """Return a number from settings."""
    value = settings[name]
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(f"{name}: {value!r}")
    return Decimal(value)


def _refuse_contradictions(resource: Resource, settings: Settings) -> None:
    mode, content = chosen(resource, settings)
    for low, high in resource.ordered:
        if low in content and high in content and amount(content, low) > amount(content, high):
            raise BadValue(f"{low} must not exceed {high}")
    if mode == "constDelayMode":
        rate = int(amount(settings, "maxDataRate"))
        most = _MOST_CONSTANT_MS[rate]
        if amount(content, "latency") > most:
            raise BadValue(f"latency must be a number from 0.01 to {most} with maxDataRate {rate}")
