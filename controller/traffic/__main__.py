"""`python -m impairlab.controller.traffic`: the generator, a process of its own that is told when to start.

It speaks the JSON lines of `protocol.py` over stdin and stdout and writes the traffic log. Exit codes: 0 the run is
over (or was never started), 2 the plan or the log file cannot be had, 3 the service cannot be reached.
"""

import argparse
import asyncio
import gc
import os
import sys
import time
from pathlib import Path

from .client import Unusable, first_model
from .clock import measuring_loop
from .generator import Generator, wall_offset_ns
from .protocol import DoneLine, FailedLine, Ready, ReadyLine, StartCommand, TrafficPlan
from .stdio import Stdio, open_stdio


async def _run(plan: TrafficPlan, out: Path) -> int:
    async with open_stdio() as stdio:
        try:
            return await _obey(plan, out, stdio)
        except Unusable as error:
            stdio.say(FailedLine(failed=str(error)))
            return 3
        except OSError as error:
            stdio.say(FailedLine(failed=str(error)))
            return 2


async def _obey(plan: TrafficPlan, out: Path, stdio: Stdio) -> int:
    model = plan.traffic.model or await first_model(plan.traffic)
    with out.open("w", buffering=1, encoding="utf-8") as log:
        ready = Ready(pid=os.getpid(), model=model, monotonic_ns=time.monotonic_ns(), wall_offset_ns=wall_offset_ns())
        stdio.say(ReadyLine(ready=ready))
        command = await stdio.command()
        if not isinstance(command, StartCommand):
            return 0
        generator = Generator(plan, model, command.start_at_ns, log, stdio)
        gc.collect()
        gc.freeze()  # what is there now lives to the end; a collection need not look at it
        stdio.say(DoneLine(done=await generator.run()))
    return 0


def main() -> int:
    """Read the plan and run it."""
    parser = argparse.ArgumentParser(prog="python -m impairlab.controller.traffic", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="a TrafficPlan as JSON")
    parser.add_argument("--out", type=Path, required=True, help="the traffic log to write (JSONL)")
    arguments = parser.parse_args()
    try:
        plan = TrafficPlan.model_validate_json(arguments.plan.read_bytes())
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{arguments.plan}: {error}\n")
        return 2
    with asyncio.Runner(loop_factory=measuring_loop) as runner:
        return runner.run(_run(plan, arguments.out))


if __name__ == "__main__":
    sys.exit(main())
