"""LinkContract: what every link must do, against peers that misbehave in every known way. Inherit it in a test module.

class TestTcpLink(LinkContract):
    @contextmanager
    def serve(self, script): ...       # a peer that runs the script on each connection; yields an address
    def open_link(self, address, **options): ...
    def unreachable_address(self): ...
"""

# ruff: noqa: D102, S101 - these are tests: the name says what holds, and assert is how they say it

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event
from typing import Unpack

import pytest

from impairlab.drivers.links.identity import QUESTION, IdentityGuard
from impairlab.drivers.links.link import Link, LinkOptions
from impairlab.drivers.links.wire_log import WireLog, read_wire_log
from impairlab.drivers.model.errors import (
    ConnectError,
    ConnectionLost,
    IdentityMismatch,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    RebootDetected,
    SessionLimit,
    TransportError,
    UnexpectedOutput,
)
from impairlab.drivers.testing.peers import Script, Wire, answering

MS = 1_000_000
LONG_NS = 20_000 * MS
"""A deadline that a test must not come near."""
SHORT_NS = 80 * MS
AT_ONCE_NS = 2_000 * MS


class LinkContract(ABC):
    """The tests. A subclass says how to serve a script and how to open a link to it.

    Attributes:
        questions: How many each of four threads asks at the same time; fewer where each takes long.
    """

    questions = 500

    @abstractmethod
    def serve(self, script: Script) -> AbstractContextManager[str]:
        """Run a peer; yield an address that `open_link` takes."""

    @abstractmethod
    def open_link(self, address: str, **options: Unpack[LinkOptions]) -> Link:
        """Open the link under test."""

    @abstractmethod
    def unreachable_address(self) -> str:
        """Return an address where nobody answers."""

    def test_query_returns_the_line_without_its_end(self) -> None:
        with self.serve(answering(lambda line: f"got {line}\r")) as address, self.open_link(address) as link:
            assert link.query("DEL?") == "got DEL?"
            assert link.query("") == "got "

    def test_exchange_brackets_the_moment_in_which_the_peer_acted(self) -> None:
        acted: list[int] = []

        def act(_line: str) -> str:
            acted.append(time.monotonic_ns())
            return "1"

        with self.serve(answering(act)) as address, self.open_link(address) as link:
            done = link.exchange("DEL 1;*OPC?")
        assert done.reply == "1"
        assert done.sent_ns <= acted[0] <= done.acknowledged_ns

    def test_nobody_there_is_a_connect_error(self) -> None:
        with pytest.raises(ConnectError) as raised:
            self.open_link(self.unreachable_address())
        assert raised.value.appliance
        assert raised.value.state_known

    def test_peer_closing_instead_of_answering_is_known_at_once(self) -> None:
        def hang_up(_number: int, wire: Wire) -> None:
            wire.read_line()

        with self.serve(hang_up) as address, self.open_link(address, timeout_ns=LONG_NS) as link:
            started = time.monotonic_ns()
            with pytest.raises(ConnectionLost) as raised:
                link.query("DEL?")
            assert time.monotonic_ns() - started < AT_ONCE_NS
            assert raised.value.command == "DEL?"
            assert raised.value.retryable
            with pytest.raises(ConnectionLost) as raised:
                link.exchange("DEL 1;*OPC?")
            assert not raised.value.state_known
            assert not raised.value.retryable

    def test_peer_closing_in_the_middle_of_an_answer_shows_what_came(self) -> None:
        def half(_number: int, wire: Wire) -> None:
            wire.read_line()
            wire.send(b"0.0")

        with self.serve(half) as address, self.open_link(address, timeout_ns=LONG_NS) as link:
            with pytest.raises(ConnectionLost) as raised:
                link.query("DEL?")
            assert raised.value.seen == b"0.0"

    def test_mute_peer_is_no_response_at_the_deadline_and_the_next_use_reconnects(self) -> None:
        def mute_at_first(number: int, wire: Wire) -> None:
            while wire.read_line() is not None:
                if number > 1:
                    wire.send(b"2\n")

        with self.serve(mute_at_first) as address, self.open_link(address) as link:
            started = time.monotonic_ns()
            with pytest.raises(NoResponse) as raised:
                link.query("A?", SHORT_NS)
            assert SHORT_NS <= time.monotonic_ns() - started < AT_ONCE_NS
            assert raised.value.seen == b""
            assert link.query("B?", LONG_NS) == "2"

    def test_late_answer_is_never_taken_for_the_next_one(self) -> None:
        over = Event()

        def late_at_first(number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                if line == "SLOW?":
                    over.wait(10)
                wire.send(f"{number}:{line}\n".encode())

        with self.serve(late_at_first) as address, self.open_link(address) as link:
            with pytest.raises(NoResponse):
                link.query("SLOW?", SHORT_NS)
            over.set()
            assert [link.query(f"Q{n}?", LONG_NS) for n in range(20)] == [f"2:Q{n}?" for n in range(20)]

    def test_answer_without_an_end_is_a_partial_response(self) -> None:
        def unfinished(number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                wire.send(b"0.04" if number == 1 else line.encode() + b"\n")

        with self.serve(unfinished) as address, self.open_link(address) as link:
            with pytest.raises(PartialResponse) as raised:
                link.exchange("DEL?", SHORT_NS)
            assert raised.value.seen == b"0.04"
            assert not raised.value.state_known
            assert link.query("B?", LONG_NS) == "B?"

    def test_answer_in_pieces_is_put_together(self) -> None:
        def piecemeal(_number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                for byte in line.encode() + b"\r\n":
                    wire.send(bytes([byte]))

        with self.serve(piecemeal) as address, self.open_link(address) as link:
            assert link.query("0123456789") == "0123456789"

    def test_four_threads_get_their_own_answers(self) -> None:
        def ask(thread: int) -> list[str]:
            return [link.query(f"{thread}.{n}?", LONG_NS) for n in range(self.questions)]

        with (
            self.serve(answering(lambda line: f"re {line}")) as address,
            self.open_link(address) as link,
            ThreadPoolExecutor(4) as pool,
        ):
            for thread, replies in enumerate(pool.map(ask, range(4))):
                assert replies == [f"re {thread}.{n}?" for n in range(self.questions)]

    def test_bytes_that_nobody_asked_for_are_refused_and_then_forgotten(self) -> None:
        pushed = Event()

        def pushy(number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                wire.send(line.encode() + b"\n")
                if number == 1:
                    wire.send(b"SRQ +64\n")
                    pushed.set()

        with self.serve(pushy) as address, self.open_link(address) as link:
            with pytest.raises(UnexpectedOutput) as raised:  # noqa: PT012 - it comes with the first answer or after it
                for _ in range(2):
                    link.query("A?")
                    assert pushed.wait(10)
            assert b"SRQ +64" in raised.value.seen
            assert link.query("B?") == "B?"

    def test_answer_that_is_no_text_or_has_no_bound_is_malformed(self) -> None:
        def garbage(number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                wire.send({1: b"\x00\xff\xfe#!\n", 2: b"9" * 5000}.get(number, line.encode() + b"\n"))

        with self.serve(garbage) as address, self.open_link(address, longest_line=1000) as link:
            with pytest.raises(MalformedResponse) as raised:
                link.query("A?")
            assert raised.value.seen.startswith(b"\x00\xff")
            with pytest.raises(MalformedResponse) as raised:
                link.query("B?")
            assert raised.value.seen.startswith(b"999")
            assert link.query("C?") == "C?"

    def test_idle_connection_that_the_peer_closed_is_made_anew_in_silence(self) -> None:
        closed = Event()

        def one_each(_number: int, wire: Wire) -> None:
            line = wire.read_line()
            if line is not None:
                wire.send(line.encode() + b"\n")
                wire.close()
                closed.set()

        with self.serve(one_each) as address, self.open_link(address) as link:
            assert link.query("A?") == "A?"
            assert closed.wait(10)
            assert link.query("B?") == "B?"

    def test_unanswered_write_before_a_close_leaves_the_state_unknown(self) -> None:
        closed = Event()

        def hang_up_on_writes(_number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                if line == "DEL 1":
                    wire.close()
                    closed.set()
                    return
                wire.send(line.encode() + b"\n")

        with self.serve(hang_up_on_writes) as address, self.open_link(address) as link:
            before = time.monotonic_ns()
            assert before <= link.write("DEL 1") <= time.monotonic_ns()
            assert closed.wait(10)
            with pytest.raises(ConnectionLost) as raised:
                link.query("A?")
            assert raised.value.command == "DEL 1"
            assert not raised.value.state_known
            assert link.query("B?") == "B?"

    def test_greeting_refuses_another_appliance_after_a_reconnection(self) -> None:
        with (
            self.serve(_instrument({1: "0;Acme,W100,S1,1", 2: "0;Acme,W100,S2,1", 3: "0;Acme,W100,S1,1"})) as address,
            self.open_link(address, greeting=IdentityGuard("box")) as link,
        ):
            link.desynchronise("a test says so")
            with pytest.raises(IdentityMismatch, match="S2"):
                link.query("A?")
            assert link.query("B?") == "B?"

    def test_greeting_refuses_the_wrong_serial_number_at_once(self) -> None:
        with (
            self.serve(_instrument({1: "0;Acme,W100,S1,1"})) as address,
            pytest.raises(IdentityMismatch, match="S9"),
        ):
            self.open_link(address, greeting=IdentityGuard("box", serial="S9"))

    def test_greeting_reports_a_reboot_once(self) -> None:
        with (
            self.serve(_instrument({1: "128;Acme,W100,S1,1", 2: "128;Acme,W100,S1,1"})) as address,
            self.open_link(address, greeting=IdentityGuard("box")) as link,
        ):
            link.desynchronise("a test says so")
            with pytest.raises(RebootDetected) as raised:
                link.exchange("DEL 1;*OPC?")
            assert not raised.value.state_known
            assert link.query("B?") == "B?"

    def test_peer_that_hangs_up_on_the_greeting_has_no_session_left(self) -> None:
        def full(_number: int, wire: Wire) -> None:
            wire.close()

        with self.serve(full) as address, pytest.raises((SessionLimit, ConnectError)):
            self.open_link(address, greeting=IdentityGuard("box"))

    def test_resynchronise_waits_for_a_peer_that_boots(self) -> None:
        def slow_boot(number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                if number in {2, 3}:
                    return
                wire.send(b"0;Acme,W100,S1,1\n" if line == QUESTION else line.encode() + b"\n")

        with self.serve(slow_boot) as address, self.open_link(address, greeting=IdentityGuard("box")) as link:
            link.resynchronise(LONG_NS)
            assert link.query("B?") == "B?"

    def test_gap_keeps_exchanges_apart(self) -> None:
        with self.serve(answering(str)) as address, self.open_link(address, gap_ns=20 * MS) as link:
            first = link.exchange("A?")
            second = link.exchange("B?")
        assert second.sent_ns - first.acknowledged_ns >= 20 * MS

    def test_message_that_is_not_one_line_is_refused_before_it_is_sent(self) -> None:
        with self.serve(answering(str)) as address, self.open_link(address) as link:
            for message in ("A?\nB?", "A?\r", "DEL 5 µs"):
                with pytest.raises(ValueError, match="one line of ASCII"):
                    link.query(message)
            assert link.query("C?") == "C?"

    def test_closed_link_says_so(self) -> None:
        with self.serve(answering(str)) as address:
            link = self.open_link(address)
            link.close()
            link.close()
            with pytest.raises(TransportError, match="closed"):
                link.query("A?")

    def test_wire_log_holds_every_line_and_no_secret(self, tmp_path: Path) -> None:
        path = tmp_path / "wire.jsonl"
        with (
            self.serve(answering(lambda line: f"re {line}")) as address,
            WireLog(path) as log,
            self.open_link(address, wire_log=log, secrets=["hunter2"], timeout_ns=LONG_NS) as link,
        ):
            done = link.exchange("LOGIN hunter2")
        records = list(read_wire_log(path))
        assert [r.text for r in records if r.direction == "sent"] == ["LOGIN ***"]
        assert [r.text for r in records if r.direction == "received"] == ["re LOGIN ***"]
        assert [r.ns for r in records if r.direction == "sent"] == [done.sent_ns]
        assert "hunter2" not in path.read_text()

    def test_errors_hold_no_secret(self) -> None:
        def echo_and_hang_up(_number: int, wire: Wire) -> None:
            wire.send((wire.read_line() or "").encode())

        with self.serve(echo_and_hang_up) as address, self.open_link(address, secrets=["hunter2"]) as link:
            with pytest.raises(ConnectionLost) as raised:
                link.query("LOGIN hunter2")
            assert raised.value.command == "LOGIN ***"
            assert raised.value.seen == b"LOGIN ***"


def _instrument(greetings: dict[int, str]) -> Script:
    """Answer the greeting of the nth connection as given, and everything else with itself."""

    def serve(number: int, wire: Wire) -> None:
        while (line := wire.read_line()) is not None:
            wire.send((greetings[number] if line == QUESTION else line).encode() + b"\n")

    return serve
