"""One run of open-loop traffic, from the start command to the health record. Runs inside the generator process."""

import asyncio
import time
from itertools import chain
from typing import TextIO

from .client import InferenceClient
from .dispatcher import Dispatcher
from .health import LagSampler, sum_up
from .log import LogHeader
from .protocol import AbortCommand, Done, ProgressLine, TrafficPlan
from .records import MICROSECOND_NS, Progress, RequestRecord
from .schedule import arrivals, schedule
from .spec import SECOND_NS
from .stdio import Stdio

_MS_PER_US = 1 / MICROSECOND_NS


def progress(record: RequestRecord, start_ns: int) -> Progress:
    """A record in brief, for a live view."""
    at_ns = record.t_sched_ns - start_ns
    if not record.ok or record.first_ns is None:
        return Progress(id=record.id, at_ns=at_ns, status=record.status)
    return Progress(
        id=record.id,
        at_ns=at_ns,
        status=record.status,
        ttft_ms=record.first_ns / 1_000_000,
        max_gap_ms=max(record.gaps_us, default=0) * _MS_PER_US,
    )


def wall_offset_ns() -> int:
    """What to add to the monotonic clock to get Unix time."""
    return time.time_ns() - time.monotonic_ns()


class Generator:
    """Offers one traffic and logs what becomes of it. Use within one running loop, once."""

    def __init__(self, plan: TrafficPlan, model: str, start_ns: int, log: TextIO, stdio: Stdio) -> None:
        traffic = plan.traffic
        self._plan = plan
        self._start_ns = start_ns
        self._log = log
        self._stdio = stdio
        self._client = InferenceClient(traffic, model, run=f"{start_ns:x}")
        self._tasks: set[asyncio.Task[None]] = set()
        self._records: list[RequestRecord] = []
        end_ns = None if traffic.duration_ns is None else start_ns + traffic.duration_ns
        planned = () if traffic.duration_ns is None else schedule(traffic, traffic.duration_ns)
        offsets_ns = arrivals(traffic) if traffic.duration_ns is None else chain(planned)
        self._dispatcher = Dispatcher(offsets_ns, start_ns, end_ns, self._begin)
        self._write(
            LogHeader(
                traffic=traffic,
                model=model,
                start_ns=start_ns,
                wall_offset_ns=wall_offset_ns(),
                schedule_ns=planned,
            ).model_dump_json(exclude_none=True)
        )

    async def run(self) -> Done:
        """Offer the traffic until its end or a stop, drain, and sum up."""
        sampler = LagSampler()
        obeying = asyncio.create_task(self._obey())
        sampler.start()
        self._dispatcher.start()
        await self._dispatcher.wait()
        sampler.stop()
        await self._drain()
        obeying.cancel()
        await self._client.close()
        health = sum_up(
            sampler.samples_ns,
            self._records,
            planned=self._dispatcher.planned,
            started_ns=self._start_ns,
            ended_ns=time.monotonic_ns(),
            wall_offset_ns=wall_offset_ns(),
        )
        self._write(health.model_dump_json())
        return Done(requests=len(self._records), health=health)

    def _begin(self, number: int, at_ns: int) -> None:
        task = asyncio.create_task(self._request(number, at_ns))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _request(self, number: int, at_ns: int) -> None:
        record = await self._client.request(number, at_ns)
        self._records.append(record)
        self._write(record.to_json())
        self._stdio.say(ProgressLine(progress=progress(record, self._start_ns)))

    async def _obey(self) -> None:
        """Whatever the controller says now means to admit no more, and its silence too."""
        while True:
            command = await self._stdio.command()
            self._dispatcher.stop()
            if isinstance(command, AbortCommand):
                self._end_requests()

    async def _drain(self) -> None:
        """Let the open requests finish, within the limit and unless aborted; then end the rest."""
        unfinished = tuple(self._tasks)
        if unfinished:
            await asyncio.wait(unfinished, timeout=self._plan.drain_ns / SECOND_NS)
            self._end_requests()
            await asyncio.gather(*unfinished)

    def _end_requests(self) -> None:
        loop = asyncio.get_running_loop()
        for task in self._tasks:
            loop.call_soon(task.cancel)  # soon, not now: cancelled before its first step it would leave no record

    def _write(self, line: str) -> None:
        self._log.write(line + "\n")
