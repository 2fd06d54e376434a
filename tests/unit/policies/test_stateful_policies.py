"""Policies that remember: limits, shares, quotas, budgets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from telling import policy_of

from observatory.contracts import SAMPLE, Paced, Policy, Settles, State, Votes
from observatory.model.clock import SECOND, Nanos
from observatory.model.threshold import NEVER, UNKNOWN
from observatory.policies import some_span
from observatory.policies.always import Always
from observatory.policies.budget import Budget
from observatory.policies.composite import Composite
from observatory.policies.compound import And, Not
from observatory.policies.latency import Latency
from observatory.policies.limiting import BytesLimiting, RateLimiting
from observatory.policies.probabilistic import Probabilistic, salted
from observatory.policies.quota import MOST_KEYS, Quota
from observatory.policies.reason import Reason
from observatory.testing.clock import NOON
from observatory.testing.tracetable import trace_table

HOUR = 3600 * SECOND


def kept(votes: Votes) -> list[bool]:
    return (votes.choice == SAMPLE).tolist()


def many(count: int, seed: int = 0, **facts: Any) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [{"id": number, "randomness": int(r), **facts} for number, r in enumerate(rng.integers(0, NEVER, count, dtype=np.uint64))]


def test_a_bucket_that_holds_enough_keeps_all_with_certainty() -> None:
    policy, state = RateLimiting(10, 20), {}
    votes = policy.vote(trace_table(many(4, span_count=5)), state, NOON)
    assert kept(votes) == [True] * 4
    assert votes.threshold.tolist() == [0] * 4
    assert state["tokens"] == 0


def test_the_bucket_fills_at_the_rate_and_no_further_than_the_burst() -> None:
    policy, state = RateLimiting(10, 20), {}
    policy.vote(trace_table(many(4, span_count=5)), state, NOON)
    assert kept(policy.vote(trace_table(many(1, span_count=5)), state, NOON + SECOND // 2)) == [True]
    assert state["tokens"] == 0
    policy.vote(trace_table([]), state, NOON + HOUR)
    assert state["tokens"] == 20


def test_above_it_the_threshold_cuts_by_randomness() -> None:
    policy = RateLimiting(100, 200)
    traces = many(2000, span_count=1)
    votes = policy.vote(trace_table(traces), {}, NOON)
    threshold = int(votes.threshold[0])
    assert 0 < threshold < NEVER
    assert set(votes.threshold.tolist()) == {threshold}
    assert kept(votes) == [trace["randomness"] >= threshold for trace in traces]
    assert sum(kept(votes)) == pytest.approx(200, abs=60)  # of a binomial distribution, four deviations


def test_the_order_of_rows_does_not_matter() -> None:
    policy, traces = BytesLimiting(1000, 2000), many(50, bytes=300)
    one, other = ({}, {})
    first = policy.vote(trace_table(traces), one, NOON)
    second = policy.vote(trace_table(traces[::-1]), other, NOON)
    assert kept(first) == kept(second)[::-1]
    assert one == other


def test_a_trace_larger_than_the_burst_is_possible_and_paid_for_later() -> None:
    """The Collector can never keep it. Here its chance is what the bucket holds to its size, and it stands for as many more."""
    policy, state = RateLimiting(10, 20), {}
    giant = [{"randomness": NEVER - 1, "span_count": 2000}]
    votes = policy.vote(trace_table(giant), state, NOON)
    assert kept(votes) == [True]
    assert votes.threshold[0] == round((1 - 20 / 2000) * NEVER)
    assert state["tokens"] == 20 - 2000
    small = [{"randomness": NEVER // 2, "span_count": 10}]
    assert kept(policy.vote(trace_table(small), state, NOON + 100 * SECOND)) == [False]
    assert kept(policy.vote(trace_table(small), state, NOON + 201 * SECOND)) == [True]


def test_in_debt_a_trace_still_has_a_chance() -> None:
    state: State = {"tokens": -1000.0, "at": NOON}
    votes = RateLimiting(64, 128).vote(trace_table([{"randomness": NEVER - 1, "span_count": 10}]), state, NOON)
    assert kept(votes) == [True]
    assert votes.threshold[0] == round((1 - 1 / 10) * NEVER)


def test_time_that_goes_back_takes_no_tokens() -> None:
    policy, state = RateLimiting(10, 20), {}
    policy.vote(trace_table([]), state, NOON)
    policy.vote(trace_table([]), state, NOON - HOUR)
    assert state["tokens"] == 20


ERRORS = some_span.status(name="errors")


def errors(count: int, **facts: Any) -> list[dict[str, Any]]:
    return many(count, seed=1, yes=True, **facts)


def vote(policy: Policy, traces: list[dict[str, Any]], state: State | None = None, now: Nanos = NOON) -> Votes:
    return policy.vote(trace_table(traces, policy), {} if state is None else state, now)


def test_a_composite_gives_each_policy_its_share() -> None:
    policy = Composite((ERRORS, Always()), (75, 25), 1000)
    votes = vote(policy, [*errors(8000), *many(8000, seed=2)])
    assert sum(kept(votes)[:8000]) == pytest.approx(1500, abs=160)
    assert sum(kept(votes)[8000:]) == pytest.approx(500, abs=90)


def test_what_one_does_not_use_the_others_may() -> None:
    policy = Composite((ERRORS, Always()), (75, 25), 1000)
    votes = vote(policy, [*errors(100), *many(8000, seed=2)])
    assert all(kept(votes)[:100])
    assert sum(kept(votes)[100:]) == pytest.approx(1900, abs=180)
    assert set(votes.threshold[:100].tolist()) == {0}


def test_the_first_that_wants_a_trace_answers_for_it() -> None:
    policy = Composite((ERRORS, Latency(SECOND)), (50, 50), 10)
    votes = vote(policy, [{"yes": True, "took_s": 2}, {"took_s": 2}, {"took_s": 0.5}])
    assert kept(votes) == [True, True, False]


def test_behind_chance_counts_are_unknown() -> None:
    policy = Composite((Probabilistic(0.5), Always()), (50, 50), 1000)
    votes = vote(policy, [{"randomness": NEVER - 1}, {"randomness": 1}])
    assert kept(votes) == [True, True]
    assert votes.threshold.tolist() == [NEVER // 2, UNKNOWN]


@pytest.mark.parametrize(("parts", "share"), [((ERRORS, RateLimiting(4, 8)), 0.5), ((RateLimiting(4, 8), ERRORS), 8 / 1016)])
def test_a_limit_inside_and_counts_what_the_policies_before_it_keep(parts: tuple[Reason, ...], share: float) -> None:
    votes = vote(And(parts), [*errors(16), *many(1000, seed=2)])
    thresholds = votes.threshold[:16]
    assert (thresholds == round((1 - share) * NEVER)).all()
    assert not any(kept(votes)[16:])


def test_a_quota_keeps_the_first_of_each_key_and_hour() -> None:
    policy, state = Quota("user_id", 2), {}
    assert kept(vote(policy, [{"key": key} for key in (7, 8, 7, 7, 0, 8)], state)) == [True, True, True, False, False, True]
    assert kept(vote(policy, [{"key": key} for key in (7, 9)], state, NOON + HOUR - 1)) == [False, True]
    assert kept(vote(policy, [{"key": key} for key in (7, 9)], state, NOON + HOUR)) == [True, True]


def test_a_quota_counts_every_trace_it_is_asked_about() -> None:
    policy, state = Quota("user_id", 5), {}
    for expected in ([True, True], [True, True], [True, False], [False, False]):
        assert kept(vote(policy, [{"key": 7}] * 2, state)) == expected
    assert state["counts"].tolist() == [8]
    assert kept(vote(policy, [{"key": 7}], state)) == [False]


def test_a_quota_is_certain() -> None:
    assert set(vote(Quota("user_id", 1), [{"key": 1}, {"key": 2}]).threshold.tolist()) == {0}


def test_a_full_quota_keeps_no_further_keys() -> None:
    policy = Quota("user_id", 1)
    state: State = {"hour": NOON // HOUR, "keys": np.arange(2, MOST_KEYS + 2, dtype=np.uint64), "counts": np.ones(MOST_KEYS, np.int64)}
    assert kept(vote(policy, [{"key": 1}, {"key": MOST_KEYS + 9}, {"key": 2}], state)) == [False, False, False]
    assert len(state["keys"]) == MOST_KEYS


def test_a_budget_keeps_all_while_little_arrives() -> None:
    policy, state = Budget(1000), {}
    for tick in range(100):
        policy.arrived(240, state, NOON + tick * SECOND // 4)
    assert vote(policy, many(100), state).threshold.tolist() == [0] * 100


def test_a_short_burst_is_kept_whole() -> None:
    policy, state = Budget(1000, averaged_over_s=10), {}
    policy.arrived(9000, state, NOON)  # nine seconds' worth at once
    assert all(kept(vote(policy, many(100), state)))
    policy.arrived(9000, state, NOON)
    assert not all(kept(vote(policy, many(100), state)))


def test_a_budget_thins_to_the_share_that_fits_and_recovers_smoothly() -> None:
    policy, state = Budget(1000, averaged_over_s=10), {}
    thresholds = []
    for tick in range(400):
        now = NOON + tick * SECOND // 4
        policy.arrived(1000 if tick < 200 else 0, state, now)  # 4,000 a second for 50 s, then silence
        thresholds.append(int(vote(policy, many(1), state, now).threshold[0]))
    share = 1 - thresholds[199] / NEVER
    assert share == pytest.approx(0.25, rel=0.02)
    assert thresholds[:200] == sorted(thresholds[:200])
    assert thresholds[200:] == sorted(thresholds[200:], reverse=True)
    steps = np.abs(np.diff(np.array(thresholds, float))) / NEVER
    assert steps.max() < 0.07
    assert thresholds[-1] == 0


def test_a_budget_inside_another_policy_hears_of_what_arrives() -> None:
    policy, state = And((ERRORS, Not((Budget(1000),)))), {}
    assert policy.settles is Settles.AT_END and policy.remembers and isinstance(policy, Paced)
    policy.arrived(1_000_000, state, NOON)
    assert state["1"]["0"]["rate"] == 100_000
    votes = vote(policy, errors(1000), state)
    assert sum(kept(votes)) == pytest.approx(990, abs=14)
    assert set(votes.threshold[votes.choice == SAMPLE].tolist()) == {UNKNOWN}


def test_a_salt_chooses_what_the_collector_chooses() -> None:
    """FNV-1a of 64 bits, as Go's hash/fnv computes it: of nothing, of `a`, of `foobar` by the reference's own vectors."""

    def reference(data: bytes) -> int:
        value = 0xCBF29CE484222325
        for byte in data:
            value = (value ^ byte) * 0x100000001B3 % 2**64
        return value

    assert (reference(b""), reference(b"a"), reference(b"foobar")) == (0xCBF29CE484222325, 0xAF63DC4C8601EC8C, 0x85944171F73967E8)
    ids = [bytes(range(16)), b"\xff" * 16, b"\0" * 16]
    found = salted("default-hash-seed", pa.array(ids, pa.binary(16)))
    assert found.tolist() == [reference(b"default-hash-seed" + each) for each in ids]


def test_another_salt_is_another_choice_and_about_the_share() -> None:
    traces = [{"id": number} for number in range(4000)]
    one, other = (np.array(kept(vote(policy_of(f'type = "probabilistic", percent = 30, salt = "{s}"'), traces))) for s in "ab")
    assert one.sum() == pytest.approx(1200, abs=120)
    assert (one != other).sum() == pytest.approx(2 * 0.3 * 0.7 * 4000, abs=150)
