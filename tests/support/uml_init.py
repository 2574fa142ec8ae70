"""The first process of a guest: mounts, modules, then a command; powers the guest off when that ends.

Arguments: the folder that is shared with the host, the folder of the kernel's modules, and a command to run.
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

MODULES = (
    "drivers/net/dummy", "drivers/net/ifb", "drivers/net/veth", "net/sched/sch_netem", "net/sched/sch_prio",
    "net/sched/sch_tbf", "net/sched/sch_ingress", "net/sched/cls_flower", "net/sched/cls_matchall", "net/sched/cls_u32",
    "net/sched/act_mirred", "net/sched/sch_htb", "net/sched/sch_fq_codel",
)  # fmt: skip
"""Of Debian's user-mode-linux; each needs none but those before it."""

EXCHANGE = Path("/run/exchange")
_FINIT_MODULE = 313
_POWER_OFF = 0x4321FEDC

libc = ctypes.CDLL(None, use_errno=True)


def main(exchange: str, modules: str, command: list[str]) -> None:
    mount("none", "/proc", "proc")
    mount("none", "/sys", "sysfs")
    mount("none", "/run", "tmpfs")
    mount("none", "/tmp", "tmpfs")  # noqa: S108
    EXCHANGE.mkdir()
    mount("none", str(EXCHANGE), "hostfs", exchange)
    for module in MODULES:
        load(Path(modules) / f"{module}.ko")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(command, check=False, env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/run"})


def mount(source: str, where: str, kind: str, options: str = "") -> None:
    checked(libc.mount(source.encode(), where.encode(), kind.encode(), 0, options.encode()), f"mount {where}")


def load(module: Path) -> None:
    if not module.exists():
        return  # built in
    descriptor = os.open(module, os.O_RDONLY)
    checked(libc.syscall(_FINIT_MODULE, descriptor, b"", 0), str(module))
    os.close(descriptor)


def checked(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


if __name__ == "__main__":
    try:
        # User-mode Linux appends a word of its own to the command line.
        main(sys.argv[1], sys.argv[2], [word for word in sys.argv[3:] if word != "console=tty0"])
    finally:
        sys.stdout.flush()
        libc.reboot(ctypes.c_uint(_POWER_OFF))
