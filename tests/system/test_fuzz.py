"""A short fuzzing of every target; `make fuzz` does it for ten minutes."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[1] / "fuzz"
TARGETS = sorted(path.stem.removeprefix("target_") for path in FUZZ.glob("target_*.py"))
SECONDS = 20


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found_in_a_short_time(target: str, tmp_path: Path) -> None:
    chance = ["--seed", str(random.randrange(1 << 32))]  # a new one each time; a failure tells it
    command = [sys.executable, str(FUZZ), target, "--seconds", str(SECONDS), *chance, "--keep", str(tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert int(finished.stdout.split()[1]) > 100, "inputs were tried"


BROKEN = """
SEEDS = [b"a"]
calls, kept = [], []

def check(data):
    calls.append(1)
    if len(calls) > 5:
        ...
"""


@pytest.mark.parametrize(
    ("body", "seen"),
    [("raise KeyError(data)", "KeyError"), ("while True: pass", "Timeout"), ("kept.append(bytes(1 << 22))", "Memory")],
)
def test_fuzzing_finds_what_is_there(tmp_path: Path, body: str, seen: str) -> None:
    source = (FUZZ / "__main__.py").read_text(encoding="utf-8").replace("HANG_S = 10", "HANG_S = 1")
    (tmp_path / "__main__.py").write_text(source, encoding="utf-8")
    target = BROKEN.replace("...", body)
    (tmp_path / "target_broken.py").write_text(target, encoding="utf-8")
    command = [sys.executable, str(tmp_path), "--seconds", "30", "--seed", "1", "--keep", str(tmp_path / "kept")]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert finished.returncode != 0
    assert seen in finished.stderr
