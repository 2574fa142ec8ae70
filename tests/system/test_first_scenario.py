"""docs/tutorial/first-scenario.md as a reader types it: every command, in order, with what it shall print."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from impairlab.sim_hardware.planes.netns import NetnsPlane

pytestmark = pytest.mark.netns

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial"
LAST_LINE = re.compile(
    r"(FAIL|INVALID): \d of 3 verdicts (failed|invalid) \(.*\) - report: runs/[\d-]+-slow-answers/report\.html\n"
)
PREFIX = "nsenter --net=/proc/4711/fd/{} --"


def steps() -> list[tuple[str, str]]:
    """Each command of the page with the output that it shows."""
    blocks = re.findall(
        r"^```console\n(.*?)^```$", (TUTORIAL / "first-scenario.md").read_text(), re.DOTALL | re.MULTILINE
    )
    return [(command.removeprefix("$ "), shown) for command, _, shown in (block.partition("\n") for block in blocks)]


def environment() -> dict[str, str]:
    own = Path(sys.executable).parent
    return os.environ | {"PATH": f"{own}:{os.environ['PATH']}", "COLUMNS": "100"}


@contextmanager
def server(command: str, lines: int):
    """A command that serves, and what it prints first; it ends with its standard input."""
    words = shlex.split(command)
    with subprocess.Popen(
        words, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield [process.stdout.readline().rstrip("\n") for _ in range(lines)]
        process.stdin.close()
        assert process.wait(20) == 0


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True, timeout=90
    )


@pytest.fixture
def folder(tmp_path):
    if reason := NetnsPlane.available():
        pytest.skip(reason)
    return shutil.copytree(TUTORIAL / "first-scenario", tmp_path / "first-scenario")


def test_every_command_does_what_the_page_says(folder):
    (serve, printed), (service, ready), *rest = steps()
    with server(f"{serve} --port 0", lines=3) as (address, client, behind):  # 5025 may be taken on this machine
        assert [line.split()[0] for line in printed.splitlines()[1:]] == [client.split()[0], behind.split()[0]]
        own = {
            printed.split()[0]: address.split()[0],
            PREFIX.format(3): re.fullmatch(r"client 10\.207\.0\.1: (.*) COMMAND", client).group(1),
            PREFIX.format(6): re.fullmatch(r"server 10\.207\.0\.2: (.*) COMMAND", behind).group(1),
        }
        rack = (folder / "rack.yaml").read_text()
        assert printed.split()[0] in rack
        assert PREFIX.format(3) in rack
        for sample, real in own.items():
            rack, service = rack.replace(sample, real), service.replace(sample, real)
        (folder / "rack.yaml").write_text(rack)
        with server(service, lines=1) as (line,):
            assert json.loads(line).keys() == json.loads(ready).keys()
            assert json.loads(line)["address"] == json.loads(ready)["address"]
            follow(rest, folder)


def follow(rest, folder):
    verbs = [command.split()[1] for command, _ in rest]
    assert verbs == ["caps", "check", "preview", "run", "show"]
    for (command, shown), verb in zip(rest, verbs, strict=True):
        done = typed(command, folder)
        if verb in {"caps", "check", "preview"}:
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith(shown.removesuffix("...\n"))
            assert done.stdout == shown or shown.endswith("...\n")
        elif verb == "run":
            # A busy machine makes the generator late, and then the verdict must say so.
            assert LAST_LINE.fullmatch(done.stdout), done.stdout + done.stderr
            assert LAST_LINE.fullmatch(shown)
            assert done.returncode == 1
        else:
            assert done.returncode == 1, done.stderr
            assert skeleton(done.stdout) == skeleton(shown)


def skeleton(shown: str) -> list[str]:
    """What does not change from run to run: the title, the claims, when the phases were, the end."""
    lines = [line.strip() for line in shown.splitlines()]
    claims = re.findall(r"(ttft p90 at most 200 ms in \w+|failure_rate at most 5 % in slow)  ", shown)
    phases = [" ".join(line.split()[:5]) for line in lines if re.match(r"(baseline|slow|recovery) ", line)]
    return [lines[0], *claims, *phases, lines[-1]]
