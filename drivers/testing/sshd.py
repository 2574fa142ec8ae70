"""OpenSSH's own server for tests: its own configuration, host key and authorized key, on a free loopback port."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from impairlab.drivers.links.ssh import HostKey, KnownKeys, Login, SshEndpoint, Trust

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
"""Where the server is; None where it is not installed."""

_LISTENS_WITHIN_S = 20
_ENDS_WITHIN_S = 10


class Sshd:
    """A server that can be started again on its port, with the same key or another. It lets in who runs the test.

    Args:
        folder: Where its files are kept.

    Attributes:
        port: Where it listens.
        user: Who is let in, by the private key in `folder / "user"`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = getpass.getuser()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        self.new_key("user")
        self.new_key("host")

    def new_key(self, name: str) -> Path:
        """Make a key pair, in place of one of that name; return the private key's file."""
        path = self.folder / name
        for old in (path, path.with_suffix(".pub")):
            old.unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
        subprocess.run(command, check=True)  # noqa: S603 - every word of it is ours
        return path

    @property
    def host_key(self) -> HostKey:
        """The key that it shows when it is started next."""
        kind, encoded, *_ = (self.folder / "host.pub").read_text().split()
        known = self.folder / "host.known"
        known.write_text(f"host {kind} {encoded}\n")
        return KnownKeys(known).find("host", 22)[0]

    @property
    def endpoint(self) -> SshEndpoint:
        """Where it is, with the file `folder / "known_keys"`."""
        login = Login(self.user, key_file=self.folder / "user")
        return SshEndpoint("127.0.0.1", self.port, login, Trust(self.folder / "known_keys"))

    def enrol(self) -> SshEndpoint:
        """Pin its key; return the endpoint."""
        endpoint = self.endpoint
        endpoint.known_keys.enrol(endpoint.host, endpoint.port, self.host_key)
        return endpoint

    @contextmanager
    def running(self, *settings: str) -> Iterator[int]:
        """Serve meanwhile.

        Args:
            settings: Lines for sshd_config(5); they come first, and the first setting of a kind is the one that counts.

        Yields:
            The process id.
        """
        if SSHD is None:
            raise FileNotFoundError("no sshd; apt-get install openssh-server")
        config, log = self.folder / "sshd_config", self.folder / "log"
        config.write_text("\n".join((*settings, *self._settings())) + "\n")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # root's server does not start without it
        with log.open("wb") as sink:
            process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=sink)  # noqa: S603
        try:
            self._wait_until_it_listens(process, log)
            yield process.pid
        finally:
            process.terminate()
            process.wait(_ENDS_WITHIN_S)

    def _settings(self) -> Iterator[str]:
        yield from ("ListenAddress 127.0.0.1", f"Port {self.port}", f"HostKey {self.folder / 'host'}")
        yield from ("StrictModes no", "PidFile none", "UsePAM no", "PermitRootLogin yes", "PasswordAuthentication no")
        yield f"AuthorizedKeysFile {self.folder / 'user.pub'}"

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes], log: Path) -> None:
        until_s = time.monotonic() + _LISTENS_WITHIN_S
        while f"listening on 127.0.0.1 port {self.port}" not in log.read_text():
            if process.poll() is not None or time.monotonic() > until_s:
                raise ChildProcessError(f"sshd does not listen: {log.read_text()}")
            time.sleep(0.01)


def descendants(pid: int) -> list[int]:
    """Return the processes below one, all the way down (Linux)."""
    below = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return below + [lower for each in below for lower in descendants(each)]
