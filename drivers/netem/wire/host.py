"""Host: the machine that this runs on, as far as a driver of netem touches it."""

from __future__ import annotations

import os
import platform
import socket
from contextlib import suppress

from . import claims, offloads
from .socket import RouteSocket
from .spare import Spare

NOTES = "/run/impairlab"
"""Where notes are kept; gone after a restart."""


class Host:
    """Devices, their offloads and claims, notes, and the kernel's rtnetlink; a context manager that lets go of all.

    Attributes:
        route: To the kernel, in the namespace of this process.
        nodename: Of the machine.
        system: Its kernel's name.
        release: Its kernel's release.
        ssh_session: SSH_CONNECTION of this process; "" without one.
        namespace: A number of its network namespace.

    Raises:
        OSError: The system has no rtnetlink.
    """

    def __init__(self) -> None:
        self.route = RouteSocket()
        self.nodename = platform.node()
        self.system = platform.system()
        self.release = platform.release()
        self.ssh_session = os.environ.get("SSH_CONNECTION", "")
        self.namespace = os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116 - as on the oldest Python that a host may have
        self._claims: list[socket.socket] = []

    def __enter__(self) -> Host:  # noqa: PYI034 - Self is of Python 3.11, a host may have 3.8
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of claims and close. A second call does nothing."""
        self.release_claims()
        self.route.close()

    def claim(self, device: str) -> str | None:
        """Claim a device; return who has it where that is somebody else, None when it is ours now."""
        sock = claims.claim(device)
        if sock is None:
            return claims.holder(device) or f"another process, which drives {device}"
        self._claims.append(sock)
        return None

    def holder(self, device: str) -> str | None:
        """Return who has a claim on a device; None where nobody has."""
        return claims.holder(device)

    def release_claims(self) -> None:
        """Let go of every device."""
        while self._claims:
            self._claims.pop().close()

    def merging(self, device: str) -> tuple[bool | None, bool | None]:
        """Return whether GRO and LRO of a device are on; None where it cannot say."""
        return offloads.merging(device)

    def set_gro(self, device: str, *, on: bool) -> None:
        """Have what comes in merged by the kernel, or not. Raises OSError."""
        offloads.set_gro(device, on=on)

    def set_lro(self, device: str, *, on: bool) -> None:
        """Have what comes in merged by the hardware, or not. Raises OSError."""
        offloads.set_lro(device, on=on)

    def speed(self, device: str) -> int | None:
        """Return bit/s; None where the device does not say."""
        try:
            with open(f"/sys/class/net/{device}/speed", encoding="ascii") as file:  # noqa: PTH123
                megabits = int(file.read())
        except (OSError, ValueError):
            return None
        return megabits * 10**6 if megabits > 0 else None

    def read_note(self, name: str) -> str | None:
        """Return a note; None where there is none that can be read."""
        try:
            with open(f"{NOTES}/{name}", encoding="utf-8") as file:  # noqa: PTH123
                return file.read()
        except (OSError, ValueError):
            return None

    def write_note(self, name: str, text: str) -> None:
        """Keep a note, whole or not at all. Raises OSError."""
        os.makedirs(NOTES, exist_ok=True)  # noqa: PTH103
        draft = f"{NOTES}/{name}.new"
        with open(draft, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
        os.replace(draft, f"{NOTES}/{name}")  # noqa: PTH105

    def drop_note(self, name: str) -> None:
        """Keep a note no longer."""
        with suppress(FileNotFoundError):
            os.unlink(f"{NOTES}/{name}")  # noqa: PTH108

    def spare(self) -> Spare:
        """Return a namespace to try things out in. Raises PermissionError."""
        return Spare()
