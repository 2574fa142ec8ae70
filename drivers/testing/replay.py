"""Replay: a peer that answers from a transcript in its order, and says which line was the first that differs.

Nobody can show another host's SSH key, so over SSH fingerprints in the results count as the peer's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from impairlab.drivers.links.ssh import HostKey
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.drivers.options import Options
from impairlab.drivers.registry import load_driver
from impairlab.drivers.testing.exercise import Result
from impairlab.drivers.testing.http_peers import HttpRequest, http_peer, read_request, response
from impairlab.drivers.testing.peers import SocketWire, tcp_peer
from impairlab.drivers.testing.ssh_peer import ChannelWire, House, ShellWire, new_host_key, ssh_peer
from impairlab.drivers.testing.transcript import Transcript, gone_through

_HIDDEN = "***"
_OF_THE_PLACE = {"https": {"fingerprint"}, "ssh": {"fingerprint", "known_keys", "key", "agent"}}
"""Settings of an address, by its scheme, that recognise a host or log in: of the place, and not of the appliance."""

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_PATIENT_NS = 10_000_000_000


class TranscriptMismatch(ImpairlabError):  # noqa: N818 - as its relatives are named
    """Something else was said, or came of it, than the transcript has."""


class Prompter:
    """Where in a transcript a replay is. Safe to use from several threads.

    Attributes:
        difference: The first line that differs; "" while there is none.
    """

    def __init__(self, transcript: Transcript) -> None:
        self._lines = transcript.lines
        self._at = 0
        self._lock = Lock()
        self.difference = ""

    def answers(self, said: str) -> list[str] | None:
        """Return what was answered to a line, up to the next one that was sent; None when another was expected."""
        with self._lock:
            if self.difference:
                return None
            if self._at == len(self._lines):
                self.difference = f"after its end: got {said!r}"
                return None
            number, expected = self._lines[self._at]
            if (expected.direction, expected.text) != ("sent", said):
                self.difference = f"line {number}: expected {expected.text!r}, got {said!r}"
                return None
            self._at += 1
        return self.opening()

    def opening(self) -> list[str]:
        """Return what was said before the next line that was sent: what a peer says when it is connected to."""
        with self._lock:
            begin = self._at
            while self._at < len(self._lines) and self._lines[self._at][1].direction == "received":
                self._at += 1
            return [record.text for _, record in self._lines[begin : self._at]]

    def finish(self) -> None:
        """Note a line that was not said.

        Raises:
            TranscriptMismatch: There is a difference.
        """
        if not self.difference and self._at < len(self._lines):
            number, expected = self._lines[self._at]
            self.difference = f"line {number}: expected {expected.text!r}, and nothing more was said"
        if self.difference:
            raise TranscriptMismatch(f"the transcript differs at {self.difference}")


def replay(transcript: Transcript) -> None:
    """Go through a transcript's exercise with its driver and a peer that answers from it.

    Raises:
        TranscriptMismatch: With the first line, or the first result, that differs.
    """
    prompter = Prompter(transcript)
    header = transcript.header
    with _peer(transcript, prompter) as address:
        try:
            options = Options(secret=_HIDDEN if header.has_secret else None, timeout_ns=_PATIENT_NS)
            with load_driver(header.driver)(address, options) as box:
                results = list(gone_through(header.exercise, box))
        except ImpairlabError as error:
            prompter.finish()
            raise TranscriptMismatch(f"every line was said as in the transcript, and then: {error}") from error
    prompter.finish()
    of_one_host = _without_fingerprints if _scheme(transcript) == "ssh" else _as_it_is
    for wanted, found in zip(transcript.results, results, strict=False):
        if of_one_host(wanted) != of_one_host(found):
            raise TranscriptMismatch(f"{wanted[0]}: expected {wanted[1]!r}, got {found[0]}: {found[1]!r}")
    if len(transcript.results) != len(results):
        raise TranscriptMismatch(f"{len(results)} results, expected {len(transcript.results)}")


def _peer(transcript: Transcript, prompter: Prompter) -> AbstractContextManager[str]:
    """Serve a transcript; yields the address of the appliance there."""
    scheme = _scheme(transcript)
    if scheme == "tcp":
        return _served(transcript, tcp_peer(_lines_of(prompter)))
    if scheme in {"http", "https"}:
        return _served(transcript, http_peer(_requests_of(prompter)))
    if scheme == "ssh":
        key = new_host_key()
        user = urlsplit(transcript.header.address).username or ""
        house = House(key, passwords={user: _HIDDEN if transcript.header.has_secret else ""})
        fingerprint = HostKey(key.get_name(), key.asbytes()).fingerprint
        return _served(transcript, ssh_peer(_shell_of(prompter), house), fingerprint)
    raise TranscriptMismatch(f"{transcript.header.address} cannot be replayed: only tcp, http, https and ssh can")


@contextmanager
def _served(
    transcript: Transcript, peer: AbstractContextManager[tuple[str, int]], fingerprint: str = ""
) -> Iterator[str]:
    with peer as (host, port):
        yield _moved(transcript.header.address, host, port, fingerprint)


def _scheme(transcript: Transcript) -> str:
    return urlsplit(transcript.header.address).scheme


def _as_it_is(result: Result) -> str:
    return json.dumps(result)


def _without_fingerprints(result: Result) -> str:
    return _FINGERPRINT.sub("SHA256:", json.dumps(result))


def _lines_of(prompter: Prompter) -> Callable[[int, SocketWire], None]:
    def serve(_: int, wire: SocketWire) -> None:
        wire.send("".join(prompter.opening()).encode())
        while (line := wire.read_line()) is not None:
            answers = prompter.answers(line)
            if answers is None:
                return
            wire.send(_as_sent(answers))

    return serve


def _as_sent(answers: list[str]) -> bytes:
    """Return the bytes of what was received: a record with line feeds is as it came, and any other is a line."""
    return "".join(answer if "\n" in answer else f"{answer}\n" for answer in answers).encode()


def _shell_of(prompter: Prompter) -> Callable[[int, ChannelWire], None]:
    def serve(_: int, wire: ChannelWire) -> None:
        shell = ShellWire(wire)
        while (line := shell.read_line()) is not None:
            answers = prompter.answers(line)
            if answers is None:
                return
            shown = "".join(f"{answer}\n" for answer in answers if answer)
            shell.send(shown.replace("\n", "\r\n").encode())

    return serve


def _requests_of(prompter: Prompter) -> Callable[[int, SocketWire], None]:
    def serve(_: int, wire: SocketWire) -> None:
        while (request := read_request(wire)) is not None:
            answers = prompter.answers(_as_logged(request))
            if not answers:
                return
            status, _space, body = answers[0].partition(" ")
            wire.send(response(int(status), body.encode(), "Content-Type: application/json"))

    return serve


def _as_logged(request: HttpRequest) -> str:
    return f"{request.method} {request.target} {request.body.decode()}".rstrip()


def _moved(address: str, host: str, port: int, fingerprint: str) -> str:
    """Return the address with another place, and without what belongs to the old one."""
    parts = urlsplit(address)
    user, at, _ = parts.netloc.rpartition("@")
    left_behind = _OF_THE_PLACE.get(parts.scheme, set())
    settings = [(name, value) for name, value in parse_qsl(parts.query) if name not in left_behind]
    if fingerprint:
        settings.append(("fingerprint", fingerprint))
    scheme = "http" if parts.scheme == "https" else parts.scheme
    return urlunsplit((scheme, f"{user}{at}{host}:{port}", parts.path, urlencode(settings), ""))
