"""A lab in the guest: a client and a server in namespaces of their own, and between them the box whose netem is driven.

client 10.1.0.2 --- wa (10.1.0.1)  box  wb (10.2.0.1) --- 10.2.0.2 server
"""

import ctypes
import os
import select
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Self, TypeVar

T = TypeVar("T")

CLIENT, SERVER = "10.1.0.2", "10.2.0.2"
ADDRESS = "netem://local?paths=wan:wa-wb"
_BUFFER = 128 * 1024 * 1024
_SO_RCVBUFFORCE, _SO_TIMESTAMPNS, _UDP_SEGMENT = 33, 35, 103
_BATCH = 32
"""Packets in one system call; with the longest payload here they fit into a datagram before it is cut."""


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


def make_lab() -> None:
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    for name, port, address, gateway in (("client", "wa", CLIENT, "10.1.0.1"), ("server", "wb", SERVER, "10.2.0.1")):
        run("ip", "netns", "add", name)
        run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", f"{gateway}/24", "dev", port)
        run("ip", "link", "set", port, "up")
        for words in (
            ("addr", "add", f"{address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
            ("route", "add", "default", "via", gateway),
        ):
            run("ip", "-n", name, *words)
        run("ip", "netns", "exec", name, "ethtool", "-K", "eth0", "tx-udp-segmentation", "off")
        # Neighbours are known, so that no packet waits for one to be found.
        mac = Path(f"/sys/class/net/{port}/address").read_text().strip()
        run("ip", "-n", name, "neigh", "replace", gateway, "lladdr", mac, "dev", "eth0", "nud", "permanent")
        theirs = run("ip", "-n", name, "-br", "link", "show", "eth0").split()[2]
        run("ip", "neigh", "replace", address, "lladdr", theirs, "dev", port, "nud", "permanent")


def remove_lab() -> None:
    for name in ("client", "server"):
        run("ip", "netns", "del", name)
    for port in ("wa", "wb"):
        subprocess.run(["ip", "link", "del", port], capture_output=True)


def inside(namespace: str, work: Callable[[], T]) -> T:
    """Do something in a network namespace; what sockets it makes stay there."""
    results: list[T] = []
    failures: list[Exception] = []

    def enter_and_work() -> None:
        descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            assert ctypes.CDLL(None, use_errno=True).setns(descriptor, 0) == 0
            results.append(work())
        except (OSError, AssertionError) as failure:
            failures.append(failure)
        finally:
            os.close(descriptor)

    thread = Thread(target=enter_and_work)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def udp(namespace: str, address: tuple[str, int]) -> socket.socket:
    def bound() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        sock.bind(address)
        return sock

    return inside(namespace, bound)


class Stream:
    """Numbered packets one way.

    Args:
        reverse: From the server to the client.
        port: Where they go.
        size: Bytes of payload.
    """

    def __init__(self, *, reverse: bool = False, port: int = 5000, size: int = 64) -> None:
        source, sink = (("server", SERVER), ("client", CLIENT)) if reverse else (("client", CLIENT), ("server", SERVER))
        self._to = (sink[1], port)
        self._padding = bytes(size - 12)
        self._sender = udp(source[0], (source[1], 0))
        self._sender.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, size)
        self._receiver = udp(sink[0], (sink[1], port))
        self._receiver.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._receiver.setblocking(False)
        self.sent = 0
        self.arrived: list[int] = []
        self.delays_ns: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sender.close()
        self._receiver.close()

    def send(self, count: int = 1) -> None:
        """Send some, many in one system call: the kernel cuts them apart before they reach the box."""
        while count:
            batch = min(count, _BATCH)
            now = time.time_ns()
            numbers = range(self.sent, self.sent + batch)
            self._sender.sendto(b"".join(struct.pack("=Iq", each, now) + self._padding for each in numbers), self._to)
            self.sent += batch
            count -= batch

    def take(self, wait_s: float = 0) -> int:
        """Take what has arrived, after waiting for a first packet; return how many there were."""
        before = len(self.arrived)
        if not wait_s or select.select([self._receiver], [], [], wait_s)[0]:
            with suppress(BlockingIOError):
                while True:
                    data, ((_, _, stamp),), _, _ = self._receiver.recvmsg(2048, 64)
                    number, at = struct.unpack_from("=Iq", data)
                    seconds, nanoseconds = struct.unpack("=qq", stamp)
                    self.delays_ns.append(seconds * 10**9 + nanoseconds - at)
                    self.arrived.append(number)
        return len(self.arrived) - before

    def take_until_quiet(self, quiet_s: float) -> None:
        """Take until nothing has come for a while: the last packet has arrived, or none will."""
        while self.take(quiet_s):
            pass

    @property
    def lost(self) -> int:
        return self.sent - len(self.arrived)

    def bursts(self) -> list[int]:
        """Return the lengths of the runs of lost packets."""
        lengths = []
        before = -1
        for number in [*sorted(self.arrived), self.sent]:
            if number - before > 1:
                lengths.append(number - before - 1)
            before = number
        return lengths
