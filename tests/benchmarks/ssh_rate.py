"""How long SSH takes against OpenSSH's server: a connection, a line through a command, a command of a shell."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figures import Figure

from impairlab.drivers.links.line_link import LineLink
from impairlab.drivers.links.ssh import ShellLink, SshConnection, SshEndpoint, SshLineLink
from impairlab.drivers.testing.sshd import SSHD, Sshd

CONNECTIONS = 15
EXCHANGES = 1000


def measure() -> Iterator[Figure]:
    if SSHD is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        sshd = Sshd(Path(folder))
        with sshd.running():
            endpoint = sshd.enrol()
            yield Figure("SSH: connect, log in, close", statistics.median(connections(endpoint)), "ms")
            with SshLineLink(endpoint, "cat") as link:
                yield exchanges("SSH: a line to `cat` and back", link, "A?")
            with ShellLink(endpoint) as link:
                yield exchanges("SSH: `echo A` in a login shell on a terminal", link, "echo A")


def connections(endpoint: SshEndpoint) -> list[float]:
    taken = []
    for _ in range(CONNECTIONS):
        started_ns = time.monotonic_ns()
        SshConnection(endpoint).close()
        taken.append((time.monotonic_ns() - started_ns) / 1e6)
    return taken


def exchanges(what: str, link: LineLink, message: str) -> Figure:
    done = [link.exchange(message) for _ in range(EXCHANGES)]
    taken = sorted((each.acknowledged_ns - each.sent_ns) / 1e6 for each in done)
    return Figure(what, statistics.median(taken), "ms", beside=f"p99 {taken[EXCHANGES * 99 // 100]:.2f} ms")
