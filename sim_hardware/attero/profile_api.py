"""Profiles in the Attero's REST interface."""

from dataclasses import replace

from impairlab.sim_hardware.attero import house
from impairlab.sim_hardware.attero.box import PORTS, POSITIONS, AtteroBox, Place
from impairlab.sim_hardware.attero.calls import Call, Deed, Routes, place_of, port_of
from impairlab.sim_hardware.attero.corruption import CORRUPTIONS, NEW
from impairlab.sim_hardware.attero.filters import read_filter
from impairlab.sim_hardware.attero.profiles import Profile
from impairlab.sim_hardware.attero.values import BadArgument, choice, integer, only, required, truth, words
from impairlab.sim_hardware.rest.bodies import Read
from impairlab.sim_hardware.rest.refusals import Refused

_BASE = "app/profile/{}/{}"
_NOT_DONE = ("filter/bytes", "filter/file")


class ProfileApi:
    """Routes to the profiles of a box."""

    def __init__(self, box: AtteroBox) -> None:
        self._box = box

    def routes(self) -> Routes:
        """Yield them."""
        yield "GET", "app/profile/all", self._every
        yield "GET", _BASE, lambda _, port, position: self._shown(place_of(port, position))
        yield "GET", f"{_BASE}/enable", lambda _, *at: {"Enable": self._box.profile(place_of(*at)).enable}
        yield "PUT", f"{_BASE}/enable", self._enable
        yield "GET", f"{_BASE}/name", lambda _, *at: {"EditableName": self._box.profile(place_of(*at)).name}
        yield "PUT", f"{_BASE}/name", self._rename
        yield "GET", f"{_BASE}/filter", lambda _, *at: self._shown_filter(place_of(*at))
        yield "PUT", f"{_BASE}/filter", self._set_filter
        yield "PUT", f"{_BASE}/impairments/disable", self._disable
        yield "PUT", f"{_BASE}/profile/clear", self._clear
        yield "PUT", f"{_BASE}/profilesswap", self._swap
        for kind in ("delay", "jitter", *CORRUPTIONS):
            yield "PUT", f"{_BASE}/{kind}/copy", self._copy(kind)
        for path in _NOT_DONE:
            for method in ("GET", "PUT"):
                yield method, f"{_BASE}/{path}", _not_done

    def _shown(self, place: Place) -> dict[str, Read]:
        profile = self._box.profile(place)
        return {
            "Port": place[0],
            "Position": place[1],
            "Enable": profile.enable,
            "EditableName": profile.name,
            "Default": place[1] == self._box.default_position,
            "Filter": self._shown_filter(place),
        }

    def _shown_filter(self, place: Place) -> dict[str, Read]:
        selected = self._box.profile(place).filter
        return {} if selected is None else dict(selected.shown)

    def _every(self, _: Call) -> Read:
        return {port: [self._shown((port, position)) for position in POSITIONS] for port in PORTS}

    def _set(self, place: Place, after: Profile) -> Read:
        self._box.set({place: after})
        return self._shown(place)

    def _enable(self, call: Call, port: str, position: str) -> Read:
        enable = truth(required(only(call.object(), "Enable"), "Enable"), "Enable")
        place = place_of(port, position)
        self._set(place, replace(self._box.profile(place), enable=enable))
        return {"Enable": self._box.profile(place).enable}

    def _rename(self, call: Call, port: str, position: str) -> Read:
        name = words(required(only(call.object(), "EditableName"), "EditableName"), "EditableName")
        place = place_of(port, position)
        self._set(place, replace(self._box.profile(place), name=name))
        return {"EditableName": self._box.profile(place).name}

    def _set_filter(self, call: Call, port: str, position: str) -> Read:
        place = place_of(port, position)
        if place[1] == self._box.default_position:
            raise BadArgument("The default profile has no filter.\nParameter name: Position")
        self._set(place, replace(self._box.profile(place), filter=read_filter(call.object())))
        return self._shown_filter(place)

    def _disable(self, _: Call, port: str, position: str) -> Read:
        place = place_of(port, position)
        profile = self._box.profile(place)
        quiet = {kind: replace(each, enable=False, fired=False) for kind, each in profile.corruptions.items()}
        return self._set(place, replace(profile, delay_enable=False, jitter_enable=False, corruptions=quiet))

    def _clear(self, _: Call, port: str, position: str) -> Read:
        place = place_of(port, position)
        return self._set(place, self._box.first(place[1]))

    def _swap(self, call: Call, port: str, position: str) -> Read:
        first = place_of(port, position)
        number = integer(required(only(call.object(), "SecondPosition"), "SecondPosition"), "SecondPosition", 0, 7)
        second = (first[0], number)
        if self._box.default_position in {first[1], second[1]}:
            raise BadArgument("The default profile stays where it is.\nParameter name: SecondPosition")
        self._box.set({first: self._box.profile(second), second: self._box.profile(first)})
        return self._shown(first)

    def _copy(self, kind: str) -> Deed:
        def copy(call: Call, port: str, position: str) -> Read:
            body = only(call.object(), "SourcePort", "SourcePosition")
            source_port = port_of(choice(body.get("SourcePort", port_of(port)), "SourcePort", PORTS))
            number = integer(required(body, "SourcePosition"), "SourcePosition", 0, POSITIONS[-1])
            place, source = place_of(port, position), self._box.profile((source_port, number))
            return self._set(place, _copied(self._box.profile(place), source, kind))

        return copy


def _copied(profile: Profile, source: Profile, kind: str) -> Profile:
    match kind:
        case "delay":
            return replace(profile, delay_ns=source.delay_ns, delay_enable=source.delay_enable)
        case "jitter":
            return replace(profile, jitter=source.jitter, jitter_enable=source.jitter_enable)
        case _:
            copied = source.corruptions.get(kind, NEW)
            return replace(profile, corruptions={**profile.corruptions, kind: replace(copied, fired=False)})


def _not_done(_: Call, port: str, position: str) -> Read:
    place_of(port, position)
    raise Refused(house.NOT_DONE, "This simulation selects packets by fields alone: use filter.")
