"""A shell as shells are: banners, colours, pagers, prompts that come late or change, sessions that are taken."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from impairlab.drivers.links.ssh import HostKey, Login, Manners, ShellLink, SshEndpoint, Trust
from impairlab.drivers.model.errors import ConnectionLost, MalformedResponse, PartialResponse, SessionLimit
from impairlab.drivers.testing.ssh_peer import ChannelWire, House, ShellWire, new_host_key, ssh_peer

MS = 1_000_000
LONG_NS = 20_000 * MS
HOUSE = House(host_key=new_host_key())
FINGERPRINT = HostKey(HOUSE.host_key.get_name(), HOUSE.host_key.asbytes()).fingerprint
KNOWN = Manners(prompt=re.compile(r".*\]> "))


def shell(address: tuple[str, int], manners: Manners | None = None, **options) -> ShellLink:
    endpoint = SshEndpoint(*address, Login("admin", ""), Trust(Path("/nonexistent"), FINGERPRINT))
    return ShellLink(endpoint, manners, timeout_ns=LONG_NS, **options)


def serving(answer: Callable[[ChannelWire, str], None], **manners: bytes) -> Callable[[int, ChannelWire], None]:
    def serve(_number: int, wire: ChannelWire) -> None:
        person = ShellWire(wire, **manners)
        while (line := person.read_line()) is not None:
            answer(wire, line)

    return serve


def echoing(wire: ChannelWire, line: str) -> None:
    wire.send(f"re {line}\r\n".encode())


@pytest.mark.parametrize("manners", [None, KNOWN])
@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"Welcome to the box]> of wonders\r\n\r\nLast login: never\r\n",
        b"\x1b]0;admin@box\x07\x1b[2J\x1b[HWelcome\r\n\x1b[?2004h",
        b"\r\n" * 60,
    ],
)
def test_banner_is_passed_over_and_the_prompt_learned(manners: Manners | None, greeting: bytes) -> None:
    with ssh_peer(serving(echoing, greeting=greeting), HOUSE) as address, shell(address, manners) as link:
        assert link.prompt == "box]> "
        assert link.query("show") == "re show"


def test_prompt_with_colours_and_a_title_is_learned_as_it_stands() -> None:
    prompt = b"\x1b]0;box\x07\x1b[01;32mbox\x1b[00m:\x1b[01;34m~\x1b[00m# \x1b[K"
    with ssh_peer(serving(echoing, prompt=prompt), HOUSE) as address, shell(address) as link:
        assert link.prompt == "box:~# "
        assert link.query("show") == "re show"


def test_answer_in_colours_of_many_lines_is_plain_text() -> None:
    def colourful(wire: ChannelWire, _line: str) -> None:
        wire.send(b"\x1b[1mfirst\x1b[0m\r\n\r\n\r\nsecond\x1b[K\r\nbox]> is not the end\r\n")

    with ssh_peer(serving(colourful), HOUSE) as address, shell(address) as link:
        assert link.query("show") == "first\n\n\nsecond\nbox]> is not the end"


@pytest.mark.parametrize("erase", [b"\r        \r", b"\r\x1b[K", b"\b" * 8 + b" " * 8 + b"\b" * 8, b"\r\n", b""])
@pytest.mark.parametrize("pager", [b"--More--", b"-- more --", b"\x1b[7m--More-- (40%)\x1b[0m", b"lines 1-24"])
def test_pages_are_turned_and_leave_nothing_behind(erase: bytes, pager: bytes) -> None:
    def paged(wire: ChannelWire, _line: str) -> None:
        for page in range(3):
            wire.send(f"line {page}\r\n".encode() + pager)
            assert wire.read_some() == b" "
            wire.send(erase)
        wire.send(b"end\r\n")

    with ssh_peer(serving(paged), HOUSE) as address, shell(address, KNOWN) as link:
        answer = link.query("show")
    assert [line for line in answer.split("\n") if line] == ["line 0", "line 1", "line 2", "end"]


def test_pager_without_an_end_is_given_up() -> None:
    def endless(wire: ChannelWire, _line: str) -> None:
        wire.send(b"more of it\r\n--More--")
        while wire.read_some():
            wire.send(b"\rmore of it\r\n--More--")

    with (
        ssh_peer(serving(endless), HOUSE) as address,
        shell(address, Manners(prompt=KNOWN.prompt, most_pages=5)) as link,
        pytest.raises(MalformedResponse, match="more than 5 pages"),
    ):
        link.query("show")


def test_shell_that_ends_at_its_pager_is_lost_at_once() -> None:
    def ends(wire: ChannelWire, _line: str) -> None:
        wire.send(b"line 0\r\n--More--")
        wire.close()

    with (
        ssh_peer(serving(ends), HOUSE) as address,
        shell(address, KNOWN) as link,
        pytest.raises(ConnectionLost) as raised,
    ):
        link.query("show")
    assert raised.value.command == "show"


def test_prompt_that_comes_late_is_not_an_answer() -> None:
    """The prompt for the last Enter arrives after the link has begun to ask."""

    def slow(_number: int, wire: ChannelWire) -> None:
        wire.send(b"box]> ")
        for _ in range(2):
            wire.read_line()
            wire.send(b"\r\nbox]> ")
        command = wire.read_line()
        wire.send(b"\r\nbox]> ")
        wire.send(f"{command}\r\nre {command}\r\nbox]> ".encode())
        wire.read_line()

    with ssh_peer(slow, HOUSE) as address, shell(address, KNOWN) as link:
        assert link.query("show") == "re show"


def test_prompt_that_is_never_the_same_is_not_learned() -> None:
    def clock(_number: int, wire: ChannelWire) -> None:
        wire.send(b"[0]> ")
        for number in range(1, 1_000_000):
            if wire.read_line() is None:
                return
            wire.send(f"\r\n[{number}]> ".encode())

    with (
        ssh_peer(clock, HOUSE) as address,
        pytest.raises(PartialResponse, match=r"no prompt came twice in a row; the last line is '\[\d+\]> '"),
    ):
        shell(address, KNOWN, connect_timeout_ns=5_000 * MS)


def test_shell_that_waits_for_enter_is_woken() -> None:
    def asleep(_number: int, wire: ChannelWire) -> None:
        wire.read_line()
        wire.send(b"\r\n")
        serving(echoing)(1, wire)

    with ssh_peer(asleep, HOUSE) as address, shell(address, KNOWN) as link:
        assert link.query("show") == "re show"


def test_shell_that_ends_before_its_prompt_has_no_session_left_and_says_why() -> None:
    def full(_number: int, wire: ChannelWire) -> None:
        wire.send(b"Sorry, 4 of 4 sessions are in use\r\n")

    started = time.monotonic()
    with ssh_peer(full, HOUSE) as address, pytest.raises(SessionLimit, match="4 of 4 sessions are in use"):
        shell(address, connect_timeout_ns=LONG_NS)
    assert time.monotonic() - started < 10
