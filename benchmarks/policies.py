"""What sampling policies cost: `python -m benchmarks.policies [--seconds N] [--save]`.

Microseconds of CPU: for each span to answer ten questions (attributes, expressions, what is new), in batches of 4,096 and of 512, and for
each trace to be voted on by the policies of the preset `production`, by tables of 32,768 traces. The best of many rounds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.machine import publish
from benchmarks.payloads import build
from observatory.model.schema import TRACE_ID
from observatory.otlp.decode import decoders
from observatory.pipeline.sampling.build import policies
from observatory.pipeline.sampling.config import SamplingConfig
from observatory.pipeline.sampling.spantests import SpanTests
from observatory.policies.combine import combine

NOW = 1_790_000_000_000_000_000
QUESTIONS: list[dict[str, Any]] = [
    {"type": "status"},
    {"type": "string", "attribute": "http.route", "values": ["/api/chat"]},
    {"type": "string", "attribute": "app.tenant", "patterns": ["tenant-[12]$"]},
    {"type": "numeric", "attribute": "http.response.status_code", "at_least": 400},
    {"type": "boolean", "attribute": "guardrail.blocked"},
    {"type": "model", "models": ["gpt-5*"]},
    {"type": "expression", "filter": "service:night-porter tokens>1000"},
    {"type": "user", "users": ["user-1"]},
    {"type": "error_class", "types": ["RateLimitError"]},
    {"type": "first_seen", "of": ["operation"]},
]
TRACES = 32_768


def measure(seconds: float) -> dict[str, Any]:
    bodies = [build(64, seed, now=NOW) for seed in range(8)]
    spans = decoders().spans(bodies, NOW, [None] * len(bodies)).rows
    named = [{"name": f"{number}", **question} for number, question in enumerate(QUESTIONS)]
    asked = SpanTests.of(policies(SamplingConfig.model_validate_json(json.dumps({"policies": named}))))
    production = policies(SamplingConfig(preset="production"))
    table = _traces()
    few = spans.slice(0, 512)
    return {
        "questions": len(asked.tests),
        "us_per_span": round(_best(lambda: asked(spans, NOW), seconds / 3) / spans.num_rows, 3),
        "us_per_span_in_batches_of_512": round(_best(lambda: asked(few, NOW), seconds / 3) / few.num_rows, 3),
        "us_per_trace_to_vote": round(
            _best(lambda: combine([policy.vote(table, {}, NOW) for policy in production], table), seconds / 3) / TRACES, 3
        ),
    }


def _traces() -> pa.RecordBatch:
    rng = np.random.default_rng(1)
    whole = {name: rng.integers(0, 10**10, TRACES) for name in ("start_ns", "end_ns", "cost", "span_count")}
    truths = {name: rng.random(TRACES) < 0.01 for name in ("feedback", "evaluation", "statuses=(2,)")}
    ids = pa.Array.from_buffers(TRACE_ID, TRACES, [None, pa.py_buffer(rng.bytes(16 * TRACES))])
    numbers = {"randomness": rng.integers(0, 2**56, TRACES, dtype=np.uint64), "threshold": np.zeros(TRACES, np.uint64)}
    return pa.RecordBatch.from_pydict({"trace_id": ids, **numbers, **whole, **truths})


def _best(work: Callable[[], object], seconds: float) -> float:
    """Microseconds of one run."""
    best, until = float("inf"), time.monotonic() + seconds
    while time.monotonic() < until or best == float("inf"):
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    return best * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0, help="how long (default: %(default)s)")
    parser.add_argument("--save", action="store_true", help="append to benchmarks/results")
    args = parser.parse_args()
    publish("policies", measure(args.seconds), save=args.save)


if __name__ == "__main__":
    main()
