"""The guest in which the tests of netem run: it ends when whoever started it is killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import uml

START = """
import sys, time, uml
guest = uml.Guest(["/usr/bin/sleep", "1000"])
print(guest.folder, flush=True)
time.sleep(1000)
"""


def processes_with(word: str) -> list[int]:
    """Return those whose command line has a word in it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            found += [int(entry.name)] if word.encode() in command else []
    return found


@pytest.mark.skipif(uml.obstacle() is not None, reason=str(uml.obstacle()))
def test_a_guest_dies_with_the_process_that_started_it() -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", START], stdout=subprocess.PIPE, text=True, cwd=Path(uml.__file__).parent
    )
    assert starter.stdout is not None
    with starter.stdout:
        folder = starter.stdout.readline().strip()
    deadline = time.monotonic() + 60
    while len(processes_with(folder)) < 2:  # unshare, and the kernel below it
        assert time.monotonic() < deadline
        time.sleep(0.02)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    while processes_with(folder):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_says_why_there_can_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uml, "KERNEL", "no-such-kernel")
    assert "apt-get install user-mode-linux" in (uml.obstacle() or "")
