"""Fuzz every target beside this file, or those that are named, for some time: `python tests/fuzz scpi --seconds 600`.

A target is a module `target_<name>.py` with `check(data: bytes)`, which raises when something is wrong, and `SEEDS`,
inputs to begin with. Where atheris is installed, it drives by coverage; otherwise seeds are mutated at random. An input
that takes longer than `HANG_S`, or that makes the process grow by more than `MOST_GROWTH`, counts as a failure. A
failing input is written to the folder `--keep`; give it as argument to `--replay` to see it again.
"""

import argparse
import faulthandler
import importlib
import importlib.util
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
HANG_S = 10
MOST_GROWTH = 256 << 20
LONGEST = 8192
_JOINTS = [b";", b"\n", b":", b"?", b",", b" ", b"#", b"'", b'"', b"(", b")", b"\0", b"\xff", b"#9999999999", b"*"]


def main() -> int:
    targets = sorted(path.stem.removeprefix("target_") for path in HERE.glob("target_*.py"))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", default=targets, help=f"of {', '.join(targets)}; all by default")
    parser.add_argument("--seconds", type=float, default=20, help="for all targets together (20)")
    parser.add_argument("--seed", type=int, default=None, help="of the random mutations; a new one by default")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="where failing inputs go")
    parser.add_argument("--replay", type=Path, help="check this one input")
    options = parser.parse_args()
    if options.replay:
        load(options.targets[0]).check(options.replay.read_bytes())
        return 0
    seconds = options.seconds / len(options.targets)
    return max(fuzz(name, seconds, options.seed, options.keep) for name in options.targets)


def load(name: str) -> ModuleType:
    sys.path.insert(0, str(HERE))
    return importlib.import_module(f"target_{name}")


def fuzz(name: str, seconds: float, seed: int | None, keep: Path) -> int:
    """Fuzz one target; returns the exit code."""
    if importlib.util.find_spec("atheris") and seed is None:
        return fuzz_by_coverage(name, seconds, keep)
    return fuzz_at_random(load(name), name, seconds, seed, keep)


def fuzz_by_coverage(name: str, seconds: float, keep: Path) -> int:
    """Leave the work to atheris, which ends its process when it is done."""
    keep.mkdir(parents=True, exist_ok=True)
    corpus = keep / f"corpus-{name}"
    corpus.mkdir(exist_ok=True)
    flags = [f"-max_total_time={int(seconds)}", f"-timeout={HANG_S}", "-rss_limit_mb=1024", f"-max_len={LONGEST}"]
    script = [sys.executable, str(HERE / "by_coverage.py"), name]
    finished = subprocess.run([*script, str(corpus), *flags, f"-artifact_prefix={keep}/{name}-"], check=False)
    return finished.returncode


def fuzz_at_random(target: ModuleType, name: str, seconds: float, seed: int | None, keep: Path) -> int:
    seed = random.randrange(1 << 32) if seed is None else seed
    chance = random.Random(seed)
    corpus = [bytes([first, 32]) + each for each in target.SEEDS for first in (0, 1)]
    for each in corpus:
        target.check(each)
    before = peak_rss()
    resource.setrlimit(resource.RLIMIT_DATA, (data_size() + MOST_GROWTH, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        count += 1
        data = mutated(chance, corpus)
        if not passes(target.check, data):
            keep.mkdir(parents=True, exist_ok=True)
            path = keep / f"{name}-{seed}-{count}"
            path.write_bytes(data)
            print(f"{name}: seed {seed}, input {count} failed; kept in {path}")
            return 1
        if len(corpus) < 500 and not count % 50:
            corpus.append(data)
    print(f"{name}: {count} inputs in {seconds:.0f} s, seed {seed}, grown by {(peak_rss() - before) >> 20} MiB")
    return 0


def passes(check: Callable[[bytes], None], data: bytes) -> bool:
    faulthandler.dump_traceback_later(HANG_S, exit=True)
    try:
        check(data)
    except Exception:  # noqa: BLE001 - whatever it raises is the finding
        faulthandler.cancel_dump_traceback_later()
        sys.excepthook(*sys.exc_info())
        return False
    faulthandler.cancel_dump_traceback_later()
    return True


def mutated(chance: random.Random, corpus: list[bytes]) -> bytes:
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0:
                data[at:at] = chance.choice(_JOINTS)
            case 1:
                data[at:at] = chance.randbytes(chance.randint(1, 8))
            case 2:
                del data[at : at + chance.randint(1, 20)]
            case 3:
                other = chance.choice(corpus)
                begin = chance.randrange(len(other))
                data[at:at] = other[begin : begin + chance.randint(1, 80)]
            case 4:
                data[at:at] = bytes(data[at : at + chance.randint(1, 40)]) * chance.randint(2, 30)
            case 5:
                data[at : at + 1] = chance.randbytes(1)
            case 6:
                data[at:at] = str(chance.choice([0, -1, 10**12, 1e-320, "1E400", 2**31, 0.1])).encode()
    return bytes(data[:LONGEST])


def peak_rss() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def data_size() -> int:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    return int(fields["VmData"].split()[0]) * 1024


if __name__ == "__main__":
    sys.exit(main())
