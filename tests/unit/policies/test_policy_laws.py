"""Laws: policies and the row-by-row oracle agree on anything; order and batches do not matter; adjusted counts estimate without bias."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from oracle import FILTERS, vote_of
from pydantic import TypeAdapter
from telling import Span, Trace, said, spans_of, table_of

from observatory.contracts import SAMPLE, Policy
from observatory.model.clock import SECOND
from observatory.model.schema import TRACE_ID
from observatory.model.threshold import NEVER, adjusted_counts
from observatory.pipeline.sampling.sections import PolicyConfig
from observatory.pipeline.sampling.spantests import SpanTests
from observatory.policies import some_span
from observatory.policies.always import Always
from observatory.policies.budget import Budget
from observatory.policies.combine import combine
from observatory.policies.composite import Composite
from observatory.policies.compound import And
from observatory.policies.latency import Latency
from observatory.policies.limiting import BytesLimiting, RateLimiting
from observatory.policies.probabilistic import Probabilistic
from observatory.policies.usage import Cost
from observatory.testing.clock import NOON
from observatory.testing.tracetable import trace_id

CONFIG: TypeAdapter[Any] = TypeAdapter(PolicyConfig)

texts = st.sampled_from(["/api", "/api/x", "/health", "gold", "", "404", "4.5", "true", "é", 'say "q"'])
values = texts | st.integers(-3, 600) | st.booleans() | st.floats(-10, 600)
attributes = st.dictionaries(st.sampled_from(["http.route", "tier", "retries", "user.id", "error.type"]), values, max_size=3)
spans = st.builds(
    Span,
    at_s=st.sampled_from([0.0, 1.0, 2.5]),
    took_s=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    name=st.sampled_from(["chat", "chat x", "work"]),
    status=st.sampled_from(["ok", "error", "unset"]),
    flags=st.integers(0, 3),
    state=st.sampled_from(["", "v=a", "v=b,w=a"]),
    attributes=attributes,
    resource=attributes,
)
facts = st.fixed_dictionaries(
    {"randomness": st.integers(0, NEVER - 1)},
    optional={
        "cost": st.integers(0, 10**12),
        "input_tokens": st.integers(0, 2000),
        "ttft_ns": st.integers(0, 3 * SECOND),
        "feedback": st.booleans(),
        "evaluation": st.booleans(),
    },
)
traces = st.builds(Trace, st.lists(spans, min_size=1, max_size=3), facts)

keys = st.sampled_from(["http.route", "tier", "retries"])
simple = st.one_of(
    st.just({"type": "always"}),
    st.builds(lambda low: {"type": "latency", "above_s": low}, st.sampled_from([0.5, 1.0, 2.0])),
    st.just({"type": "latency", "above_s": 1.0, "at_most_s": 2.0}),
    st.builds(lambda low: {"type": "span_count", "at_least": low, "at_most": low + 1}, st.integers(1, 3)),
    st.builds(lambda some: {"type": "status", "statuses": some}, st.lists(st.sampled_from(["ok", "error", "unset"]), min_size=1)),
    st.builds(
        lambda key, some, invert: {"type": "string", "attribute": key, "values": some, "invert": invert},
        keys, st.lists(texts.filter(bool), min_size=1, max_size=2), st.booleans(),
    ),
    st.builds(lambda key, some: {"type": "string", "attribute": key, "patterns": some}, keys, st.sampled_from([["^/api"], ["4", "g.ld"]])),
    st.builds(lambda key, low: {"type": "numeric", "attribute": key, "at_least": low}, keys, st.floats(-10, 500)),
    st.builds(lambda key, value: {"type": "boolean", "attribute": key, "value": value}, keys, st.booleans()),
    st.builds(lambda some: {"type": "trace_state", "key": "v", "values": some}, st.sampled_from([["a"], ["b", "c"]])),
    st.just({"type": "trace_flags"}),
    st.builds(lambda text: {"type": "expression", "filter": text}, st.sampled_from(list(FILTERS)[:4])),
    st.builds(lambda above: {"type": "cost", "above_usd": above}, st.sampled_from([0.0, 0.1, 0.5])),
    st.builds(lambda above: {"type": "tokens", "above": above}, st.integers(0, 2000)),
    st.builds(lambda above: {"type": "ttft", "above_s": above}, st.sampled_from([0.5, 1.0])),
    st.builds(lambda given_: {"type": "feedback", "given": given_}, st.sampled_from(["any", "feedback", "evaluation"])),
    st.builds(lambda percent: {"type": "probabilistic", "percent": percent}, st.sampled_from([0, 1, 25, 50, 100])),
    st.builds(lambda percent: {"type": "probabilistic", "percent": percent, "salt": "s"}, st.sampled_from([10, 50, 100])),
    st.builds(lambda some: {"type": "user", "users": some}, st.sampled_from([["/*"], ["gold", "4*4"]])),
    st.builds(lambda some: {"type": "error_class", "types": some}, st.sampled_from([["tru*"], ["gold"]])),
)  # fmt: skip
policies = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(lambda some: {"type": "and", "policies": some}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one: {"type": "not", "policy": one}, inner),
        st.builds(lambda some: {"type": "drop", "policies": some}, st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(config=policies, some=st.lists(traces, min_size=1, max_size=5))
def test_columns_and_the_row_by_row_oracle_agree(config: dict[str, Any], some: list[Trace]) -> None:
    policy = CONFIG.validate_python(config).made()
    votes = policy.vote(table_of(some, [policy]), {}, NOON)
    for row, trace in enumerate(some):
        vote, threshold = vote_of(config, with_id(trace, row))
        wanted = vote if vote != "keep" or threshold == 0 else "keep@?" if threshold is None else f"keep@{threshold:014x}".rstrip("0")
        assert said(int(votes.choice[row]), int(votes.threshold[row])) == wanted, (config, trace)


def with_id(trace: Trace, number: int) -> Trace:
    return Trace(trace.spans, {"id": trace_id(number), **trace.facts})


@settings(max_examples=60, deadline=None)
@given(some=st.lists(traces, min_size=2, max_size=6), configs=st.lists(policies, min_size=1, max_size=4), data=st.data())
def test_neither_order_nor_batches_of_spans_matter(some: list[Trace], configs: list[dict[str, Any]], data: st.DataObject) -> None:
    made = [CONFIG.validate_python(config).made() for config in configs]
    shuffled = [Trace(data.draw(st.permutations(trace.spans)), trace.facts) for trace in some]
    decided = [
        combine([policy.vote(table, {}, NOON) for policy in made], table) for table in (table_of(some, made), table_of(shuffled, made))
    ]
    for one, other in zip(*(vars_of(each) for each in decided), strict=True):
        assert (one == other).all()
    whole = SpanTests.of(made)(pieces := spans_of(some), NOON)
    for column, answers in whole.tests.items():
        parts = [SpanTests.of(made)(pieces.slice(at, 1), NOON).tests[column] for at in range(pieces.num_rows)]
        assert (np.concatenate(parts) == answers).all()


def vars_of(decisions: Any) -> list[np.ndarray]:
    return [decisions.kept, decisions.threshold, decisions.decided_by]


# --- adjusted counts estimate the truth

RUNS = 10_000
CONFIDENCE = 4.0  # standard errors: a sound estimator fails one of 16,000 such tests, and the seed is fixed

ERRORS = some_span.status()
ESTIMATED: dict[str, list[Policy]] = {
    "one share": [Probabilistic(0.1)],
    "two shares": [Probabilistic(0.1), Probabilistic(0.3)],
    "production": [ERRORS, Latency(5 * SECOND), Cost(10**11), Probabilistic(0.01)],
    "a share of errors, a smaller one of all": [And((ERRORS, Probabilistic(0.5))), Probabilistic(0.05)],
    "a salted share beside a known one": [Probabilistic(0.2), Probabilistic(0.3, "salt")],
    "composite": [Composite((ERRORS, Always()), (60, 40), 100)],
}


@pytest.mark.parametrize("name", ESTIMATED)
def test_adjusted_counts_estimate_without_bias(name: str) -> None:
    """The same 40 traces in 10,000 runs, each with randomness of its own: the mean estimate of their number and cost is the truth."""
    rng = np.random.default_rng(7)
    truth = {"count": np.ones(40), "cost": rng.lognormal(23, 2, 40).round()}
    table = runs_of(truth["cost"], rng)
    made = ESTIMATED[name]
    decided = combine([policy.vote(table, {}, NOON) for policy in made], table)
    weights = weights_of(decided.kept, decided.threshold).reshape(RUNS, 40)
    for what, values in truth.items():
        estimates = weights @ values
        error = estimates.std(ddof=1) / RUNS**0.5
        assert abs(estimates.mean() - values.sum()) <= CONFIDENCE * error + 1e-9 * values.sum(), (
            what,
            estimates.mean(),
            values.sum(),
            error,
        )


@pytest.mark.parametrize("incoming", [0.5, 0.01])
def test_what_a_client_sampled_is_weighted_once(incoming: float) -> None:
    """A client kept a share already, larger or smaller than ours: the higher threshold holds, the estimate is of what there was before."""
    rng = np.random.default_rng(8)
    randomness = rng.integers(0, NEVER, RUNS * 40, dtype=np.uint64)
    threshold = np.uint64(round((1 - incoming) * NEVER))
    arrived = randomness >= threshold
    ids = pa.array([b"\0" * 16] * int(arrived.sum()), TRACE_ID)
    table = pa.RecordBatch.from_pydict(
        {"trace_id": ids, "randomness": randomness[arrived], "threshold": np.full(arrived.sum(), threshold)},
    )
    decided = combine([Probabilistic(0.1).vote(table, {}, NOON)], table)
    estimate, truth = weights_of(decided.kept, decided.threshold), RUNS * 40
    spread = np.sqrt((estimate * (estimate - 1)).sum())
    assert abs(estimate.sum() - truth) <= CONFIDENCE * spread


def runs_of(cost: np.ndarray, rng: np.random.Generator) -> pa.RecordBatch:
    """The same traces again and again; a tenth have errors, some are slow."""
    count = len(cost) * RUNS
    again = np.tile(np.arange(len(cost)), RUNS)
    errors = again % 10 == 0
    return pa.RecordBatch.from_pydict(
        {
            "trace_id": pa.Array.from_buffers(TRACE_ID, count, [None, pa.py_buffer(rng.bytes(16 * count))]),
            "randomness": rng.integers(0, NEVER, count, dtype=np.uint64),
            "threshold": np.zeros(count, np.uint64),
            "start_ns": np.full(count, NOON),
            "end_ns": NOON + np.where(again % 15 == 1, 6, 1) * SECOND,
            "span_count": 1 + again % 12,
            "bytes": 800 * (1 + again % 12),
            "cost": np.tile(cost, RUNS).astype(np.int64),
            next(iter(ERRORS.tests)): errors,
        }
    )


def weights_of(kept: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """What each trace counts for in an estimate: nothing when it was not kept or its count is unknown."""
    counts, known = adjusted_counts(threshold)
    return np.where(kept & known, counts, 0.0)


LIMITS: dict[str, tuple[Policy, str, float]] = {
    "rate_limiting": (RateLimiting(200, 400), "span_count", 200),
    "rate_limiting of few": (RateLimiting(12, 24), "span_count", 12),
    "bytes_limiting": (BytesLimiting(100_000, 200_000), "bytes", 100_000),
    "composite": (Composite((ERRORS, Always()), (70, 30), 200), "span_count", 200),
    "budget": (Budget(200), "span_count", 200),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_hold_on_average_and_kept_traces_stay_reweightable(name: str) -> None:
    """10,000 ticks of 30 traces, some 700 spans a second: the limit is kept, and what is kept estimates what there was."""
    policy, size, rate = LIMITS[name]
    rng = np.random.default_rng(11)
    state: dict[str, Any] = {}
    kept = truth = estimate = spread = 0.0
    everything = runs_of(np.ones(30), rng).slice(0, 10_000 * 30)
    for tick in range(10_000):
        now = NOON + tick * SECOND // 4
        table = everything.slice(tick * 30, 30)
        sizes = np.asarray(table.column(size)).astype(float)
        if isinstance(policy, Budget):
            policy.arrived(int(sizes.sum()), state, now)
        votes = policy.vote(table, state, now)
        weights = weights_of(votes.choice == SAMPLE, votes.threshold)
        kept += sizes[votes.choice == SAMPLE].sum()
        truth += sizes.sum()
        estimate += weights @ sizes
        spread += (weights * (weights - 1)) @ sizes**2
    assert kept / 2500 == pytest.approx(rate, rel=0.03)
    assert abs(estimate - truth) <= CONFIDENCE * spread**0.5
    assert spread**0.5 < 0.05 * truth  # and it is worth something
