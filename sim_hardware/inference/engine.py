"""Continuous batching as a pure model: requests in, token instants out, on whatever clock the caller keeps.

The engine works in steps, as vLLM's scheduler does: each step decodes one token for every running sequence and spends
what is left of its token budget on prompts, in order of arrival. How long a step takes follows from what is in it, so
queueing and slower tokens under load are not put in, they come out.
"""

import math
import random
from collections import deque
from dataclasses import dataclass

from .profiles import Profile


@dataclass(frozen=True)
class Token:
    """Token number `index` (from 0) of request `request`, made at `at_ns`; `last` when the request is finished."""

    request: int
    index: int
    at_ns: int
    last: bool


@dataclass(eq=False)
class _Sequence:
    request: int
    prompt_left: int
    output_tokens: int
    ready_ns: int
    made: int = 0


@dataclass
class _Step:
    end_ns: int
    prefill: list[tuple[_Sequence, int]]
    decode: list[_Sequence]


class StepEngine:
    """One inference engine. Times are integer nanoseconds of the caller's clock and must never go back.

    The engine keeps its own time exactly: a caller that looks in late gets the tokens late, and the tokens still carry
    the instants at which they were due.
    """

    def __init__(self, profile: Profile, seed: int = 0) -> None:
        self.profile = profile
        self._draw = random.Random(seed)
        self._waiting: deque[_Sequence] = deque()
        self._running: list[_Sequence] = []
        self._step: _Step | None = None
        self._free_ns = 0

    @property
    def waiting(self) -> int:
        """Requests that are not in the batch yet."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Requests in the batch."""
        return len(self._running)

    def submit(self, request: int, prompt_tokens: int, output_tokens: int, now_ns: int) -> None:
        """Take a request in. `request` must be a number of its own; both token counts at least 1."""
        if prompt_tokens < 1 or output_tokens < 1:
            raise ValueError(f"request {request}: needs at least 1 prompt and 1 output token")
        self._waiting.append(_Sequence(request, prompt_tokens, output_tokens, now_ns + self.profile.request_ns))

    def cancel(self, request: int) -> None:
        """Forget a request; its place in the batch is free from the next step on. Unknown requests are ignored."""
        self._waiting = deque(sequence for sequence in self._waiting if sequence.request != request)
        self._running = [sequence for sequence in self._running if sequence.request != request]

    def freeze(self, duration_ns: int, now_ns: int) -> None:
        """Make no token for `duration_ns`: the step under way takes that much longer, or the next begins that late."""
        if self._step is not None:
            self._step.end_ns += duration_ns
        else:
            self._free_ns = max(self._free_ns, now_ns) + duration_ns

    def next_event_ns(self) -> int | None:
        """The next instant at which something happens, or None when the engine is idle."""
        if self._step is not None:
            return self._step.end_ns
        if self._running:
            return self._free_ns
        if self._waiting:
            return max(self._free_ns, self._waiting[0].ready_ns)
        return None

    def advance(self, now_ns: int) -> list[Token]:
        """Run up to and including `now_ns`; the tokens made since the last call, in order of their instants."""
        tokens: list[Token] = []
        while (event_ns := self.next_event_ns()) is not None and event_ns <= now_ns:
            if self._step is None:
                self._step = self._begin(event_ns)
            else:
                tokens += self._finish(self._step)
        return tokens

    def _begin(self, at_ns: int) -> _Step:
        while self._waiting and self._waiting[0].ready_ns <= at_ns and len(self._running) < self.profile.max_num_seqs:
            self._running.append(self._waiting.popleft())
        decode = [sequence for sequence in self._running if sequence.prompt_left == 0]
        budget = self.profile.step_tokens - len(decode)
        prefill = []
        for sequence in self._running:
            chunk = min(sequence.prompt_left, budget)
            if chunk > 0:
                prefill.append((sequence, chunk))
                budget -= chunk
        return _Step(at_ns + self._duration_ns(sum(chunk for _, chunk in prefill), len(decode)), prefill, decode)

    def _duration_ns(self, prefill_tokens: int, decode_seqs: int) -> int:
        profile = self.profile
        nominal_ns = profile.step_ns + profile.prefill_token_ns * prefill_tokens + profile.decode_seq_ns * decode_seqs
        if profile.noise == 0:
            return nominal_ns
        return round(nominal_ns * math.exp(self._draw.gauss(-(profile.noise**2) / 2, profile.noise)))

    def _finish(self, step: _Step) -> list[Token]:
        for sequence, chunk in step.prefill:
            sequence.prompt_left -= chunk
        ready = step.decode + [sequence for sequence, _ in step.prefill if sequence.prompt_left == 0]
        tokens = []
        for sequence in ready:
            if sequence not in self._running:  # cancelled during the step
                continue
            tokens.append(
                Token(sequence.request, sequence.made, step.end_ns, last=sequence.made + 1 == sequence.output_tokens)
            )
            sequence.made += 1
        self._running = [sequence for sequence in self._running if sequence.made < sequence.output_tokens]
        self._step = None
        self._free_ns = step.end_ns
        return tokens
