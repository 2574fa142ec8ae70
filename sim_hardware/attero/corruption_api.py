"""Corruption of packets and symbol errors in the Attero's REST interface."""

from dataclasses import replace

from impairlab.sim_hardware.attero import corruption as settings
from impairlab.sim_hardware.attero import house
from impairlab.sim_hardware.attero.box import AtteroBox, Place
from impairlab.sim_hardware.attero.calls import RESETS, Call, Deed, Routes, place_of, port_of
from impairlab.sim_hardware.attero.corruption import CORRUPTIONS, MISORDERED, Corruption
from impairlab.sim_hardware.attero.values import BadArgument, only
from impairlab.sim_hardware.rest.bodies import Read
from impairlab.sim_hardware.rest.refusals import Refused

_BASE = "app/impairment/corruption"
_SYMBOLS = "app/impairment/symbolerror"
_SYMBOL_KIND = "symbolerror"


class CorruptionApi:
    """Routes to the corruptions of a box."""

    def __init__(self, box: AtteroBox) -> None:
        self._box = box

    def routes(self) -> Routes:
        """Yield them."""
        for kind in CORRUPTIONS:
            base = f"{_BASE}/{kind}/{{}}/{{}}"
            yield "GET", base, self._get_whole(kind)
            yield "GET", f"{base}/all", self._get_whole(kind)
            yield "GET", f"{base}/duration", self._get_durations(kind)
            yield "PUT", f"{base}/now", self._now(kind)
            for resource in settings.resources_of(kind):
                yield "GET", f"{base}/{resource}", self._get(kind, resource)
                yield "PUT", f"{base}/{resource}", self._put(kind, resource)
            for resource in (*settings.resources_of(kind), "duration", ""):
                for reset in RESETS:
                    yield "PUT", "/".join(filter(None, [base, resource, reset])), self._reset(kind, resource)
        yield from self._symbol_routes()

    def _symbol_routes(self) -> Routes:
        base = f"{_SYMBOLS}/{{}}"
        yield "GET", f"{base}/all", lambda _, port: settings.shown_whole(self._symbols(port), _SYMBOL_KIND)
        yield "GET", f"{base}/duration", lambda _, port: settings.shown_durations(self._symbols(port), _SYMBOL_KIND)
        yield "PUT", f"{base}/now", self._symbols_now
        for resource in settings.resources_of(_SYMBOL_KIND):
            yield "GET", f"{base}/{resource}", self._get_symbols(resource)
            yield "PUT", f"{base}/{resource}", self._put_symbols(resource)
        for resource in (*settings.resources_of(_SYMBOL_KIND), "duration", ""):
            for reset in RESETS:
                yield "PUT", "/".join(filter(None, [base, resource, reset])), self._reset_symbols(resource)

    def _of(self, place: Place, kind: str) -> Corruption:
        return self._box.profile(place).corruptions[kind]

    def _set(self, place: Place, kind: str, after: Corruption) -> None:
        if kind == MISORDERED:
            settings.refuse_deep(after)
        profile = self._box.profile(place)
        self._box.set({place: replace(profile, corruptions={**profile.corruptions, kind: after})})

    def _get(self, kind: str, resource: str) -> Deed:
        return lambda _, port, position: settings.shown(self._of(place_of(port, position), kind), resource)

    def _get_whole(self, kind: str) -> Deed:
        return lambda _, port, position: settings.shown_whole(self._of(place_of(port, position), kind), kind)

    def _get_durations(self, kind: str) -> Deed:
        return lambda _, port, position: settings.shown_durations(self._of(place_of(port, position), kind), kind)

    def _put(self, kind: str, resource: str) -> Deed:
        def put(call: Call, port: str, position: str) -> Read:
            place = place_of(port, position)
            after = settings.changed(self._of(place, kind), resource, call.object())
            self._set(place, kind, replace(after, burst=self._box.clamped(f"{kind}/Burst", after.burst)))
            return settings.shown(self._of(place, kind), resource)

        return put

    def _reset(self, kind: str, resource: str) -> Deed:
        def reset(_: Call, port: str, position: str) -> Read:
            place = place_of(port, position)
            self._set(place, kind, settings.reset(self._of(place, kind), resource))
            return settings.shown_whole(self._of(place, kind), kind)

        return reset

    def _now(self, kind: str) -> Deed:
        def now(call: Call, port: str, position: str) -> Read:
            only(call.object())
            place = place_of(port, position)
            if self._of(place, kind).distribution != "Burst":
                raise BadArgument("A burst needs the distribution type Burst.\nParameter name: DistributeType")
            self._box.fire(place, kind)
            return settings.shown_whole(self._of(place, kind), kind)

        return now

    def _symbols(self, port: str) -> Corruption:
        return self._box.symbol_errors[port_of(port)]

    def _get_symbols(self, resource: str) -> Deed:
        return lambda _, port: settings.shown(self._symbols(port), resource)

    def _put_symbols(self, resource: str) -> Deed:
        def put(call: Call, port: str) -> Read:
            after = settings.changed(self._symbols(port), resource, call.object())
            if after.enable:
                raise Refused(house.NOT_DONE, "This simulation has no symbols to put errors in.")
            self._box.symbol_errors[port_of(port)] = after
            return settings.shown(after, resource)

        return put

    def _reset_symbols(self, resource: str) -> Deed:
        def reset(_: Call, port: str) -> Read:
            after = settings.reset(self._symbols(port), resource)
            self._box.symbol_errors[port_of(port)] = after
            return settings.shown_whole(after, _SYMBOL_KIND)

        return reset

    def _symbols_now(self, _: Call, port: str) -> Read:
        raise Refused(house.NOT_DONE, f"This simulation has no symbols to put errors in on {port_of(port)}.")
