"""One SNE and one of its maps, as it is spoken to: the map's life, its impairments' documents, ports and counters.

Sources: see `sne`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic_ns, sleep
from urllib.parse import quote

from impairlab.drivers.calnex.rest import place_of, refusal_of
from impairlab.drivers.calnex.sne_address import Wanted, upload_of
from impairlab.drivers.calnex.sne_documents import Document
from impairlab.drivers.calnex.sne_envelope import SUCCESS, code_of, counters_of, read_build, words_of
from impairlab.drivers.calnex.sne_map import Disruptor, MapError, NetworkMap, find_map, read_disruptors, read_maps
from impairlab.drivers.links.address import Address
from impairlab.drivers.links.http import HttpLink
from impairlab.drivers.links.http_message import Answer, BearerLogin, Message
from impairlab.drivers.links.json_text import Json, read_json
from impairlab.drivers.links.link import Ask
from impairlab.drivers.model.errors import (
    ConnectError,
    IdentityMismatch,
    InstrumentError,
    InstrumentExecutionError,
    MalformedResponse,
    NoResponse,
    RebootDetected,
)
from impairlab.drivers.options import Options

RECEIVED = "Packets Received"
DROPPED = "Packets Dropped"

_POLL_NS = 10_000_000
_IDLE_NS = 200_000_000
"""A flag that is still up after so long, while no packet came, says nothing of what the next packet will suffer."""

_DOWN = "down"
_STOPPED = "stopped"


class SneBox:
    """A connected SNE, and the map that is meant.

    Args:
        address: Where.
        wanted: What the address says beside.
        name: What errors call it.
        options: How to connect.

    Attributes:
        link: To the box.
        build: Its software.
        name: See above.
        is_up: Whether the map runs, as far as is known.
    """

    def __init__(self, address: Address, wanted: Wanted, name: str, options: Options) -> None:
        self.name = name
        self.build: str | None = None
        self.is_up = False
        self._wanted = wanted
        self._map: NetworkMap | None = None
        self._patience_ns = options.timeout_ns
        login = BearerLogin("/api/users/authenticate", wanted.user, options.secret or "")
        self.link = HttpLink(
            place_of(address, name),
            name=name,
            greeting=self._greet,
            wire_log=options.wire_log,
            secrets=[options.secret] if options.secret else [],
            credentials=login if wanted.auth == "bearer" else None,
            timeout_ns=options.timeout_ns,
            gap_ns=options.gap_ns,
        )

    def bring_up(self) -> None:
        """Find the map, upload it where it is not there and the address says a file, load it and start it.

        Raises:
            ConnectError: There is no such map, or its file cannot be read.
            InstrumentError: The box refuses.
        """
        if self.is_up:
            return
        self._map = found = self._find()
        if not found.is_active:
            self._start(found)
        self.is_up = True

    def stop(self) -> None:
        """Stop the map, so that no packet crosses it, and unload it."""
        self.change("PUT", "/stop")
        self.change("PUT", "/unload")
        self.is_up = False

    def disruptors(self) -> tuple[Disruptor, ...]:
        """Return the impairments of the map, in its order."""
        answer = self._call(Message("GET", self._target(f"{self._of_map()}/impairments")))
        try:
            return read_disruptors(self.link.json(answer))
        except (KeyError, ValueError) as error:
            raise self.link.malformed(answer, f"lists no impairments: {error}") from error

    def ask_for(self, disruptor: Disruptor) -> tuple[Document, Answer]:
        """Return the settings of an impairment, and the answer that held them."""
        answer = self._call(Message("GET", self._target(self._settings(disruptor))))
        content = self.link.json(answer)
        try:
            if isinstance(content, Mapping):
                return Document.read(str(disruptor.resource), content), answer
            problem = "no object"
        except ValueError as error:
            problem = str(error)
        raise self.link.malformed(answer, f"the settings of {disruptor.name!r} cannot be read: {problem}")

    def put(self, disruptor: Disruptor, document: Document) -> tuple[int, int]:
        """Write the settings of an impairment; return when they were sent and when they had been taken over."""
        done = self._acknowledged(Message("PUT", self._target(self._settings(disruptor)), document.content))
        return done.sent_ns, self._settled_ns(disruptor)

    def switch_off(self, disruptor: Disruptor) -> tuple[int, int]:
        """Disable an impairment; see `put`."""
        done = self.change("PUT", f"/impairments/{quote(disruptor.identifier, safe='')}/enabled?enabled=false")
        return done.sent_ns, self._settled_ns(disruptor)

    def is_down(self, port: int) -> bool:
        """Whether the link of a port is down."""
        answer = self._call(Message("GET", self._target(f"{self._of_map()}/{port}")))
        content = self.link.json(answer)
        state = content.get("portStatus") if isinstance(content, Mapping) else None
        if not isinstance(state, str):
            raise self.link.malformed(answer, "no portStatus")
        return state.lower() == _DOWN

    def set_down(self, port: int, *, is_down: bool) -> tuple[int, int]:
        """Take the link of a port down, or up; return when that was sent and acknowledged."""
        done = self.change("PUT", f"/{port}/{'linkdown' if is_down else 'linkup'}")
        return done.sent_ns, done.acknowledged_ns

    def counters(self, disruptor: Disruptor) -> Mapping[str, int]:
        """Return the counters of an impairment by their names; empty where the box says them in a way not known."""
        try:
            answer = self._call(Message("GET", self._target(f"{self._of_map()}/stats")))
            return counters_of(self.link.json(answer), disruptor.identifier)
        except (InstrumentError, MalformedResponse):
            return {}

    def reserve(self, ports: Sequence[int]) -> None:
        """Reserve ports, numbered from 1 as on the front panel; the box counts from 0 here."""
        self._call(Message("PUT", self._target("/physical/ports/reserve"), [port - 1 for port in ports]))

    def release(self, ports: Sequence[int]) -> None:
        """Give ports back."""
        self._call(Message("PUT", self._target("/physical/ports/release"), [port - 1 for port in ports]))

    def change(self, method: str, path: str) -> Answer:
        """Do something with the map that has no body, e.g. "/start"."""
        return self._acknowledged(Message(method, self._target(f"{self._of_map()}{path}")))

    def _settled_ns(self, disruptor: Disruptor) -> int:
        """Return when a write had been taken over: when the box no longer calls an update pending.

        What that flag is for is said nowhere. A box that had seen no packet answered it five seconds after its map was
        started, so a flag that stays up while no packet comes is not waited for.

        Raises:
            NoResponse: It stays up although packets come, or whether they do cannot be known.
        """
        began_ns = monotonic_ns()
        counted: int | None = None
        while True:
            document, answer = self.ask_for(disruptor)
            if not document.is_pending:
                return answer.acknowledged_ns
            waited_ns = monotonic_ns() - began_ns
            if counted is None:
                counted = self.counters(disruptor).get(RECEIVED)
            elif waited_ns > _IDLE_NS and self.counters(disruptor).get(RECEIVED) == counted:
                return answer.acknowledged_ns
            if waited_ns >= self._patience_ns:
                raise NoResponse(
                    f"the update of {disruptor.name!r} stays pending", appliance=self.name, command=answer.command,
                    seen=answer.body[:4096], state_known=False,
                )  # fmt: skip
            sleep(_POLL_NS / 1e9)

    def _start(self, found: NetworkMap) -> None:
        """A map that is called stopped may be loaded (build 11.0 says "Unloaded" when it is not) or not (6.1)."""
        if found.state.lower() == _STOPPED:
            try:
                self.change("PUT", "/start")
            except InstrumentError:
                self.change("POST", "/load")
            else:
                return
        else:
            self.change("POST", "/load")
        self.change("PUT", "/start")

    def _find(self) -> NetworkMap:
        maps = self._maps()
        wanted = self._wanted.map
        upload = self._wanted.upload
        try:
            if upload is not None and not any(each.is_called(wanted or upload.stem) for each in maps):
                path, file = upload_of(upload)
                self._acknowledged(Message("POST", self._target(path), file=file))
                there = {each.identifier for each in maps}
                maps = tuple(each for each in self._maps() if wanted or each.identifier not in there)
            return find_map(maps, wanted or (upload.stem if upload and len(maps) > 1 else ""))
        except (MapError, OSError) as error:
            raise ConnectError(str(error), appliance=self.name) from error

    def _maps(self) -> tuple[NetworkMap, ...]:
        answer = self._call(Message("GET", self._target("/maps")))
        try:
            return read_maps(self.link.json(answer))
        except (KeyError, ValueError) as error:
            raise self.link.malformed(answer, f"lists no maps: {error}") from error

    def _acknowledged(self, message: Message) -> Answer:
        """Exchange what changes something; only code 1201 acknowledges it."""
        answer = self._call(message)
        if code_of(self.link.json(answer)) != SUCCESS:
            raise self.link.malformed(answer, f"acknowledged by {answer.text[:80]!r} instead of code {SUCCESS}")
        return answer

    def _call(self, message: Message) -> Answer:
        """Exchange a message. Raises InstrumentError for a status of 400 and above, and for a code that is not 1201."""
        answer = self.link.call(message)
        try:
            content: Json = read_json(answer.body)
        except (ValueError, RecursionError):
            content = answer.text
        code = code_of(content)
        if not answer.is_success:
            words = words_of(content) or answer.text or answer.reason
            raise refusal_of(answer, words if code is None else f"{code} {words}", self.name)
        if code not in {None, SUCCESS}:
            errors = [(int(code or 0), words_of(content))]
            raise InstrumentExecutionError(errors, appliance=self.name, command=answer.command)
        return answer

    def _of_map(self) -> str:
        if self._map is None:
            raise ConnectError("no map was found", appliance=self.name)
        return f"/maps/{quote(self._map.identifier, safe='')}"

    def _settings(self, disruptor: Disruptor) -> str:
        return f"{self._of_map()}/impairments/{quote(disruptor.identifier, safe='')}/{disruptor.resource}"

    def _target(self, path: str) -> str:
        if self._wanted.auth != "token":
            return f"/api{path}"
        return f"/api{path}{'&' if '?' in path else '?'}userToken={quote(self._wanted.user, safe='')}"

    def _greet(self, ask: Ask) -> None:
        """See that the same software answers, and that the map still runs: a box that restarts keeps none running."""
        command = self._target("/instrument/software/buildversion")
        text = ask(command)
        try:
            build = read_build(_json_or_text(text))
        except ValueError as error:
            raise MalformedResponse(
                f"does not say what it is: {error}", appliance=self.name, command=command, seen=text.encode()
            ) from error
        if self.build is not None and build != self.build:
            raise IdentityMismatch(
                f"build {self.build} answered before, now {build}", appliance=self.name, state_known=False
            )
        self.build = build
        if self._map is None or not self.is_up:
            return
        listed = ask(self._target("/maps"))
        try:
            maps = read_maps(_json_or_text(listed))
        except (KeyError, ValueError) as error:
            raise MalformedResponse(f"lists no maps: {error}", appliance=self.name, seen=listed.encode()) from error
        if not any(each.is_active and each.identifier == self._map.identifier for each in maps):
            self.is_up = False
            raise RebootDetected(
                "its map no longer runs: the appliance restarted, or somebody stopped it", appliance=self.name,
                state_known=False,
            )  # fmt: skip


def _json_or_text(text: str) -> Json:
    try:
        return read_json(text.encode())
    except (ValueError, RecursionError):
        return text.strip()
