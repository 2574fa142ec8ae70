"""Host keys: the file of those that were enrolled, in the format of OpenSSH's known_hosts (sshd(8))."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path

from impairlab.drivers.model.errors import FileError

_SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class HostKey:
    """The public key by which a host proves who it is.

    Attributes:
        kind: E.g. "ssh-ed25519".
        blob: The key as it is on the wire (RFC 4253 section 6.6).
    """

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As OpenSSH shows it: "SHA256:" and 43 characters of base64."""
        return "SHA256:" + b64encode(sha256(self.blob).digest()).decode().rstrip("=")


def default_known_keys() -> Path:
    """Return where enrolled keys are kept: `impairlab/known_keys` in $XDG_CONFIG_HOME, or in ~/.config."""
    configured = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(configured) if configured else Path.home() / ".config"
    return folder / "impairlab" / "known_keys"


class KnownKeys:
    """The keys that were enrolled, in a file; a missing file holds none.

    Args:
        path: The file. One line a key: `host` or `[host]:port`, kind, key in base64. Lines with # are comments.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, host: str, port: int) -> tuple[HostKey, ...]:
        """Return the keys of a host.

        Raises:
            FileError: The file cannot be read, or a line of it is none; every fault, with its line.
        """
        wanted = _place(host, port)
        return tuple(key for place, key in self._read() if place == wanted)

    def enrol(self, host: str, port: int, key: HostKey) -> None:
        """Have `key` be the only one of the host from now on. Other lines and comments stay as they are.

        Raises:
            FileError: The file cannot be read or written.
        """
        place = _place(host, port)
        with self._alone():
            self._read()
            kept = [line for line in self._lines() if line.split()[:1] != [place]]
            kept.append(f"{place} {key.kind} {b64encode(key.blob).decode()}")
            fresh = self.path.with_name(self.path.name + ".new")
            fresh.write_text("\n".join(kept) + "\n", encoding="utf-8")
            fresh.replace(self.path)

    def _read(self) -> list[tuple[str, HostKey]]:
        keys, faults = [], []
        for number, line in enumerate(self._lines(), start=1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            try:
                keys.append(_entry(text))
            except ValueError as error:
                faults.append(f"{self.path}:{number}: {error}")
        if faults:
            raise FileError(faults)
        return keys

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise FileError([f"{self.path}: cannot be read: {error}"]) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from writing meanwhile, on a file of its own: the keys' file is replaced."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.path.with_name(self.path.name + ".lock").open("w") as lock:
                flock(lock, LOCK_EX)
                yield
        except OSError as error:
            with suppress(OSError):
                self.path.with_name(self.path.name + ".new").unlink()
            raise FileError([f"{self.path}: cannot be written: {error}"]) from error


def _place(host: str, port: int) -> str:
    return host.lower() if port == _SSH_PORT else f"[{host.lower()}]:{port}"


def _entry(text: str) -> tuple[str, HostKey]:
    fields = text.split()
    if len(fields) < 3:
        raise ValueError("not a key; a line is HOST or [HOST]:PORT, the kind of key, and the key in base64")
    place, kind, encoded = fields[:3]
    try:
        blob = b64decode(encoded, validate=True)
    except NotBase64 as error:
        raise ValueError(f"the key of {place} is not base64: {error}") from error
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind.encode()):
        raise ValueError(f"the key of {place} is not of the kind {kind}")
    return place, HostKey(kind, blob)
