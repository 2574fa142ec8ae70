"""The terminal: what is typed, echoed, paged and coloured; sessions, and statistics."""

import asyncio
import time
from decimal import Decimal
from typing import Any

import asyncssh
import pytest

from impairlab.drivers.model import Conditions, Delay, Statistics, Target
from impairlab.sim_hardware.faults import (
    IdleDatapath,
    LateReply,
    Reboot,
    ReservedByOther,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StatisticsNotReady,
)
from impairlab.sim_hardware.netropy.house import TABLE

from .conftest import PROMPT, Netropy

SECOND = 1_000_000_000
SET = "engine 1 path 1 set delay constant 25 port 1 to port 2"
ON = "engine 1 emulation on"


def test_keys_are_echoed_and_can_be_taken_back(netropy) -> None:
    async def work(shell: Any) -> str:
        shell.stdin.write("engyn\x7f\x7fine 1 emulatiom\x08n on\r")
        first = await shell.stdout.readuntil(PROMPT)
        shell.stdin.write("rubbish\x15engine 1 emulation off\nmore rubbish\x03")
        return first + await shell.stdout.readuntil("^C") + await shell.stdout.readuntil(PROMPT)

    text = asyncio.run(netropy.session(work))
    assert text.startswith("engyn\b \b\b \bine 1 emulatiom\b \bn on\r\n[netropy]> rubbish" + "\b \b" * 7)
    assert text.endswith("more rubbish^C\r\n[netropy]> ")
    assert "Usage" not in text


def test_an_answer_is_paged_where_that_is_asked_for(make) -> None:
    netropy = make(page_lines=5)

    async def work(shell: Any) -> list[str]:
        shell.stdin.write("engine 1 path 1 show\n")
        pages = [await shell.stdout.readuntil("--More--")]
        shell.stdin.write(" ")
        pages.append(await shell.stdout.readuntil("--More--"))
        shell.stdin.write("q")
        pages.append(await shell.stdout.readuntil(PROMPT))
        return pages

    first, second, end = asyncio.run(netropy.session(work))
    assert first.count("\r\n") == 1 + 5
    assert second.startswith("\r        \r")
    assert end == f"\r        \r{PROMPT}"


def test_the_prompt_is_coloured_where_that_is_asked_for(make) -> None:
    netropy = make(ansi=True)
    shown = asyncio.run(netropy.session(lambda shell: shell.stdout.readexactly(len("\x1b[0m"))))
    assert shown == "\x1b[0m"


@pytest.mark.parametrize("word", ["exit", "quit", "logout", "\x04"])
def test_a_session_can_be_left(netropy, word) -> None:
    async def work(shell: Any) -> tuple[str, int]:
        shell.stdin.write(word if word == "\x04" else f"{word}\n")
        rest = await shell.stdout.read()
        return rest, (await shell.wait()).exit_status

    assert asyncio.run(netropy.session(work)) == ("" if word == "\x04" else f"{word}\r\n", 0)


def test_the_wrong_password_and_what_is_no_shell_are_refused(netropy) -> None:
    async def nothing(_: Any) -> None: ...

    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(netropy.session(nothing, password="wrong"))  # noqa: S106

    async def command() -> None:
        host, port = netropy.sim.endpoint
        async with asyncssh.connect(
            host, port, username="admin", password="", known_hosts=None, client_keys=None
        ) as connection:
            await connection.run("engine 1 path 1 show")

    with pytest.raises(asyncssh.ChannelOpenError):
        asyncio.run(command())


def test_a_key_lets_in_and_another_does_not(make) -> None:
    mine, other = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    netropy = make(passwords={"admin": "x"}, authorized_keys=[mine.export_public_key().decode()])

    async def work(_: Any) -> str:
        return "in"

    assert asyncio.run(netropy.session(work, client_keys=[mine], password=None)) == "in"
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(netropy.session(work, client_keys=[other], password=None))
    with pytest.raises(ValueError, match="no public key"):
        make(authorized_keys=["ssh-ed25519 AAAA"])


def test_sessions_beyond_the_cap_are_closed_at_once(make) -> None:
    netropy = make(max_sessions=1)

    async def work(first: Any) -> str:
        del first
        host, port = netropy.sim.endpoint
        async with (
            asyncssh.connect(
                host, port, username="admin", password="", known_hosts=None, client_keys=None
            ) as connection,
            connection.create_process(term_type="vt100") as second,
        ):
            return await second.stdout.read()

    assert asyncio.run(netropy.session(work)) == ""


def test_statistics_are_error_for_a_second_after_a_reset(netropy) -> None:
    _, hasty = netropy.type("engine 1 statistics reset", "engine 1 statistics total")
    assert hasty.split("\n")[3] == "ERROR"
    netropy.clock.now_ns += SECOND
    (patient,) = netropy.type("engine 1 statistics total")
    assert "ERROR" not in patient


def test_statistics_are_a_table_of_paths_directions_and_types(netropy) -> None:
    netropy.type("engine 1 statistics reset")
    at = Target(path="2", direction="b-a")
    for second, count in ((2, 10), (4, 30)):
        netropy.clock.now_ns = second * SECOND
        netropy.plane.counters = {
            at: Statistics(at_ns=1, forwarded_bytes=100 * count, forwarded_packets=count, dropped_total=count // 10)
        }
        pages = netropy.type(*(f"engine 1 statistics {kind}" for kind in ("total", "interval", "cumulative")))
    tables = [[line.split(",") for line in page.split("\n")] for page in pages]
    paths, directions, types, *rows = tables[0]
    assert (paths[0], directions[0]) == ("", "")
    column = next(at for at, path in enumerate(paths) if path == "2" and directions[at] == "Port 2 to Port 1")
    assert types[column : column + 4] == ["tx_rate(bps)", "tx_bytes", "tx_frames", "drops"]
    assert [[row[0], *row[column : column + 4]] for row in rows] == [["4", "6000", "3000", "30", "3"]]
    assert [[row[0], *row[column : column + 4]] for row in tables[1][3:]] == [
        ["2", "4000", "1000", "10", "1"], ["4", "8000", "2000", "20", "2"],
    ]  # fmt: skip
    assert [row[column + 2] for row in tables[2][3:]] == ["10", "30"]
    assert rows[0][1] == "", "what is not counted is empty"


def test_faults_of_the_box(netropy: Netropy) -> None:
    sim = netropy.sim
    sim.inject(SilentlyIgnored())
    netropy.type(ON, SET)
    assert netropy.suffered().is_neutral
    sim.inject(SilentClamp("delay", Decimal(20)))
    netropy.type(SET)
    assert netropy.suffered() == Conditions.of(Delay(mean="20 ms"))
    sim.inject(IdleDatapath())
    netropy.type("engine 1 emulation off")
    assert netropy.suffered() == Conditions.of(Delay(mean="20 ms"))
    sim.inject(StatisticsNotReady(for_ns=5 * SECOND))
    netropy.type("engine 1 statistics reset")
    netropy.clock.now_ns += 2 * SECOND
    assert netropy.type("engine 1 statistics total")[0].endswith("ERROR")
    with pytest.raises(ValueError, match="no fault ReservedByOther; it has"):
        sim.inject(ReservedByOther())


@pytest.mark.parametrize("fault", [SessionExpired(), Reboot()])
def test_faults_that_end_every_session(netropy: Netropy, fault) -> None:
    async def work(shell: Any) -> str:
        await asyncio.to_thread(netropy.sim.inject, fault)
        return await shell.stdout.read()

    netropy.type(ON, SET)
    with pytest.raises((OSError, asyncssh.ConnectionLost)):
        asyncio.run(netropy.session(work))
    assert netropy.suffered().is_neutral == isinstance(fault, Reboot)
    assert netropy.type(ON) == [""]


def test_a_late_reply_comes_late(netropy: Netropy) -> None:
    async def work(shell: Any) -> int:
        netropy.sim.inject(LateReply(200_000_000))
        begun = time.monotonic_ns()
        shell.stdin.write(f"{ON}\n")
        await shell.stdout.readuntil(PROMPT)
        return time.monotonic_ns() - begun

    assert asyncio.run(netropy.session(work)) >= 200_000_000


def test_every_house_answer_has_a_reason() -> None:
    assert all(each.question and each.answer and each.reason for each in TABLE)
    assert len({each.question for each in TABLE}) == len(TABLE)
