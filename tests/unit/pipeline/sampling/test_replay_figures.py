"""What a configuration would have kept, of traces in memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from observatory.model.clock import SECOND
from observatory.model.schema import TRACE_ID
from observatory.model.threshold import NEVER
from observatory.pipeline.sampling.replay import replay
from observatory.pipeline.sampling.storedtraces import Gathered
from observatory.policies import some_span
from observatory.policies.always import Always
from observatory.policies.budget import Budget
from observatory.policies.compound import Drop
from observatory.policies.latency import Latency
from observatory.policies.limiting import RateLimiting
from observatory.policies.probabilistic import Probabilistic
from observatory.policies.reason import Reason
from observatory.testing.clock import NOON
from observatory.testing.tracetable import trace_id, trace_table

ERRORS = some_span.status(name="errors")


def table(count: int, *policies: Reason, each_s: float = 1.0, **facts: object) -> pa.RecordBatch:
    rng = np.random.default_rng(5)
    rows = [
        {
            "randomness": int(rng.integers(0, NEVER, dtype=np.uint64)),
            "yes": number % 10 == 0,
            "first_received": NOON + round(number * each_s * SECOND),
            "last_received": NOON + round((number * each_s + 2) * SECOND),
            **facts,
        }
        for number in range(count)
    ]
    return trace_table(rows, *policies)


def test_each_policy_and_the_whole() -> None:
    policies = [ERRORS, Probabilistic(0.25, name="quarter")]
    said = replay(table(1000, *policies, span_count=3, bytes=100), policies, np.ones(1000))
    assert (said.everything.traces, said.everything.spans, said.everything.bytes) == (1000, 3000, 100_000)
    assert said.by_policy["errors"].traces == 100
    assert said.by_policy["quarter"].traces == pytest.approx(250, abs=55)
    both = said.by_policy["errors"].traces + said.by_policy["quarter"].traces
    assert max(100, both - 100) < said.kept.traces < both


def test_a_veto_counts_what_it_drops() -> None:
    policies = [Always(), Drop((ERRORS,), "no errors")]
    said = replay(table(100, *policies), policies, np.ones(100))
    assert (said.by_policy["no errors"].traces, said.kept.traces) == (10, 90)


def test_estimates_and_their_errors() -> None:
    policies = [Probabilistic(0.25)]
    said = replay(table(1000, *policies, cost=10**12), policies, np.ones(1000))
    kept = said.kept.traces
    traces, cost = said.estimates["traces"], said.estimates["cost_usd"]
    assert (traces.truth, traces.estimate) == (1000, 4 * kept)
    assert traces.standard_error == pytest.approx((kept * 4 * 3) ** 0.5)
    assert (cost.truth, cost.estimate, cost.standard_error) == (1000, pytest.approx(4 * kept), pytest.approx((kept * 12) ** 0.5))


def test_what_is_certain_has_no_error() -> None:
    said = replay(table(50), [Always()], np.ones(50))
    assert (said.estimates["traces"].estimate, said.estimates["traces"].standard_error) == (50, 0)


def test_unknown_counts_are_left_out_and_said() -> None:
    policies = [Probabilistic(1.0, "salt")]
    said = replay(table(50), policies, np.ones(50))
    assert (said.kept.traces, said.unknown, said.estimates["traces"].estimate) == (50, 50, 0)


def test_thinned_traces_count_for_what_they_stand_for() -> None:
    half = NEVER // 2
    said = replay(table(100, randomness=half, threshold=half), [Always()], np.full(100, 2.0))
    assert said.everything.traces == said.kept.traces == 200
    assert said.estimates["traces"].truth == said.estimates["traces"].estimate == 200


def test_limits_are_asked_second_by_second() -> None:
    said = replay(table(2000, each_s=0.01, span_count=5), [RateLimiting(100, 100)], np.ones(2000))
    assert said.kept.spans == pytest.approx(100 * 20, rel=0.2)  # 20 seconds, 500 spans in each


def test_a_budget_hears_of_what_arrives() -> None:
    said = replay(table(20_000, each_s=0.01, span_count=5), [Budget(100, 5)], np.ones(20_000))
    assert said.kept.spans == pytest.approx(100 * 200, rel=0.25)  # 200 seconds, with what the first ones may keep above


def stored(**more: object) -> pa.RecordBatch:
    rows = 3
    figures = ("start_ns", "end_ns", "first_received", "last_received", "span_count", "error_count", "llm_calls", "input_tokens",
               "output_tokens", "cost", "ttft_ns")  # fmt: skip
    columns = {name: pa.array([0] * rows, pa.int64()) for name in figures}
    columns |= {name: pa.array([False] * rows) for name in ("feedback", "evaluation")}
    ids = pa.array([trace_id(number) for number in range(rows)], TRACE_ID)
    return pa.RecordBatch.from_pydict({"trace_id": ids, **columns, "adjusted_count": pa.array([None, 1.0, 4.0], pa.float64()), **more})


def test_spans_are_gathered_in_any_order() -> None:
    from observatory.otlp.decode import decoders
    from observatory.testing.spans import Maker

    make = Maker(1, NOON)
    made = [
        make.span(trace_id=trace_id(2), error="no", trace_state="ot=th:c;rv:00000000000007"),
        make.span(trace_id=trace_id(0)),
        make.span(trace_id=trace_id(2), attributes={"user.id": "u"}),
        make.span(trace_id=trace_id(9), error="of another trace"),
    ]
    spans = decoders().spans([make.spans(*made).protobuf], NOON, [None]).rows
    policies = [ERRORS, Latency(SECOND)]
    found = Gathered(stored(), policies)
    for at in (2, 3, 0, 1):
        found.spans(spans.slice(at, 1), np.array([100 + at]), NOON)
    traces = found.table()
    assert traces.column("bytes").to_pylist() == [101, 0, 202]
    assert traces.column(next(iter(ERRORS.tests))).to_pylist() == [False, False, True]
    assert traces.column("randomness")[2].as_py() == 7
    assert traces.column("threshold").to_pylist() == [0, 0, 0xC0 << 48]
    assert found.counts().tolist() == [1, 1, 4]
    assert replay(traces, policies, found.counts()).by_policy["errors"].traces == 4
