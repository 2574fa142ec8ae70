"""One target under atheris: `by_coverage.py <target> <corpus> <libFuzzer flags>`."""

import importlib
import sys
from pathlib import Path

import atheris

name, corpus = sys.argv[1], Path(sys.argv[2])
sys.path.insert(0, str(Path(__file__).parent))
with atheris.instrument_imports(include=["impairlab.sim_hardware", "impairlab.drivers"]):
    target = importlib.import_module(f"target_{name}")
for number, seed in enumerate(target.SEEDS):
    for first in (0, 1):
        (corpus / f"seed-{number}-{first}").write_bytes(bytes([first, 32]) + seed)
atheris.Setup([sys.argv[0], *sys.argv[2:]], target.check)
atheris.Fuzz()
