"""Send a simulated service streaming requests for two seconds and judge the time to first token."""

import tempfile
import time
from pathlib import Path

from impairlab.controller.analysis.health import faults_of
from impairlab.controller.analysis.metrics import verdict_metric
from impairlab.controller.analysis.verdict import quantile_at_most
from impairlab.controller.traffic.process import TrafficProcess
from impairlab.controller.traffic.protocol import TrafficPlan
from impairlab.controller.traffic.spec import SECOND_NS, InferenceTraffic
from impairlab.sim_hardware.inference import Profile, serve_inference

MS = 1_000_000
MODEL = Profile(
    "small", request_ns=5 * MS, step_ns=5 * MS, prefill_token_ns=1_000, decode_seq_ns=20_000, max_num_seqs=64
)

with serve_inference(MODEL) as service, tempfile.TemporaryDirectory() as folder:
    chat = InferenceTraffic(url=service.address, rate=50, prompt_tokens=64, output_tokens=10, duration_ns=2 * SECOND_NS)
    with TrafficProcess(TrafficPlan(traffic=chat, drain_ns=SECOND_NS), Path(folder) / "chat.jsonl") as traffic:
        traffic.start(time.monotonic_ns() + 50 * MS)
        log = traffic.wait(30)

ttft = verdict_metric("ttft")
verdict = quantile_at_most(ttft.values(log.records), metric=ttft, q=0.9, limit=100 * MS)
verdict = verdict.invalid(faults_of(log.health, effect_ns=100 * MS))
print(f"{verdict.outcome}: {verdict.claim} ({verdict.reason})")
