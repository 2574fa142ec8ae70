"""Delay and jitter in the Attero's REST interface."""

from collections.abc import Callable
from dataclasses import replace

from impairlab.sim_hardware.attero import jitter
from impairlab.sim_hardware.attero.box import PORTS, POSITIONS, AtteroBox, Place
from impairlab.sim_hardware.attero.calls import RESETS, Call, Deed, Routes, place_of
from impairlab.sim_hardware.attero.profiles import LEAST_DELAY_NS, MOST_DELAY_NS, Profile
from impairlab.sim_hardware.attero.values import BadArgument, choice, integer, only, required, truth
from impairlab.sim_hardware.rest.bodies import Read
from impairlab.sim_hardware.transports.http import read_form

_DELAY = "app/impairment/delay"
_JITTER = "app/impairment/jitter"
_DISTRIBUTIONS = ("Single", "Multi", "User")

_Show = Callable[[Profile], dict[str, Read]]
_Without = Callable[[Profile], Profile]


class DelayApi:
    """Routes to the delay and jitter of a box."""

    def __init__(self, box: AtteroBox) -> None:
        self._box = box
        self._allocation = dict.fromkeys(PORTS, _DISTRIBUTIONS[0])
        self._files = jitter.JitterFiles()

    def routes(self) -> Routes:
        """Yield them."""
        yield "GET", f"{_DELAY}/all", self._every(_shown_delay)
        yield "GET", f"{_DELAY}/allocation/distribution", lambda _: dict(self._allocation)
        yield "PUT", f"{_DELAY}/allocation/distribution", self._allocate
        yield "GET", f"{_DELAY}/{{}}/{{}}", self._one(_shown_delay)
        yield "PUT", f"{_DELAY}/{{}}/{{}}", self._set_delay
        yield "GET", f"{_DELAY}/{{}}/{{}}/enable", self._one(lambda profile: {"Enable": profile.delay_enable})
        yield "PUT", f"{_DELAY}/{{}}/{{}}/enable", self._enable_delay
        for reset in RESETS:
            yield "PUT", f"{_DELAY}/{{}}/{{}}/{reset}", self._reset_one(_without_delay, _shown_delay)
            yield "PUT", f"{_DELAY}/{reset}", self._reset_all(_without_delay, _shown_delay)
            yield "PUT", f"{_JITTER}/{{}}/{{}}/{reset}", self._reset_one(_without_jitter, _shown_jitter)
        yield "GET", f"{_JITTER}/all", self._every(_shown_jitter)
        yield "GET", f"{_JITTER}/{{}}/{{}}/enable", self._one(lambda profile: {"Enable": profile.jitter_enable})
        yield "PUT", f"{_JITTER}/{{}}/{{}}/enable", self._enable_jitter
        yield "GET", f"{_JITTER}/{{}}/{{}}/jitterprofile", self._one(_shown_samples)
        yield "PUT", f"{_JITTER}/{{}}/{{}}/jitterprofile", self._set_samples
        yield "GET", f"{_JITTER}/generate/parameters", lambda _: jitter.parameters()
        for method in ("PUT", "POST"):
            yield method, f"{_JITTER}/generate", lambda call: _samples(jitter.generate(call.object()))
            yield method, f"{_JITTER}/jitterprofile/file/upload", self._upload
        yield "GET", f"{_JITTER}/jitterprofile/file/all", lambda _: {"Filenames": list(self._files.names)}
        yield "GET", f"{_JITTER}/jitterprofile/file/extract", self._extract
        for method in ("PUT", "DELETE"):
            yield method, f"{_JITTER}/jitterprofile/file/remove", self._remove

    def _change(self, place: Place, after: Profile) -> Profile:
        """Replace the settings of a profile and return them as they are now."""
        self._box.set({place: after})
        return self._box.profile(place)

    def _set_delay(self, call: Call, port: str, position: str) -> Read:
        value = required(only(call.object(), "Delay"), "Delay")
        delay_ns = integer(value, "Delay", LEAST_DELAY_NS, MOST_DELAY_NS, "nanoseconds")
        delay_ns = self._box.clamped("delay/Delay", delay_ns)
        place = place_of(port, position)
        return _shown_delay(self._change(place, replace(self._box.profile(place), delay_ns=delay_ns)))

    def _enable_delay(self, call: Call, port: str, position: str) -> Read:
        enable = truth(required(only(call.object(), "Enable"), "Enable"), "Enable")
        place = place_of(port, position)
        return {"Enable": self._change(place, replace(self._box.profile(place), delay_enable=enable)).delay_enable}

    def _allocate(self, call: Call) -> Read:
        body = only(call.object(), *PORTS)
        self._allocation.update({port: choice(body[port], port, _DISTRIBUTIONS) for port in PORTS if port in body})
        return dict(self._allocation)

    def _enable_jitter(self, call: Call, port: str, position: str) -> Read:
        enable = truth(required(only(call.object(), "Enable"), "Enable"), "Enable")
        place = place_of(port, position)
        if enable and not self._box.profile(place).jitter:
            raise BadArgument("There is no jitter profile.\nParameter name: Enable")
        return {"Enable": self._change(place, replace(self._box.profile(place), jitter_enable=enable)).jitter_enable}

    def _set_samples(self, call: Call, port: str, position: str) -> Read:
        samples = jitter.read_samples(call.object())
        place = place_of(port, position)
        return _shown_samples(self._change(place, replace(self._box.profile(place), jitter=samples)))

    def _upload(self, call: Call) -> Read:
        form = read_form(call.request.headers, call.request.body)
        if form:
            name, content = form[0].filename, form[0].content.decode("ascii", "replace")
            self._files.upload(name, content)
            return {"Filename": name}
        body = only(call.object(), "Filename", "Data", "Overwrite", "Autorename")
        self._files.upload(required(body, "Filename"), required(body, "Data"))
        return {"Filename": body["Filename"]}

    def _extract(self, call: Call) -> Read:
        return _samples(self._files.extract(call.argument("Filename")))

    def _remove(self, call: Call) -> Read:
        self._files.remove(call.argument("Filename"))
        return {"Filenames": list(self._files.names)}

    def _one(self, show: _Show) -> Deed:
        return lambda _, port, position: show(self._box.profile(place_of(port, position)))

    def _every(self, show: _Show) -> Deed:
        def every(_: Call) -> Read:
            return {
                port: [{"Position": each, **show(self._box.profile((port, each)))} for each in POSITIONS]
                for port in PORTS
            }

        return every

    def _reset_one(self, without: _Without, show: _Show) -> Deed:
        def reset(_: Call, port: str, position: str) -> Read:
            place = place_of(port, position)
            self._box.set({place: without(self._box.profile(place))})
            return show(self._box.profile(place))

        return reset

    def _reset_all(self, without: _Without, show: _Show) -> Deed:
        def reset(call: Call) -> Read:
            places = [(port, position) for port in PORTS for position in POSITIONS]
            self._box.set({place: without(self._box.profile(place)) for place in places})
            every: Read = self._every(show)(call)
            return every

        return reset


def _shown_delay(profile: Profile) -> dict[str, Read]:
    return {"Delay": profile.delay_ns, "Enable": profile.delay_enable}


def _samples(samples: jitter.Samples) -> dict[str, Read]:
    return {"Samples": list(samples)}


def _shown_samples(profile: Profile) -> dict[str, Read]:
    return _samples(profile.jitter)


def _shown_jitter(profile: Profile) -> dict[str, Read]:
    return {"Enable": profile.jitter_enable, **_shown_samples(profile)}


def _without_delay(profile: Profile) -> Profile:
    return replace(profile, delay_ns=LEAST_DELAY_NS, delay_enable=False)


def _without_jitter(profile: Profile) -> Profile:
    return replace(profile, jitter=(), jitter_enable=False)
