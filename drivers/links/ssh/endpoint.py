"""Where an SSH connection leads, who logs in, and by which key the host proves who it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from impairlab.drivers.links.address import Address
from impairlab.drivers.links.ssh.host_keys import KnownKeys, default_known_keys
from impairlab.drivers.model.errors import ConnectError

SSH_PORT = 22

SSH_SETTINGS: Mapping[str, str] = MappingProxyType({"fingerprint": "", "known_keys": "", "key": "", "agent": "no"})
"""What `?` may set in any address of scheme ssh, with defaults."""

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, and by what.

    Attributes:
        user: Name of the account.
        password: Also "" is one; None where none is tried.
        key_file: A private key; `password` is then its passphrase, and not tried as a password.
        agent: Whether the keys of the running ssh-agent are tried.
    """

    user: str
    password: str | None = None
    key_file: Path | None = None
    agent: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """By what a host is recognised.

    Attributes:
        known_keys: The file of enrolled keys.
        fingerprint: "SHA256:..." of the only key that is right; the file is then not looked at. None: the file decides.
    """

    known_keys: Path
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class SshEndpoint:
    """All that a connection needs.

    Attributes:
        host: Name or address.
        port: TCP port.
        login: Who logs in.
        trust: By what the host is recognised.
    """

    host: str
    port: int
    login: Login
    trust: Trust

    @classmethod
    def of(cls, address: Address, secret: str | None, name: str) -> SshEndpoint:
        """Return what an address of scheme ssh says.

        Args:
            address: Parsed with `parse_ssh`.
            secret: Password or passphrase.
            name: What errors call the appliance.

        Raises:
            ConnectError: No user, or a setting that cannot be read.
        """
        settings = address.settings
        if not address.user:
            raise ConnectError(f"the address names no user; write it like ssh://admin@{address.host}", appliance=name)
        if settings["agent"] not in {"yes", "no"}:
            raise ConnectError(f"agent={settings['agent']} in the address; it is yes or no", appliance=name)
        login = Login(
            user=address.user,
            password=secret,
            key_file=Path(settings["key"]).expanduser() if settings["key"] else None,
            agent=settings["agent"] == "yes",
        )
        return cls(address.host, address.port, login, trust_of(address, name))

    @property
    def known_keys(self) -> KnownKeys:
        """The file of enrolled keys."""
        return KnownKeys(self.trust.known_keys)

    def __str__(self) -> str:
        """Return the address, without settings."""
        return f"ssh://{self.login.user}@{_bracketed(self.host)}:{self.port}"


def parse_ssh(
    text: str, *, settings: Mapping[str, str] | None = None, example: str, name: str | None = None
) -> Address:
    """Read an address of scheme ssh, with the settings that all have and a driver's own; see `Address.parse`."""
    return Address.parse(
        text, schemes={"ssh": SSH_PORT}, settings={**SSH_SETTINGS, **(settings or {})}, example=example, name=name
    )


def trust_of(address: Address, name: str) -> Trust:
    """Return by what an address says that its host is recognised.

    Raises:
        ConnectError: The fingerprint is none.
    """
    fingerprint = address.settings["fingerprint"].replace(" ", "+")  # a + in a query is a blank (HTML forms)
    if fingerprint and not _FINGERPRINT.fullmatch(fingerprint):
        raise ConnectError(
            f"{fingerprint!r} is not a fingerprint; it is SHA256: and 43 characters, as `ssh-keygen -lf` prints it",
            appliance=name,
        )
    path = address.settings["known_keys"]
    return Trust(Path(path).expanduser() if path else default_known_keys(), fingerprint or None)


def enrol_command(endpoint: SshEndpoint) -> str:
    """Return the command that enrols the host's key."""
    place = f"ssh://{_bracketed(endpoint.host)}:{endpoint.port}"
    path = endpoint.trust.known_keys
    return f"impairlab ssh-key enrol {place}" + (f" --known-keys {path}" if path != default_known_keys() else "")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
