"""What every `Policy` promises. A new policy is one line here."""

from __future__ import annotations

import pytest

from observatory.contracts import Policy
from observatory.model.clock import SECOND
from observatory.policies import some_span
from observatory.policies.always import Always
from observatory.policies.budget import Budget
from observatory.policies.composite import Composite
from observatory.policies.compound import And, Drop, Not
from observatory.policies.feedback import Feedback
from observatory.policies.latency import Latency
from observatory.policies.limiting import BytesLimiting, RateLimiting
from observatory.policies.probabilistic import Probabilistic
from observatory.policies.quota import Quota
from observatory.policies.span_count import SpanCount
from observatory.policies.usage import Cost, TimeToFirstToken, Tokens
from observatory.testing.contracts import check_policy

ERRORS, SLOW, SOME = some_span.status(), Latency(2 * SECOND), Probabilistic(0.3)
STATELESS: dict[str, Policy] = {
    "always": Always(),
    "latency": SLOW,
    "latency, bounded": Latency(SECOND, 3 * SECOND),
    "span_count": SpanCount(3),
    "span_count, bounded": SpanCount(2, 8),
    "string": some_span.string("http.route", ["/api"], ["^/v2"]),
    "numeric": some_span.numeric("http.response.status_code", 400),
    "boolean": some_span.boolean("cached"),
    "status": ERRORS,
    "trace_state": some_span.trace_state("vendor", ["a"]),
    "trace_flags": some_span.trace_flags(),
    "expression": some_span.expression("status:error"),
    "model": some_span.model(["gpt-5*"]),
    "user": some_span.user(["u-1"]),
    "session": some_span.session(["s-1"]),
    "error_class": some_span.error_class(["Timeout*"]),
    "first_seen": some_span.first_seen(),
    "feedback": Feedback(),
    "cost": Cost(10**10),
    "tokens": Tokens(1000),
    "ttft": TimeToFirstToken(SECOND),
    "probabilistic": SOME,
    "probabilistic, nothing": Probabilistic(0.0),
    "probabilistic, salted": Probabilistic(0.3, "salt"),
    "and": And((ERRORS, SLOW)),
    "and, by chance": And((ERRORS, SOME)),
    "and, bounded": And((ERRORS, Latency(SECOND, 3 * SECOND))),
    "not": Not((ERRORS,)),
    "not, by chance": Not((SOME,)),
    "drop": Drop((ERRORS, SLOW)),
    "drop, by chance": Drop((SOME,)),
    "and with a veto": And((Always(), Drop((ERRORS,)))),
}
STATEFUL: dict[str, Policy] = {
    "rate_limiting": RateLimiting(100, 200),
    "rate_limiting, tight": RateLimiting(0.5, 1),
    "bytes_limiting": BytesLimiting(10_000, 20_000),
    "budget": Budget(1000),
    "quota": Quota("user_id", 3),
    "composite": Composite((ERRORS, SLOW, Always()), (50, 30, 20), 100),
    "composite, by chance": Composite((SOME, Always()), (50, 50), 100),
    "and of limits": And((ERRORS, RateLimiting(100, 200))),
    "and of a quota": And((ERRORS, Quota("user_id", 3))),
    "and of a budget": And((ERRORS, Budget(1000))),
    "not of a budget": Not((Budget(1000),)),
    "not of a limit": Not((RateLimiting(100, 200),)),
}


@pytest.mark.parametrize("name", STATELESS)
def test_stateless_policies_keep_their_word(name: str) -> None:
    for seed in range(5):
        check_policy(STATELESS[name], seed=seed)


@pytest.mark.parametrize("name", STATEFUL)
def test_stateful_policies_keep_their_word(name: str) -> None:
    for seed in range(5):
        check_policy(STATEFUL[name], stateful=True, seed=seed)
