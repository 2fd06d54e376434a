"""What a list of policies would have kept of traces that are stored, and how well what it kept would have told of the rest.

Pure: traces in, figures out. A stored trace that stands for others (its adjusted count) counts for them here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from observatory.contracts import DROP, SAMPLE, Paced, Settles, State, Votes
from observatory.model.clock import SECOND, Nanos
from observatory.model.threshold import adjusted_counts
from observatory.policies.combine import combine
from observatory.policies.reason import Reason
from observatory.query.estimate import horvitz_thompson

_TICK = SECOND


@dataclass(frozen=True, slots=True)
class Total:
    """Of some traces, estimates of what there was: each trace counts for as many as it stood for when it was stored."""

    traces: float = 0.0
    spans: float = 0.0
    bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What traces that are kept would say of all: the truth as far as it is stored, the estimate, and its standard error."""

    truth: float
    estimate: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Replay:
    """`by_policy`: what each wants (of one that vetoes: what it drops), by name in their order; one trace may be wanted by several.
    `unknown`: kept traces whose count cannot be told; estimates leave them out.
    """

    everything: Total
    kept: Total
    by_policy: dict[str, Total] = field(default_factory=dict)
    estimates: dict[str, Estimate] = field(default_factory=dict)
    unknown: int = 0


def replay(traces: pa.RecordBatch, policies: Sequence[Reason], counts: np.ndarray) -> Replay:
    """`traces` as policies see them, complete, with `threshold` as they were stored; `counts` what each stands for (float64).

    Policies that remember are asked second by second: about each trace when it began if they settle at once, else when it ended.
    """
    votes = [_votes(policy, traces, counts) for policy in policies]
    decided = combine(votes, traces)
    by_policy = {policy.name: _total(traces, counts, _wants(policy, vote)) for policy, vote in zip(policies, votes, strict=True)}
    weights, known = adjusted_counts(decided.threshold)
    telling = decided.kept & known
    values = {
        "traces": np.ones(traces.num_rows),
        "spans": _floats(traces, "span_count"),
        "errors": _floats(traces, "error_count"),
        "cost_usd": _floats(traces, "cost") / 1e12,
        "tokens": _floats(traces, "input_tokens") + _floats(traces, "output_tokens"),
    }
    return Replay(
        _total(traces, counts, np.ones(traces.num_rows, bool)),
        _total(traces, counts, decided.kept),
        by_policy,
        {name: _estimate(each, counts, weights, telling) for name, each in values.items()},
        int((decided.kept & ~known).sum()),
    )


def _estimate(values: np.ndarray, counts: np.ndarray, weights: np.ndarray, telling: np.ndarray) -> Estimate:
    found = horvitz_thompson(values[telling], weights[telling])
    return Estimate(float(values @ counts), found.value, found.standard_error or 0.0)


def _wants(policy: Reason, votes: Votes) -> np.ndarray:
    return (votes.choice == SAMPLE) | (votes.choice == DROP) if policy.vetoes else votes.choice == SAMPLE


def _total(traces: pa.RecordBatch, counts: np.ndarray, which: np.ndarray) -> Total:
    some = counts[which]
    return Total(float(some.sum()), float(_floats(traces, "span_count")[which] @ some), float(_floats(traces, "bytes")[which] @ some))


def _floats(traces: pa.RecordBatch, column: str) -> np.ndarray:
    return np.asarray(traces.column(column)).astype(np.float64)


def _votes(policy: Reason, traces: pa.RecordBatch, counts: np.ndarray) -> Votes:
    if not policy.remembers:
        return policy.vote(traces, {}, 0)
    state: State = {}
    times = np.asarray(traces.column("first_received" if policy.settles is Settles.AT_ONCE else "last_received"))
    began = np.asarray(traces.column("first_received"))
    arrived = np.bincount((began - began.min()) // _TICK, _floats(traces, "span_count") * counts) if len(began) else np.zeros(0)
    choice, threshold = np.zeros(len(times), np.int8), np.zeros(len(times), np.uint64)
    told = 0
    for second, rows in _seconds(times):
        if isinstance(policy, Paced):
            upto = int(second - began.min() // _TICK) + 1
            policy.arrived(round(arrived[told:upto].sum()), state, second * _TICK)
            told = max(told, upto)
        votes = policy.vote(traces.take(pa.array(rows)), state, second * _TICK)
        choice[rows], threshold[rows] = votes.choice, votes.threshold
    return Votes(choice, threshold)


def _seconds(times: np.ndarray) -> Iterator[tuple[Nanos, np.ndarray]]:
    """(second, the rows that fall into it), in order."""
    order = np.argsort(times, kind="stable")
    seconds = times[order] // _TICK
    for rows in np.split(order, np.flatnonzero(np.diff(seconds)) + 1) if len(order) else ():
        yield int(times[rows[0]] // _TICK), rows
