"""Packets really cross: a client and a server namespace with the impairment engine between their TAP ports."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Literal, Self

from impairlab.drivers.model import FlowEntry, Statistics, Target
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.engine import KINDS
from impairlab.sim_hardware.planes.admission import refuse_impossible
from impairlab.sim_hardware.planes.netns_setup import A_SIDE, B_SIDE, NetnsReady, NetnsSetup, interface_of
from impairlab.sim_hardware.planes.plane import FILTER
from impairlab.sim_hardware.planes.worker import (
    ClearRequest,
    LastSwitchRequest,
    ProgramRequest,
    StatisticsRequest,
    Worker,
)

End = Literal["client", "server"]

_LARGEST_PATH_COUNT = 32


class NetnsPlane:
    """Two network namespaces, one path of TAP ports for each name, and a process that carries the packets.

    The client is on side a, the server on side b of every path. Works as root, and without where the kernel allows
    user namespaces. IPv4 only; neighbours are static, so no ARP exchange is impaired.

    Args:
        paths: Names of the paths.
        seed: Same seed and same packets at the same times: same result.
        spin_ns: Stop sleeping so long before a release is due and look all the time. Burns a CPU; only worth while
            with `realtime_priority`.
        realtime_priority: SCHED_FIFO priority 1..99 of the engine, 0 for the normal scheduler; needs root.

    Raises:
        ImpairlabError: This machine cannot do it; the message says why. See `available`.
    """

    options = KINDS | {FILTER}

    def __init__(
        self, paths: Sequence[str] = ("1",), *, seed: int = 0, spin_ns: int = 0, realtime_priority: int = 0
    ) -> None:
        if not 1 <= len(set(paths)) == len(paths) <= _LARGEST_PATH_COUNT:
            raise ValueError(f"1 to {_LARGEST_PATH_COUNT} different path names, not {paths!r}")
        if not sys.platform.startswith("linux") or shutil.which("nsenter") is None:
            raise ImpairlabError("that takes Linux and nsenter (Debian, Ubuntu: apt-get install util-linux)")
        self.paths = tuple(paths)
        module = "impairlab.sim_hardware.planes.netns_process"
        self._worker = Worker(module, NetnsSetup(self.paths, seed, spin_ns, realtime_priority))
        if not isinstance(self._worker.ready, NetnsReady):
            raise TypeError(self._worker.ready)
        self._ready = self._worker.ready

    @staticmethod
    def available() -> str | None:
        """Try it, which takes part of a second; return why this machine cannot have such a plane, None when it can."""
        try:
            with NetnsPlane() as plane:
                entered = subprocess.run(  # noqa: S603 - nsenter, and a program of ours that does nothing
                    plane.command_in("client", ["true"]), capture_output=True, text=True, check=False
                )
        except ImpairlabError as error:
            return str(error)
        if entered.returncode:
            return entered.stderr.strip() or f"nsenter ended with exit code {entered.returncode}"
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def rootless(self) -> bool:
        """Whether the namespaces belong to a user namespace."""
        return self._ready.rootless

    @property
    def client_address(self) -> str:
        """IPv4 address of the client on the first path."""
        return self.address("client", self.paths[0])

    @property
    def server_address(self) -> str:
        """IPv4 address of the server on the first path."""
        return self.address("server", self.paths[0])

    def address(self, end: End, path: str) -> str:
        """Return the IPv4 address of one end of a path; the path that a connection takes follows from it."""
        return str(interface_of(self.paths.index(path), A_SIDE if end == "client" else B_SIDE).ip)

    def command_in(self, end: End, argv: Sequence[str]) -> list[str]:
        """Return the command that runs `argv` in the namespace of the client or the server."""
        pid = self._worker.pid
        namespace = self._ready.client if end == "client" else self._ready.server
        user = ["--preserve-credentials", "--user", "--target", str(pid)] if self.rootless else []
        return ["nsenter", *user, f"--net=/proc/{pid}/fd/{namespace}", "--", *argv]

    def program(self, entries: Sequence[FlowEntry], at_ns: int | None) -> int:
        """Replace everything that is programmed; see `Plane.program`. A switch ahead returns the planned time at once.

        Raises:
            CapabilityError: An unknown path, "pfc", or a flow whose filter is missing; nothing has changed.
            ImpairlabError: The process of the plane is gone.
        """
        refuse_impossible(entries, self.paths, self.options)
        answer = self._worker.ask(ProgramRequest(tuple(entries), at_ns))
        if not isinstance(answer, int):
            raise TypeError(answer)
        return answer

    def last_switch_ns(self) -> int | None:
        """Return when the last switch really happened; None before the first."""
        answer = self._worker.ask(LastSwitchRequest())
        return answer if isinstance(answer, int) else None

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one flow."""
        refuse_impossible([FlowEntry(target=target.model_copy(update={"flow": 0}))], self.paths, self.options)
        answer = self._worker.ask(StatisticsRequest(target))
        if not isinstance(answer, Statistics):
            raise TypeError(answer)
        return answer

    def clear_statistics(self, target: Target | None) -> None:
        """Zero the counters of one flow, or of all with None."""
        self._worker.ask(ClearRequest(target))

    def close(self) -> None:
        """End the process, and with it the ports; a second call does nothing."""
        self._worker.close()
