"""The step engine on a clock of its own: every instant can be worked out by hand."""

from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.sim_hardware.inference.engine import StepEngine, Token
from impairlab.sim_hardware.inference.profiles import PROFILES, Profile

MS = 1_000_000
PLAIN = Profile("plain", 5, 100, 2, 10, max_num_seqs=2, step_tokens=50)


def run(engine: StepEngine, until_ns: int = 10**12) -> list[Token]:
    return engine.advance(until_ns)


def instants(tokens: list[Token], request: int) -> list[int]:
    return [token.at_ns for token in tokens if token.request == request]


def test_one_request_costs_what_the_formula_says() -> None:
    engine = StepEngine(PLAIN)
    engine.submit(0, prompt_tokens=20, output_tokens=3, now_ns=1000)
    tokens = run(engine)
    first = 1000 + 5 + 100 + 2 * 20
    assert tokens == [
        Token(0, 0, first, last=False),
        Token(0, 1, first + 110, last=False),
        Token(0, 2, first + 220, last=True),
    ]
    assert engine.next_event_ns() is None


def test_a_long_prompt_is_cut_in_chunks() -> None:
    engine = StepEngine(PLAIN)
    engine.submit(0, prompt_tokens=120, output_tokens=1, now_ns=0)
    assert instants(run(engine), 0) == [5 + 3 * 100 + 2 * 120]


def test_decoding_takes_its_part_of_the_token_budget() -> None:
    engine = StepEngine(PLAIN)
    engine.submit(0, prompt_tokens=1, output_tokens=10, now_ns=0)
    engine.submit(1, prompt_tokens=60, output_tokens=1, now_ns=10)
    gaps = [b - a for a, b in pairwise(instants(run(engine), 0))]
    assert gaps[:3] == [110 + 2 * 49, 110 + 2 * 11, 110]  # 50 tokens a step, one of them decoding


def test_a_prompt_slows_the_stream_that_is_decoding_beside_it() -> None:
    engine = StepEngine(PLAIN)
    engine.submit(0, prompt_tokens=1, output_tokens=4, now_ns=0)
    engine.submit(1, prompt_tokens=40, output_tokens=1, now_ns=10)
    gaps = [b - a for a, b in pairwise(instants(run(engine), 0))]
    assert gaps == [100 + 2 * 40 + 10, 110, 110]


def test_the_batch_is_bounded_and_the_rest_waits_in_order_of_arrival() -> None:
    engine = StepEngine(PLAIN)
    for request in range(4):
        engine.submit(request, prompt_tokens=1, output_tokens=2, now_ns=0)
    engine.advance(5)
    assert (engine.running, engine.waiting) == (2, 2)
    firsts = [token.request for token in run(engine) if token.index == 0]
    assert firsts == [0, 1, 2, 3]


def test_a_request_that_arrives_during_a_step_waits_for_the_next() -> None:
    engine = StepEngine(PLAIN)
    engine.submit(0, prompt_tokens=1, output_tokens=2, now_ns=0)
    engine.advance(50)
    engine.submit(1, prompt_tokens=1, output_tokens=1, now_ns=50)
    tokens = run(engine)
    first_step_end = 5 + 102
    assert instants(tokens, 1) == [first_step_end + 100 + 2 + 10]


def test_looking_in_late_moves_no_instant() -> None:
    def make() -> StepEngine:
        engine = StepEngine(PROFILES["dc-8b-h100"], seed=3)
        for request in range(5):
            engine.submit(request, 300, 20, now_ns=request)
        return engine

    often, once = make(), make()
    tokens = [token for at in range(0, 2_000 * MS, MS) for token in often.advance(at)]
    assert tokens == once.advance(2_000 * MS)


def test_a_cancelled_request_makes_no_more_tokens_and_frees_its_place() -> None:
    engine = StepEngine(PLAIN)
    for request in range(3):
        engine.submit(request, prompt_tokens=1, output_tokens=1000, now_ns=0)
    engine.advance(1_000)
    assert (engine.running, engine.waiting) == (2, 1)
    engine.cancel(0)
    tokens = engine.advance(2_000)
    assert instants(tokens, 0) == []
    assert instants(tokens, 2) != []


def test_a_freeze_holds_every_stream_for_its_length() -> None:
    plain, frozen = StepEngine(PLAIN), StepEngine(PLAIN)
    for engine in (plain, frozen):
        engine.submit(0, prompt_tokens=1, output_tokens=5, now_ns=0)
        engine.advance(150)
    frozen.freeze(7_000, now_ns=150)
    assert instants(run(frozen), 0) == [at + 7_000 for at in instants(run(plain), 0)]


def test_a_freeze_of_an_idle_engine_delays_the_next_request() -> None:
    engine = StepEngine(PLAIN)
    engine.freeze(7_000, now_ns=100)
    engine.submit(0, prompt_tokens=1, output_tokens=1, now_ns=200)
    assert instants(run(engine), 0) == [7_100 + 102]


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 300), st.integers(1, 30)), min_size=1, max_size=20),
    st.integers(0, 2**32),
)
def test_every_request_gets_all_its_tokens_in_order(requests: list[tuple[int, int, int]], seed: int) -> None:
    engine = StepEngine(Profile("noisy", 5, 100, 2, 10, max_num_seqs=3, step_tokens=64, noise=0.3), seed)
    tokens: list[Token] = []
    for number, (at_ns, prompt, output) in enumerate(sorted(requests)):
        tokens += engine.advance(at_ns)
        engine.submit(number, prompt, output, at_ns)
    tokens += run(engine)
    assert [token.at_ns for token in tokens] == sorted(token.at_ns for token in tokens)
    for number, (at_ns, _, output) in enumerate(sorted(requests)):
        mine = [token for token in tokens if token.request == number]
        assert [token.index for token in mine] == list(range(output))
        assert [token.last for token in mine] == [False] * (output - 1) + [True]
        assert mine[0].at_ns > at_ns + 5
    assert (engine.running, engine.waiting) == (0, 0)


@pytest.mark.parametrize(
    ("name", "overhead_ms", "token_us", "inter_token_ms", "full_ms"),
    [("edge-3b-l40s", 20, 350, 15, 22.5), ("dc-8b-h100", 30, 250, 12, 24), ("dc-70b-8xh100", 80, 500, 25, 75)],
)
def test_a_profile_gives_the_latencies_of_its_source(
    name: str, overhead_ms: int, token_us: int, inter_token_ms: int, full_ms: float
) -> None:
    profile = PROFILES[name]
    assert profile.request_ns + profile.step_ns == overhead_ms * MS
    assert profile.prefill_token_ns == token_us * 1000
    assert profile.step_ns + profile.decode_seq_ns == inter_token_ms * MS
    full_ns = profile.step_ns + profile.max_num_seqs * profile.decode_seq_ns
    assert full_ns == pytest.approx(full_ms * MS, abs=100)


def test_noise_keeps_the_mean_and_is_fixed_by_the_seed() -> None:
    def gaps(seed: int) -> list[int]:
        engine = StepEngine(PROFILES["dc-8b-h100"], seed)
        engine.submit(0, 1, 5_001, now_ns=0)
        return [b - a for a, b in pairwise(instants(run(engine), 0))]

    assert gaps(1) == gaps(1) != gaps(2)
    assert fmean(gaps(1)) == pytest.approx(12 * MS, rel=0.01)


def test_load_slows_the_tokens_and_then_queues() -> None:
    def mean_gap(streams: int) -> float:
        engine = StepEngine(PROFILES["dc-8b-h100"], 1)
        for request in range(streams):
            engine.submit(request, 1, 200, now_ns=0)
        return fmean(b - a for a, b in pairwise(instants(run(engine), 0)))

    assert mean_gap(16) == pytest.approx(2 * mean_gap(1), rel=0.05)


@pytest.mark.parametrize(("prompt", "output"), [(0, 1), (1, 0)])
def test_a_request_without_tokens_is_refused(prompt: int, output: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        StepEngine(PLAIN).submit(0, prompt, output, 0)
