"""The SSH links keep the link contract against scripted servers: lines of a command, and answers of a shell."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Unpack

import pytest

from impairlab.drivers.links.link import Link, LinkOptions
from impairlab.drivers.links.ssh import HostKey, Login, Manners, ShellLink, SshEndpoint, SshLineLink, Trust
from impairlab.drivers.model.errors import (
    ConnectionLost,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    UnexpectedOutput,
)
from impairlab.drivers.testing.links import LONG_NS, LinkContract
from impairlab.drivers.testing.peers import Script, Wire, answering
from impairlab.drivers.testing.ssh_peer import ChannelWire, House, ShellWire, as_shell, new_host_key, ssh_peer

MS = 1_000_000
HOUSE = House(host_key=new_host_key())
FINGERPRINT = HostKey(HOUSE.host_key.get_name(), HOUSE.host_key.asbytes()).fingerprint


def endpoint_of(address: str) -> SshEndpoint:
    host, _, port = address.rpartition(":")
    return SshEndpoint(host, int(port), Login("admin", ""), Trust(Path("/nonexistent"), FINGERPRINT))


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(5)  # a timer that was cancelled needs a moment to end
    assert set(threading.enumerate()) - before == set()


class SshContract(LinkContract):
    def unreachable_address(self) -> str:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            return f"127.0.0.1:{listener.getsockname()[1]}"


class TestSshLineLink(SshContract):
    @contextmanager
    def serve(self, script: Script) -> Iterator[str]:
        with ssh_peer(script, HOUSE) as (host, port):
            yield f"{host}:{port}"

    def open_link(self, address: str, **options: Unpack[LinkOptions]) -> SshLineLink:
        return SshLineLink(endpoint_of(address), "agent", **options)

    def test_command_that_fails_says_so_in_its_own_words(self) -> None:
        def fails(_number: int, wire: ChannelWire) -> None:
            wire.complain(b"sh: 1: agent: not found\n")
            wire.channel.send_exit_status(127)

        with (
            ssh_peer(fails, HOUSE) as (host, port),
            self.open_link(f"{host}:{port}", timeout_ns=LONG_NS) as link,
            pytest.raises(ConnectionLost, match="exit status 127: sh: 1: agent: not found"),
        ):
            link.query("A?")


class TestShellLink(SshContract):
    """A shell's answers end at the prompt and not at the end of a line: where that matters, the contract reads so."""

    @contextmanager
    def serve(self, script: Script) -> Iterator[str]:
        with ssh_peer(as_shell(script), HOUSE) as (host, port):
            yield f"{host}:{port}"

    def open_link(self, address: str, **options: Unpack[LinkOptions]) -> Link:
        return ShellLink(endpoint_of(address), Manners(prompt=re.compile(r".*\]> ")), **options)

    def test_mute_peer_is_no_response_at_the_deadline_and_the_next_use_reconnects(self) -> None:
        """Also when the terminal has echoed the command."""

        def mute_at_first(number: int, wire: ChannelWire) -> None:
            if number == 1:
                ShellWire(wire).read_line()
                wire.read_line()
            else:
                as_shell(answering(lambda _line: "2"))(number, wire)

        with ssh_peer(mute_at_first, HOUSE) as (host, port), self.open_link(f"{host}:{port}") as link:
            with pytest.raises(NoResponse) as raised:
                link.query("A?", 80 * MS)
            assert raised.value.seen == b""
            assert link.query("B?", LONG_NS) == "2"

    def test_answer_without_an_end_is_a_partial_response(self) -> None:
        """The prompt does not begin a line: it may belong to the answer."""

        def unfinished(number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                wire.send(b"0.04" if number == 1 else line.encode() + b"\r\n")

        with self.serve(unfinished) as address, self.open_link(address) as link:
            with pytest.raises(PartialResponse) as raised:
                link.exchange("DEL?", 80 * MS)
            assert raised.value.seen.startswith(b"0.04")
            assert not raised.value.state_known
            assert link.query("B?", LONG_NS) == "B?"

    def test_query_returns_the_line_without_its_end(self) -> None:
        """Nor the blanks at its end, which a terminal does not show."""
        with self.serve(answering(lambda line: f"got {line}  \r")) as address, self.open_link(address) as link:
            assert link.query("DEL?") == "got DEL?"
            assert link.query("") == "got"

    def test_bytes_that_nobody_asked_for_are_refused_and_then_forgotten(self) -> None:
        answered, pushed = Event(), Event()

        def pushy(number: int, wire: ChannelWire) -> None:
            def push() -> None:
                assert answered.wait(10)
                wire.send(b"\r\nBroadcast message\r\n")
                pushed.set()
                wire.read_line()

            serve_and_then(wire, push) if number == 1 else as_shell(answering(str))(number, wire)

        with ssh_peer(pushy, HOUSE) as (host, port), self.open_link(f"{host}:{port}") as link:
            assert link.query("A?") == "A?"
            answered.set()
            assert pushed.wait(10)
            _wait_until(link._channel._channel._channel.recv_ready)
            with pytest.raises(UnexpectedOutput) as raised:
                link.query("B?")
            assert b"Broadcast" in raised.value.seen
            assert link.query("C?") == "C?"

    def test_idle_connection_that_the_peer_closed_is_made_anew_in_silence(self) -> None:
        """Also when the shell says goodbye."""
        answered, closed = Event(), Event()

        def logs_out(number: int, wire: ChannelWire) -> None:
            def say_goodbye() -> None:
                assert answered.wait(10)
                wire.send(b"\r\nIdle for too long. Goodbye.\r\n")
                wire.close()
                closed.set()

            serve_and_then(wire, say_goodbye) if number == 1 else as_shell(answering(str))(number, wire)

        with ssh_peer(logs_out, HOUSE) as (host, port), self.open_link(f"{host}:{port}") as link:
            assert link.query("A?") == "A?"
            answered.set()
            assert closed.wait(10)
            assert link.query("B?") == "B?"

    def test_unanswered_write_before_a_close_leaves_the_state_unknown(self) -> None:
        def hang_up_on_writes(_number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                if line == "DEL 1":
                    return
                wire.send(line.encode() + b"\r\n")

        with self.serve(hang_up_on_writes) as address, self.open_link(address) as link:
            with pytest.raises(ConnectionLost) as raised:
                link.write("DEL 1")
            assert raised.value.command == "DEL 1"
            assert not raised.value.state_known
            assert link.query("B?") == "B?"

    def test_write_is_answered_by_the_prompt_alone(self) -> None:
        def quiet(_number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                if line.endswith("?"):
                    wire.send(line.encode() + b"\r\n")

        with self.serve(quiet) as address, self.open_link(address) as link:
            link.write("DEL 1")
            with pytest.raises(UnexpectedOutput, match="DEL"):
                link.write("DEL?")
            assert link.query("B?") == "B?"

    def test_answer_that_is_no_text_or_has_no_bound_is_malformed(self) -> None:
        def garbage(number: int, wire: Wire) -> None:
            while (line := wire.read_line()) is not None:
                wire.send({1: b"\x00\xff\xfe#!\n", 2: b"9" * 5000}.get(number, line.encode() + b"\n"))

        with self.serve(garbage) as address, self.open_link(address, longest_line=1000) as link:
            with pytest.raises(MalformedResponse) as raised:
                link.query("A?")
            assert b"\x00\xff" in raised.value.seen
            with pytest.raises(MalformedResponse) as raised:
                link.query("B?")
            assert b"999" in raised.value.seen
            assert link.query("C?") == "C?"


def serve_and_then(wire: ChannelWire, afterwards: Callable[[], None]) -> None:
    """Answer one command of a shell with itself, show the prompt again, and then go on as told."""
    shell = ShellWire(wire)
    shell.send((shell.read_line() or "").encode() + b"\r\nbox]> ")
    afterwards()


def _wait_until(holds: Callable[[], bool]) -> None:
    pause = Event()
    for _ in range(1000):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("did not come true")
