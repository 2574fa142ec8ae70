"""Run one command in a virtual machine with Debian's stock kernel: `run_in_vm(["tc", "qdisc"], modules=["sch_netem"])`.

The guest sees the files of this machine, read-only, so that whatever is installed here is there, the repository and its
virtual environment too. It is emulated (TCG): KVM is not asked for, and code runs ten times slower or more. It is root
and has no network but its own loopback. The command may write to /run, which is the guest's own, and to the exchange
folder, which is shared with the test.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vm.initramfs import Archive
from vm.kernel import Kernel, NotHereError, unpacked_kernel

EXCHANGE = "/run/vm"
"""Where the guest finds the exchange folder."""

_QEMU = "qemu-system-x86_64"
_NEEDED = ("virtio_pci", "9pnet_virtio", "9p")
_CONSOLE_TAIL = 4000
_KERNEL_ARGUMENTS = "console=ttyS0 quiet panic=-1 rdinit=/init random.trust_cpu=on mitigations=off"

_INIT = """#!/bin/busybox sh
bb=/bin/busybox
$bb mount -t proc none /proc
$bb mount -t sysfs none /sys
$bb mount -t devtmpfs none /dev
for each in {modules}; do $bb insmod /modules/$each || echo "insmod $each failed"; done
$bb mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro host /host
$bb mount -t tmpfs -o mode=755 none /host/run
$bb mkdir -p /host{exchange} /host/run/tmp /host/run/home
$bb mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 exchange /host{exchange}
for each in proc sys dev; do $bb mount --move /$each /host/$each; done
exec $bb switch_root /host /bin/sh {exchange}/main
"""

_MAIN = """cd {folder}
export PATH={path} HOME=/run/home TMPDIR=/run/tmp PYTHONDONTWRITEBYTECODE=1 {environment}
ip link set lo up 2>/dev/null
{command} >{exchange}/output 2>&1 </dev/null
echo $? >{exchange}/status
sync
echo b >/proc/sysrq-trigger
"""


@dataclass(frozen=True)
class Outcome:
    """How the command ended.

    Attributes:
        status: Its exit status; None when the machine ended, or its time was over, before the command.
        output: What it wrote to standard output and standard error.
        console: The end of what the kernel said.
    """

    status: int | None
    output: str
    console: str

    def __str__(self) -> str:
        ended = "did not end" if self.status is None else f"ended with status {self.status}"
        return f"the command {ended}\n--- its output\n{self.output}\n--- the kernel's console\n{self.console}"


def why_not() -> str:
    """Return why no virtual machine can be had here; "" where it can. Fetches the kernel where it is not here yet."""
    if shutil.which(_QEMU) is None:
        return f"there is no {_QEMU} here (apt-get install qemu-system-x86)"
    try:
        unpacked_kernel()
    except (NotHereError, OSError, subprocess.SubprocessError) as error:
        return f"no kernel for a virtual machine: {error}"
    return ""


def run_in_vm(
    command: Sequence[str],
    *,
    modules: Iterable[str] = (),
    within_s: float = 90,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    memory_mb: int = 768,
    exchange: Path | None = None,
) -> Outcome:
    """Boot, run one command as root, and end the machine, whatever happened.

    Args:
        command: A command and its arguments, as the guest sees its files: as this machine does.
        modules: Kernel modules to load before it; what they depend on comes along.
        within_s: How long all of it may take.
        folder: Where the command starts; the current one.
        environment: Variables, besides those every command has.
        memory_mb: The guest's memory.
        exchange: A folder that the guest can write to, at `EXCHANGE`; a temporary one.

    Raises:
        KeyError: The kernel has no such module.
        NotHereError: There is no kernel to be had.
    """
    with tempfile.TemporaryDirectory(prefix="impairlab-vm-") as scratch:
        shared = exchange or Path(scratch) / "exchange"
        shared.mkdir(exist_ok=True)
        _write_main(shared, command, folder or Path.cwd(), environment or {})
        kernel = unpacked_kernel()
        initramfs = Path(scratch) / "initramfs"
        initramfs.write_bytes(_initramfs(kernel, modules))
        console = Path(scratch) / "console"
        _boot(kernel, initramfs, shared, console, memory_mb=memory_mb, within_s=within_s)
        status = _text(shared / "status").strip()
        return Outcome(int(status) if status else None, _text(shared / "output"), _text(console)[-_CONSOLE_TAIL:])


def _write_main(shared: Path, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    for stale in ("status", "output"):
        (shared / stale).unlink(missing_ok=True)
    main = _MAIN.format(
        folder=shlex.quote(str(folder.resolve())),
        path=shlex.quote(os.environ["PATH"] + ":/usr/sbin:/sbin"),
        environment=" ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items()),
        command=shlex.join(command),
        exchange=EXCHANGE,
    )
    (shared / "main").write_text(main)


def _initramfs(kernel: Kernel, modules: Iterable[str]) -> bytes:
    loaded = kernel.in_order([*_NEEDED, *modules])
    archive = Archive()
    archive.add_folders("bin", "proc", "sys", "dev", "host", "modules")
    init = _INIT.format(modules=" ".join(path.name for path in loaded), exchange=EXCHANGE)
    archive.add_files({"init": init.encode(), "bin/busybox": kernel.shell.read_bytes()})
    archive.add_files({f"modules/{path.name}": path.read_bytes() for path in loaded})
    return archive.packed()


def _boot(kernel: Kernel, initramfs: Path, shared: Path, console: Path, *, memory_mb: int, within_s: float) -> None:
    share = "local,security_model=none,multidevs=remap"
    machine = [
        *("setpriv", "--pdeathsig", "KILL", _QEMU, "-accel", "tcg", "-cpu", "Nehalem", "-m", str(memory_mb)),
        *("-nodefaults", "-no-reboot", "-display", "none", "-serial", f"file:{console}"),
        *("-kernel", str(kernel.image), "-initrd", str(initramfs), "-append", _KERNEL_ARGUMENTS),
        *("-virtfs", f"{share},path=/,mount_tag=host,readonly=on"),
        *("-virtfs", f"{share},path={shared},mount_tag=exchange"),
    ]
    with (
        console.with_name("qemu").open("w") as told,
        subprocess.Popen(machine, stdin=subprocess.DEVNULL, stdout=told, stderr=told) as process,
    ):
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            told.write(f"the machine was ended after {within_s:g} s\n")
        finally:
            process.kill()
    with console.open("a") as both:
        both.write(_text(console.with_name("qemu")))


def _text(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(errors="replace")
    return ""
