"""Capture files that were uploaded; stored and listed, and replayed by nothing."""

from impairlab.sim_hardware.rest.refusals import Refused
from impairlab.sim_hardware.sne import house

LARGEST = 1024 * 1024
_MOST = 16
_LONGEST_NAME = 200


class Captures:
    """The files, by name."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def store(self, path: str | None, content: bytes) -> None:
        """Keep a file under the last part of its path, in place of one of the same name. Raises `Refused`."""
        name = (path or "").replace("\\", "/").rpartition("/")[2]
        if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
            raise Refused(house.BAD_VALUE, f"a capture file has a name of 1 to {_LONGEST_NAME} printable characters")
        if len(content) > LARGEST or (name not in self._files and len(self._files) >= _MOST):
            raise Refused(house.FULL, f"{_MOST} files of {LARGEST} bytes are all that fits")
        self._files[name] = content

    def sizes(self) -> dict[str, int]:
        """Return the size of each file in bytes."""
        return {name: len(content) for name, content in self._files.items()}

    def content(self, name: str) -> bytes:
        """Return a file. Raises `Refused`."""
        if name not in self._files:
            raise Refused(house.NO_FILE, f"no file {name!r}")
        return self._files[name]

    def delete(self, name: str) -> None:
        """Forget a file. Raises `Refused`."""
        self.content(name)
        del self._files[name]
