"""What a model on a machine costs per step: the constants of the step engine, by name."""

from dataclasses import dataclass
from types import MappingProxyType

MICROSECOND_NS = 1_000
MILLISECOND_NS = 1_000_000


@dataclass(frozen=True)
class Profile:
    """Constants of one simulated deployment.

    A step takes `step_ns + prefill_token_ns * (prompt tokens in it) + decode_seq_ns * (sequences decoding in it)`,
    times a lognormal factor of mean 1 and shape `noise`.

    Attributes:
        name: What the profile is called, and the model id that the service offers.
        request_ns: Work on a request outside the batch before it can be scheduled (tokenising, set-up), nanoseconds.
        step_ns: Fixed cost of a step, nanoseconds.
        prefill_token_ns: Cost of one prompt token, nanoseconds.
        decode_seq_ns: Cost of one decoding sequence, nanoseconds.
        max_num_seqs: Sequences in the batch at most; more wait in order of arrival.
        step_tokens: Tokens in a step at most; decoding goes first and prompts are cut in chunks to fill the rest.
        max_model_len: Prompt and output tokens of a request at most.
        noise: Shape (sigma) of the lognormal factor; 0 for none.
    """

    name: str
    request_ns: int
    step_ns: int
    prefill_token_ns: int
    decode_seq_ns: int
    max_num_seqs: int
    step_tokens: int = 2048
    max_model_len: int = 32_768
    noise: float = 0.0


def _fitted(
    name: str,
    *,
    prefill_overhead_ms: int,
    prefill_token_us: int,
    inter_token_ms: int,
    spread_ms: int,
    load_factor: float,
    max_num_seqs: int,
) -> Profile:
    """Find the step constants that give the stated latencies.

    One sequence decodes in the stated inter-token latency, a full batch in `load_factor` times that, and a lone prompt
    of one chunk takes the stated overhead plus its tokens.
    """
    inter_token_ns = inter_token_ms * MILLISECOND_NS
    decode_seq_ns = round((load_factor - 1) * inter_token_ns / (max_num_seqs - 1))
    step_ns = inter_token_ns - decode_seq_ns
    return Profile(
        name=name,
        request_ns=prefill_overhead_ms * MILLISECOND_NS - step_ns,
        step_ns=step_ns,
        prefill_token_ns=prefill_token_us * MICROSECOND_NS,
        decode_seq_ns=decode_seq_ns,
        max_num_seqs=max_num_seqs,
        noise=spread_ms / inter_token_ms,
    )


# Source: llm-d-inference-sim, docs/latency-profiles.md, its three per-token profiles. Its authors call the numbers
# order-of-magnitude estimates; they are no measurement of any GPU.
PROFILES = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            _fitted(
                "edge-3b-l40s",
                prefill_overhead_ms=20,
                prefill_token_us=350,
                inter_token_ms=15,
                spread_ms=2,
                load_factor=1.5,
                max_num_seqs=4,
            ),
            _fitted(
                "dc-8b-h100",
                prefill_overhead_ms=30,
                prefill_token_us=250,
                inter_token_ms=12,
                spread_ms=2,
                load_factor=2.0,
                max_num_seqs=16,
            ),
            _fitted(
                "dc-70b-8xh100",
                prefill_overhead_ms=80,
                prefill_token_us=500,
                inter_token_ms=25,
                spread_ms=4,
                load_factor=3.0,
                max_num_seqs=64,
            ),
        )
    }
)
