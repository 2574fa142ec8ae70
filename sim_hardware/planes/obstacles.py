"""Why a machine refuses network namespaces, in words that say what to do about it.

Sources: user_namespaces(7), namespaces(7) on the limits below /proc/sys/user; the kernel's
Documentation/networking/tuntap.rst; Debian's kernel.unprivileged_userns_clone; Ubuntu's
kernel.apparmor_restrict_unprivileged_userns (release notes of 23.10).
"""

import errno
from pathlib import Path

from impairlab.sim_hardware.planes.namespaces import TUN_DEVICE

_SYSTEM_SETTINGS = Path("/proc/sys")
_FORBID = (
    ("kernel/unprivileged_userns_clone", "0"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1"),
    ("user/max_user_namespaces", "0"),
    ("user/max_net_namespaces", "0"),
)
_HINTS = {errno.ENOENT: "modprobe tun; a container needs --device /dev/net/tun", errno.ENODEV: "modprobe tun"}


def obstacle(error: OSError, settings: Path = _SYSTEM_SETTINGS) -> str:
    """Return why making namespaces or their ports failed.

    Args:
        error: What the kernel said.
        settings: Where its settings are.
    """
    if error.filename == str(TUN_DEVICE):
        hint = _HINTS.get(error.errno or 0)
        return f"{TUN_DEVICE}: {error.strerror}" + (f" ({hint})" if hint else "")
    said = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    if error.errno not in {errno.EPERM, errno.EACCES, errno.ENOSPC}:
        return said
    forbids = [f"{name.replace('/', '.')}={value}" for name, value in _FORBID if _read(settings / name) == value]
    if forbids:
        return f"{said} (sysctl {', '.join(forbids)})"
    if error.errno == errno.ENOSPC:
        return f"{said} (a limit below /proc/sys/user is reached)"
    return f"{said} (as in many containers; a privileged one allows it)"


def _read(setting: Path) -> str | None:
    try:
        return setting.read_text(encoding="ascii").strip()
    except OSError:
        return None
