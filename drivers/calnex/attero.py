"""AtteroAppliance: the Calnex Attero-100G, also sold as "Spirent ... powered by Calnex", over its REST interface.

Sources: the QuickCall library di_attero100G of github.com/Spirent/iTest-assets; calnexRest.py 2.3.0 and
github.com/johnthomson-calnex/iTestMigrationTest for the authentication. Nothing here was tried on hardware.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic_ns
from typing import TypeVar

from impairlab.drivers.appliance import Commit
from impairlab.drivers.calnex.attero_capabilities import BURSTS, CAPABILITIES, PROFILES
from impairlab.drivers.calnex.attero_codec import KINDS, Body, Corruption, read_corruption, read_rate
from impairlab.drivers.calnex.attero_plan import NOTHING_STORED, Plan, Programmed, Stored, Write, plan
from impairlab.drivers.calnex.rest import RestAppliance, place_of, refusal_of, truth, whole
from impairlab.drivers.links.address import Address
from impairlab.drivers.links.http import HttpLink
from impairlab.drivers.links.http_message import Answer, Message
from impairlab.drivers.links.json_text import Json, read_json
from impairlab.drivers.links.link import Ask
from impairlab.drivers.model.applied import FlowEntry, Identity, Statistics
from impairlab.drivers.model.capabilities import Violation
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import (
    AuthError,
    CapabilityError,
    ConnectError,
    IdentityMismatch,
    ImpairlabError,
    InstrumentCommandError,
    InstrumentError,
    MalformedResponse,
)
from impairlab.drivers.model.flows import Filter, Target
from impairlab.drivers.options import Options

T = TypeVar("T")

_SCHEMES = {"attero": 80, "http": 80, "https": 443}
_SETTINGS = {"catch_all": "7", "fingerprint": ""}
_EXAMPLE = "attero://192.0.2.1 or https://192.0.2.1?fingerprint=9f86d0..."
_PORTS = {"a-b": "Port1", "b-a": "Port2"}
_INFORMATION = "instrument/information"
_FEATURES = "instrument/options/features"
_RESET = {"misorderedpacket": "rate/resetall"}
"""Where the path that resets a corruption is not `resetall`."""


@dataclass(frozen=True, slots=True)
class AtteroLogin:
    """Credentials that end in a token in the body of every request. The password goes over the wire as its MD5."""

    digest: str

    def login(self) -> Message:
        """Return the request that a token is asked for with."""
        return Message("GET", _target("authentication/login"), {"Password": self.digest})

    def read_token(self, content: Json) -> str:
        """Return the token. Raises ValueError."""
        token = content.get("AuthToken") if isinstance(content, Mapping) else None
        if not isinstance(token, str) or not token:
            raise ValueError("no AuthToken in the answer")
        return token

    def dress(self, message: Message, token: str) -> Message:
        """Return the message with the token in its body."""
        body = message.body if isinstance(message.body, Mapping) else {}
        return replace(message, body={**body, "AuthToken": token})


class AtteroAppliance(RestAppliance):
    """A Calnex Attero-100G.

    One path, "1": what comes in at Port1 is direction a-b, at Port2 b-a. A direction has eight profiles; the one at
    position `catch_all` is flow 0, the others are flows 1 to 7 in their order. Filters are made on the appliance: what
    they are made of is not public, so none can be set here and none is ever touched.

    There is no lock: `lock` keeps nobody out. Settings act one after the other, see `attero_plan`.

    Args:
        address: `attero://host`, `http://host` or `https://host`, with the settings `catch_all` (position of the
            profile of all packets that match no filter; 7) and `fingerprint` (see `Endpoint`).
        options: How to connect. `secret` is the password, where the appliance has the option "Authentication".

    Raises:
        ConnectError: Nobody answers, or the address cannot be read.
        AuthError: It wants a password, or another one.
        IdentityMismatch: Another serial number answers.
    """

    capabilities = CAPABILITIES

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        where = Address.parse(address, schemes=_SCHEMES, settings=_SETTINGS, example=_EXAMPLE, name=options.name)
        self._positions = _positions(where.settings["catch_all"], self.name)
        self._serial = options.serial
        self._patience_ns = options.timeout_ns
        self._known: Identity | None = None
        login = None if options.secret is None else AtteroLogin(_digest(options.secret))
        self._link = HttpLink(
            place_of(where, self.name),
            name=self.name,
            greeting=self._greet,
            wire_log=options.wire_log,
            secrets=[each for each in (options.secret, login and login.digest) if each],
            timeout_ns=options.timeout_ns,
            gap_ns=options.gap_ns,
        )
        try:
            if self._wants_a_password():
                if login is None:
                    raise AuthError("wants a password: give it as the secret", appliance=self.name)
                self._link.log_in_with(login)
        except ImpairlabError:
            self._link.close()
            raise
        self.identity = self._who()

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows: five questions a flow, and more for what is enabled."""
        return [FlowEntry(target=target, conditions=self._read(target).as_conditions()) for target in targets]

    def statistics(self, target: Target) -> Statistics:
        """Return no counters: what they are called is not public. See `raw_statistics`."""
        del target
        return Statistics(at_ns=monotonic_ns())

    def raw_statistics(self, target: Target) -> Json:
        """Return the counters of one flow's traffic as the appliance says them."""
        message = self._get(f"results/impairment/traffic/{self._profile(target)}/statistics")
        return self._link.json(self._call(message))

    def clear_statistics(self, target: Target) -> None:
        """Do nothing: `statistics` has no counters."""

    def burst_now(self, target: Target, kind: str, packets: int) -> Commit:
        """Fire one burst of a corruption that is not enabled, and enable nothing.

        Args:
            target: The flow.
            kind: loss, corrupt, reorder or duplicate.
            packets: How many in a row, 1 to 10000.

        Raises:
            CapabilityError: Another kind or number, or the corruption is programmed already: then it is cleared first.
            InstrumentError: The appliance refuses.
        """
        violations = self.check_burst(target, kind, packets)
        if not violations and kind in self._read(target).corruptions:
            violations = [Violation(where=str(target), field=kind, problem="is programmed", legal="clear it first")]
        if violations:
            raise CapabilityError(violations, appliance=self.name)
        group = f"corruption/{KINDS[kind]}"
        for leaf, body in Corruption(burst=packets).resources().items():
            self._put(target, Write(group, leaf, body))
        answer = self._put(target, Write(group, "now", {}))
        return Commit(answer.sent_ns, answer.acknowledged_ns)

    def check_burst(self, target: Target, kind: str, packets: int) -> list[Violation]:
        """Return what keeps `burst_now` from firing a burst; talks to nobody."""
        if kind not in KINDS:
            return [Violation(where=str(target), field=kind, problem="has no bursts", legal=", ".join(KINDS))]
        if packets not in BURSTS:
            legal = f"{BURSTS.start} .. {BURSTS.stop - 1}"
            return [Violation(where=str(target), field=kind, problem=f"{packets} packets", legal=legal)]
        return []

    def reset(self, target: Target) -> None:
        """Set everything of one flow to what the appliance begins with, disabled impairments too; not its filter."""
        self._put(target, Write("delay", "reset", {}))
        for resource in KINDS.values():
            self._put(target, Write(f"corruption/{resource}", _RESET.get(resource, "resetall"), {}))
        self._last.pop(target, None)

    def lock(self) -> None:
        """Do nothing: the appliance has no reservation, so nobody is kept out."""

    def unlock(self) -> None:
        """Do nothing, as `lock`."""

    def _program(self, settings: Mapping[Target, Conditions]) -> Commit:
        before = {target: self._read(target) for target in settings}
        after = {target: Programmed.of(conditions) for target, conditions in settings.items()}
        try:
            return self._carry_out(before, after)
        except InstrumentError as refusal:
            self._put_back(before, refusal)
            raise

    def _carry_out(self, before: Mapping[Target, Programmed], after: Mapping[Target, Programmed]) -> Commit:
        plans = {target: self._plan(target, before[target], after[target]) for target in after}
        writes = [
            *((target, write) for target, each in plans.items() for write in each.off),
            *((target, write) for target, each in plans.items() for write in each.change),
            *((target, write) for target, each in plans.items() for write in each.on),
        ]
        answers = [self._put(target, write) for target, write in writes]
        if not answers:  # it is so already: asking again shows that, and when
            answers = [
                self._call(self._get(f"app/impairment/delay/{self._profile(target)}/enable")) for target in after
            ]
        return Commit(answers[0].sent_ns, answers[-1].acknowledged_ns)

    def _plan(self, target: Target, before: Programmed, after: Programmed) -> Plan:
        wanted = after.corruptions.get("reorder")
        if wanted is None or wanted == before.corruptions.get("reorder"):
            return plan(before, after, NOTHING_STORED)
        rate, depth = (self._body(target, "corruption/misorderedpacket", leaf) for leaf in ("rate", "depth"))
        stored = self._understood(lambda: Stored(read_rate(rate["Rate"]), whole(depth["Depth"])), target)
        return plan(before, after, stored)

    def _put_back(self, before: Mapping[Target, Programmed], refusal: InstrumentError) -> None:
        """After a refusal undo what was written before it."""
        try:
            self._carry_out({target: self._read(target) for target in before}, before)
        except ImpairlabError as error:
            refusal.state_known = False
            refusal.add_note(f"and what was there before could not be put back: {error}")

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        raise CapabilityError([*self._check_filter(target, selector)], appliance=self.name)

    def _check_filter(self, target: Target, selector: Filter | None) -> Iterable[Violation]:  # type: ignore[override]
        del selector
        yield Violation(
            where=str(target), field="filter", problem="what this appliance's filters are made of is not public",
            legal="make it on the appliance",
        )  # fmt: skip

    def _read(self, target: Target) -> Programmed:
        def read_all() -> Programmed:
            delay = None
            if truth(self._body(target, "delay", "enable")["Enable"]):
                delay = whole(self._body(target, "delay", "")["Delay"])
            found = {}
            for kind, resource in KINDS.items():
                corruption = read_corruption(kind, partial(self._body, target, f"corruption/{resource}"))
                if corruption is not None:
                    found[kind] = corruption
            return Programmed(delay, found)

        return self._understood(read_all, target)

    def _understood(self, read: Callable[[], T], target: Target) -> T:
        try:
            return read()
        except KeyError as error:
            problem = f"{target}: an answer lacks {error}"
        except ValueError as error:
            problem = f"{target}: {error}"
        raise MalformedResponse(problem, appliance=self.name, retryable=True)

    def _body(self, target: Target, group: str, leaf: str) -> Body:
        answer = self._call(self._get(self._path(target, group, leaf)))
        body = self._link.json(answer)
        if not isinstance(body, Mapping):
            raise self._link.malformed(answer, f"answered {answer.text[:80]!r}, which is no object")
        return body

    def _put(self, target: Target, write: Write) -> Answer:
        return self._call(Message("PUT", _target(self._path(target, write.group, write.leaf)), write.body))

    def _get(self, path: str) -> Message:
        return Message("GET", _target(path))

    def _path(self, target: Target, group: str, leaf: str) -> str:
        path = f"app/impairment/{group}/{self._profile(target)}"
        return f"{path}/{leaf}" if leaf else path

    def _profile(self, target: Target) -> str:
        return f"{_PORTS[target.direction]}/{self._positions[target.flow]}"

    def _call(self, message: Message) -> Answer:
        answer = self._link.call(message)
        if not answer.is_success:
            raise refusal_of(answer, _words(answer), self.name)
        return answer

    def _wants_a_password(self) -> bool:
        try:
            answer = self._call(self._get(_FEATURES))
        except InstrumentCommandError:
            return False  # firmware from before the option
        return _holds(self._link.json(answer), "Authentication")

    def _who(self) -> Identity:
        if self._known is None:
            raise MalformedResponse("did not say who it is", appliance=self.name)
        return self._known

    def _greet(self, ask: Ask) -> None:
        text = ask(_target(_INFORMATION))
        try:
            identity = _read_identity(text)
        except (KeyError, ValueError, RecursionError) as error:
            raise MalformedResponse(
                f"does not say who it is: {error}", appliance=self.name, command=_INFORMATION, seen=text.encode()
            ) from error
        if self._serial is not None and identity.serial != self._serial:
            raise IdentityMismatch(f"expected serial number {self._serial!r}, {identity} answers", appliance=self.name)
        if self._known is not None and identity != self._known:
            raise IdentityMismatch(
                f"{self._known} answered before, now {identity}", appliance=self.name, state_known=False
            )
        self._known = identity


def _target(path: str) -> str:
    return f"/api/{path}?format=json"


def _read_identity(text: str) -> Identity:
    content = read_json(text.encode())
    if isinstance(content, Mapping):
        model, serial = str(content["HwType"]), str(content["SerialNumber"])
        return Identity(manufacturer="Calnex", model=model, serial=serial, firmware="?")
    raise ValueError(f"{text[:80]!r} is no object")


def _digest(password: str) -> str:
    return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()


def _positions(catch_all: str, called: str) -> tuple[int, ...]:
    """Return the profile of each flow: first the one of everything else, then the others in their order."""
    if catch_all not in map(str, range(PROFILES)):
        raise ConnectError(f"catch_all={catch_all!r} is no profile; there are 0 .. {PROFILES - 1}", appliance=called)
    return (int(catch_all), *(position for position in range(PROFILES) if position != int(catch_all)))


def _words(answer: Answer) -> str:
    """Return what an error says: its name is the reason of the status, its text the body or a Message in it."""
    try:
        text = _message(read_json(answer.body)) or answer.text
    except (ValueError, RecursionError):
        text = answer.text
    return f"{answer.reason}: {text}" if text else answer.reason


def _message(content: Json) -> str | None:
    if isinstance(content, str):
        return content
    if not isinstance(content, Mapping):
        return None
    own = content.get("Message")
    return own if isinstance(own, str) else next(filter(None, map(_message, content.values())), None)


def _holds(content: Json, word: str) -> bool:
    """Whether a list of options names one, however it is nested; an option that says that it is off is not there."""
    if isinstance(content, str):
        return content == word
    if isinstance(content, Mapping):
        is_off = any(content.get(key) is False for key in ("Enabled", "Enable", "Available", word))
        return not is_off and (content.get(word) is True or any(_holds(each, word) for each in content.values()))
    return isinstance(content, Sequence) and any(_holds(each, word) for each in content)
