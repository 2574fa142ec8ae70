"""Debian's stock kernel, unpacked and not installed: what a virtual machine boots, and its modules.

The packages come from apt, which checks their signatures, and stay in a cache. Nothing is installed, so no hook builds
an initramfs and the machine that tests goes on booting as before.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "impairlab" / "vm"
META_PACKAGE = "linux-image-amd64"
SHELL_PACKAGE = "busybox-static"
_DOWNLOAD_S = 300
_NEEDS = re.compile(rb"\0depends=([^\0]*)\0")


class NotHereError(Exception):
    """There is no kernel to be had; the text says why."""


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel.

    Attributes:
        image: What QEMU boots.
        modules: Each module by its name, with underscores.
        shell: A statically linked busybox.
    """

    image: Path
    modules: dict[str, Path]
    shell: Path

    def in_order(self, wanted: Iterable[str]) -> list[Path]:
        """Return the modules and what they depend on, in an order in which they can be loaded."""
        order: dict[str, Path] = {}
        for name in wanted:
            self._add(name.replace("-", "_"), order)
        return list(order.values())

    def _add(self, name: str, order: dict[str, Path]) -> None:
        if name in order:
            return
        if name not in self.modules:
            raise KeyError(f"{self.image.name} has no module {name}")
        found = _NEEDS.search(self.modules[name].read_bytes())
        for needed in filter(None, found[1].decode().split(",") if found else []):
            self._add(needed.replace("-", "_"), order)
        order[name] = self.modules[name]


def unpacked_kernel() -> Kernel:
    """Return Debian's kernel of today, from the cache or from apt. Raises `NotHereError`."""
    if platform.machine() != "x86_64":
        raise NotHereError(f"the kernel package is for x86_64, this is {platform.machine()}")
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NotHereError("the kernel comes from Debian's packages, and there is no apt-get here")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        package = _concrete_package()
        folder = CACHE / package
        if not folder.is_dir():
            _download([package, SHELL_PACKAGE], folder)
    return _kernel_in(folder)


def _kernel_in(folder: Path) -> Kernel:
    image = next((folder / "boot").glob("vmlinuz-*"))
    modules = {path.stem.replace("-", "_"): path for path in folder.glob("lib/modules/**/*.ko")}
    return Kernel(image, modules, folder / "bin" / "busybox")


def _concrete_package() -> str:
    """Return the package that the meta package of today stands for; offline, the one that is there."""
    asked = subprocess.run(["apt-cache", "depends", META_PACKAGE], capture_output=True, text=True)
    for line in asked.stdout.splitlines():
        if found := re.fullmatch(r"\s*Depends: (linux-image-[0-9]\S*-amd64)", line):
            return found[1]
    if there := sorted(_unpacked()):
        return there[-1]
    raise NotHereError(f"apt does not know {META_PACKAGE}: {asked.stderr.strip() or 'run apt-get update'}")


def _unpacked() -> Iterator[str]:
    return (path.name for path in CACHE.glob("linux-image-*") if path.is_dir())


def _download(packages: list[str], folder: Path) -> None:
    parts = folder.with_name(folder.name + ".part")
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir()
    got = subprocess.run(
        ["apt-get", "-q", "download", *packages], cwd=parts, capture_output=True, text=True, timeout=_DOWNLOAD_S
    )
    if got.returncode:
        raise NotHereError(f"apt-get download {' '.join(packages)}: {got.stderr.strip()}")
    for package in parts.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, parts], check=True)
        package.unlink()
    parts.rename(folder)
