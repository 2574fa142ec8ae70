"""Guest: user-mode Linux with the host's files, read-only, as its own; it runs tests and sends back their reports.

Debian's package user-mode-linux is a kernel that runs as a process. The guest's files are the host's (hostfs), so that
the same environment and the same tests are there; one folder is shared for writing. A request is a file in it, an
answer is another: each is written under another name first, so that none is ever read half.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

KERNEL = "linux.uml"
MODULES = Path("/usr/lib/uml/modules")
INIT = Path(__file__).parent / "uml_init.py"
BOOT_S = 100
POLL_S = 0.01
MEMORY = "512M"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the guest's memory is an unlinked file there


class GuestError(Exception):
    """The guest did not do what it was asked; the message ends with what its console said last."""


def obstacle() -> str | None:
    """Return why there can be no guest here, or None."""
    if shutil.which(KERNEL) is None or not MODULES.is_dir():
        return "user-mode Linux is not here: apt-get install user-mode-linux"
    if shutil.which("setpriv") is None or shutil.which("unshare") is None:
        return "setpriv and unshare are not here: apt-get install util-linux"
    if os.geteuid() != 0:
        return "a guest wants root: its files are the host's, with their owners"
    return None


class Guest:
    """A running guest; a context manager that ends it.

    It is in a process namespace of its own, whose first process dies with the thread that made it: whatever ends the
    tests ends the guest with all its processes.

    Args:
        command: What to run in it; it finds the shared folder at /run/exchange.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="impairlab-uml-"))
        self._console = self.folder / "console"
        self._asked = 0
        modules = next(MODULES.iterdir()) / "kernel"
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                [
                    "setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child=KILL", KERNEL,
                    f"mem={MEMORY}", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet",
                    "con=null", "con0=null,fd:1", f"init={shutil.which('python3', path='/usr/bin:/bin')}", "--",
                    str(INIT), str(self.folder), str(modules), *command,
                ],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, cwd="/", start_new_session=True,
                env={"PATH": os.environ["PATH"], "TMPDIR": SHARED_MEMORY, "HOME": str(self.folder)},
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, at once. A second call does nothing."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, question: object, timeout_s: float) -> object:
        """Return the guest's answer to a question, both anything that JSON can say.

        Raises:
            GuestError: It has ended, or does not answer in time.
        """
        self._asked += 1
        put(self.folder / f"request-{self._asked}", question)
        answer = self.folder / f"answer-{self._asked}"
        deadline = time.monotonic() + timeout_s
        while not answer.exists():
            if self._process.poll() is not None:
                raise GuestError(f"the guest has ended\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise GuestError(f"no answer within {timeout_s:.0f} s\n{self.last_words()}")
            time.sleep(POLL_S)
        return json.loads(answer.read_text())

    def last_words(self) -> str:
        """Return the end of what its console has said."""
        return "\n".join(self._console.read_text("utf-8", "replace").splitlines()[-40:])


def put(path: Path, what: object) -> None:
    """Write a file that nobody sees before it is whole."""
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(what))
    draft.rename(path)
