"""A cpio archive for the kernel's initramfs, in its "newc" format (Documentation/driver-api/early-userspace)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_FOLDER, _FILE = 0o040755, 0o100755


@dataclass
class Archive:
    """Collects files and folders; `packed` is the archive."""

    _parts: list[bytes] = field(default_factory=list)

    def add_folders(self, *names: str) -> None:
        for name in names:
            self._add(name, _FOLDER, b"")

    def add_files(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            self._add(name, _FILE, content)

    def packed(self) -> bytes:
        self._add("TRAILER!!!", 0, b"")
        return b"".join(self._parts)

    def _add(self, name: str, mode: int, content: bytes) -> None:
        numbers = [len(self._parts) + 1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        header = b"070701" + b"".join(b"%08X" % number for number in numbers)
        self._parts.append(_padded(header + name.encode() + b"\0") + _padded(content))


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)
