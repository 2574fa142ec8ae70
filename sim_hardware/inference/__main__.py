"""`python -m impairlab.sim_hardware.inference`: the service as a process of its own.

Prints one JSON line with the address when it listens. Ends on SIGTERM, SIGINT, or when its standard input closes, if
that is a pipe or a socket: then whoever holds the other end has gone.
"""

import argparse
import asyncio
import gc
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from pydantic import ValidationError

from .faults import Fault, read_fault
from .hosting import DEFAULT_PROFILE, DEFAULT_TOKENS, ServiceSpec, listening, precise_loop
from .profiles import PROFILES
from .service import ServedRequest


class _EofProtocol(asyncio.Protocol):
    def __init__(self, done: asyncio.Event) -> None:
        self._done = done

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._done.set()


def _fault(text: str) -> Fault:
    try:
        return read_fault(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(key) for key in first["loc"])
        raise argparse.ArgumentTypeError(f"{where or text!r}: {first['msg']}") from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m impairlab.sim_hardware.inference", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 asks for a free one")
    parser.add_argument("--profile", choices=sorted(PROFILES), default=DEFAULT_PROFILE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-tokens-default", type=int, default=DEFAULT_TOKENS, metavar="N")
    parser.add_argument("--fault", type=_fault, action="append", default=[], metavar="JSON", help="may be repeated")
    parser.add_argument("--log", type=Path, help="append what was really sent, and when, to this JSONL file")
    return parser.parse_args()


async def _serve(spec: ServiceSpec, sink: Callable[[ServedRequest], None]) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    async with listening(spec, sink) as (_, address):
        transport = await _watch_stdin(loop, done)
        print(json.dumps({"address": address, "model": spec.profile.name, "pid": os.getpid()}), flush=True)  # noqa: T201 - its protocol
        gc.freeze()
        await done.wait()
        if transport is not None:
            transport.close()


async def _watch_stdin(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> asyncio.ReadTransport | None:
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return None
    transport, _ = await loop.connect_read_pipe(lambda: _EofProtocol(done), sys.stdin)
    return transport


def main() -> int:
    """Serve until told to stop. 0 when that went well, 2 when the address or the log cannot be had."""
    arguments = _arguments()
    spec = ServiceSpec(
        PROFILES[arguments.profile],
        arguments.host,
        arguments.port,
        arguments.seed,
        arguments.max_tokens_default,
        tuple(arguments.fault),
    )
    with ExitStack() as stack:
        try:
            log = stack.enter_context(arguments.log.open("a", buffering=1)) if arguments.log else None
            with asyncio.Runner(loop_factory=precise_loop) as runner:
                runner.run(_serve(spec, lambda served: print(served.to_json(), file=log) if log else None))
        except OSError as error:
            print(f"cannot serve: {error}", file=sys.stderr)  # noqa: T201 - no logger in a helper process
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
