"""What policies are told in `[[sampling.policies]]`: those that see whole traces, those made of policies, and the union of all types."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from observatory.model.money import PICO_PER_USD
from observatory.pipeline.sampling.span_sections import (
    BooleanPolicy,
    ErrorClassPolicy,
    ExpressionPolicy,
    FirstSeenPolicy,
    ModelPolicy,
    Named,
    NumericPolicy,
    SessionPolicy,
    StatusPolicy,
    StringPolicy,
    Text,
    Told,
    TraceFlagsPolicy,
    TraceStatePolicy,
    UserPolicy,
    nanoseconds,
    need_one,
)
from observatory.policies.always import Always
from observatory.policies.budget import Budget
from observatory.policies.composite import Composite
from observatory.policies.compound import And, Drop, Not
from observatory.policies.feedback import Feedback
from observatory.policies.latency import Latency
from observatory.policies.limiting import BytesLimiting, RateLimiting
from observatory.policies.probabilistic import Probabilistic
from observatory.policies.quota import KEYS, Quota
from observatory.policies.reason import Reason
from observatory.policies.span_count import SpanCount
from observatory.policies.usage import Cost, TimeToFirstToken, Tokens

Seconds = Annotated[float, Field(ge=0)]
Rate = Annotated[float, Field(gt=0)]


class AlwaysPolicy(Named):
    """Keeps every trace."""

    type: Literal["always"]
    """Keeps every trace."""

    def made(self) -> Reason:
        """The policy."""
        return Always(self.called)


class ProbabilisticPolicy(Named):
    """Keeps a share."""

    type: Literal["probabilistic"]
    """Keeps a share of all traces by their randomness: the same ones everywhere, each standing for 100 / percent traces."""

    percent: float = Field(ge=0, le=100)
    """The share of all traces."""

    salt: str = ""
    """Choose the traces that a Collector with this `hash_salt` chooses. Their probability cannot be told by OpenTelemetry's rules, so a
    trace that is kept by nothing else has no adjusted count."""

    def made(self) -> Reason:
        """The policy."""
        return Probabilistic(self.percent / 100, self.salt, self.called)


class LatencyPolicy(Named):
    """Keeps slow traces."""

    type: Literal["latency"]
    """Keeps traces that last longer than a bound, from their earliest start to their latest end."""

    above_s: Seconds
    """Longer than this many seconds."""

    at_most_s: Seconds | None = None
    """… and not longer than this. The trace is then decided at its end, since it may outgrow the bound."""

    @model_validator(mode="after")
    def _ordered(self) -> LatencyPolicy:
        if self.at_most_s is not None and self.at_most_s <= self.above_s:
            raise ValueError(f"at_most_s ({self.at_most_s:g}) must be above above_s ({self.above_s:g})")
        return self

    def made(self) -> Reason:
        """The policy."""
        return Latency(nanoseconds(self.above_s), None if self.at_most_s is None else nanoseconds(self.at_most_s), self.called)


class SpanCountPolicy(Named):
    """Keeps traces by their number of spans."""

    type: Literal["span_count"]
    """Keeps traces that have so many spans."""

    at_least: int | None = Field(default=None, ge=0)
    """Lower bound, included."""

    at_most: int | None = Field(default=None, ge=0)
    """Upper bound, included. The trace is then decided at its end."""

    @model_validator(mode="after")
    def _bounded(self) -> SpanCountPolicy:
        need_one(at_least=self.at_least, at_most=self.at_most)
        return self

    def made(self) -> Reason:
        """The policy."""
        return SpanCount(self.at_least or 0, self.at_most, self.called)


class CostPolicy(Named):
    """Keeps costly traces."""

    type: Literal["cost"]
    """Keeps traces whose calls of models cost more than an amount; calls without a known price cost nothing."""

    above_usd: float = Field(ge=0, le=1_000_000)
    """The amount in dollars, exclusive."""

    def made(self) -> Reason:
        """The policy."""
        return Cost(round(self.above_usd * PICO_PER_USD), self.called)


class TokensPolicy(Named):
    """Keeps traces that took many tokens."""

    type: Literal["tokens"]
    """Keeps traces whose calls of models took more than so many tokens, in and out together."""

    above: int = Field(ge=0)
    """The number of tokens, exclusive."""

    def made(self) -> Reason:
        """The policy."""
        return Tokens(self.above, self.called)


class TtftPolicy(Named):
    """Keeps traces that waited for a first token."""

    type: Literal["ttft"]
    """Keeps traces of which some call of a model waited long for its first token."""

    above_s: Seconds
    """Longer than this many seconds."""

    def made(self) -> Reason:
        """The policy."""
        return TimeToFirstToken(nanoseconds(self.above_s), self.called)


class FeedbackPolicy(Named):
    """Keeps traces that were judged."""

    type: Literal["feedback"]
    """Keeps traces that a person gave feedback on, or that an evaluation scored, before they were decided."""

    given: Literal["any", "feedback", "evaluation"] = "any"
    """Which of the two."""

    def made(self) -> Reason:
        """The policy."""
        return Feedback(self.given, self.called)


class QuotaPolicy(Named):
    """Keeps some of everything."""

    type: Literal["quota"]
    """Keeps at least so many traces an hour (UTC) of every user, model, route …; every trace counts, kept or not."""

    by: Text
    """`user`, `session`, `model`, `service`, `operation`, `route`, or the key of an attribute. Of a trace the first value counts."""

    traces: int = Field(ge=1, le=1_000_000)
    """Traces of each in an hour."""

    def made(self) -> Reason:
        """The policy."""
        return Quota(KEYS.get(self.by, self.by), self.traces, self.called)


class RateLimitingPolicy(Named):
    """Keeps so many spans a second."""

    type: Literal["rate_limiting"]
    """Keeps traces of so many spans a second on average, by raising the threshold over those that complete together."""

    spans_per_second: Rate
    """Spans of kept traces."""

    burst_spans: Rate | None = None
    """Spans that may be kept at once after a quiet time. Absent: two seconds' worth."""

    def made(self) -> Reason:
        """The policy."""
        return RateLimiting(self.spans_per_second, self.burst_spans or 2 * self.spans_per_second, self.called)


class BytesLimitingPolicy(Named):
    """Keeps so many bytes a second."""

    type: Literal["bytes_limiting"]
    """Keeps traces of so many bytes a second on average, by raising the threshold over those that complete together."""

    bytes_per_second: Rate
    """Bytes of kept traces, as their spans take in memory."""

    burst_bytes: Rate | None = None
    """Bytes that may be kept at once after a quiet time. Absent: two seconds' worth."""

    def made(self) -> Reason:
        """The policy."""
        return BytesLimiting(self.bytes_per_second, self.burst_bytes or 2 * self.bytes_per_second, self.called)


class BudgetPolicy(Named):
    """Keeps all that fits."""

    type: Literal["budget"]
    """Keeps everything while no more than so many spans a second arrive, and above that the share of traces that fits."""

    max_spans_per_second: Rate
    """Spans of kept traces on average; what other policies keep comes on top."""

    averaged_over_s: float = Field(default=10.0, gt=0)
    """The average is over about this many seconds: a shorter burst is kept whole."""

    def made(self) -> Reason:
        """The policy."""
        return Budget(self.max_spans_per_second, self.averaged_over_s, self.called)


class AndPolicy(Named):
    """Keeps what several policies keep."""

    type: Literal["and"]
    """Keeps traces that every one of its policies keeps."""

    policies: Annotated[tuple[PolicyConfig, ...], Field(min_length=1)]
    """The policies, each as in the list; names may be left out."""

    def made(self) -> Reason:
        """The policy."""
        return And(tuple(policy.made() for policy in self.policies), self.called)


class NotPolicy(Named):
    """Keeps what a policy does not keep."""

    type: Literal["not"]
    """Keeps traces that its policy does not keep. The trace is decided at its end, since what is missing may come."""

    policy: PolicyConfig
    """The policy, as in the list; its name may be left out."""

    def made(self) -> Reason:
        """The policy."""
        return Not((self.policy.made(),), self.called)


class DropPolicy(Named):
    """A veto."""

    type: Literal["drop"]
    """Drops traces that every one of its policies would keep, whoever else wants them. Nothing can re-weight what is never kept."""

    policies: Annotated[tuple[PolicyConfig, ...], Field(min_length=1)]
    """The policies, each as in the list; names may be left out."""

    def made(self) -> Reason:
        """The policy."""
        return Drop(tuple(policy.made() for policy in self.policies), self.called)


class Share(Told):
    """One policy of a composite, with its share."""

    policy: PolicyConfig
    """The policy, as in the list; its name may be left out."""

    percent: float | None = Field(default=None, gt=0, le=100)
    """Its share of the composite's rate. Absent: an equal part of what the others leave."""


class CompositePolicy(Named):
    """Shares one rate among policies."""

    type: Literal["composite"]
    """Keeps so many spans a second, shared among its policies. The first that wants a trace answers for it."""

    max_spans_per_second: Rate
    """Spans of kept traces, of all its policies together, on average."""

    shares: Annotated[tuple[Share, ...], Field(min_length=1)]
    """The policies in their order, each with its `percent` of the rate; what one does not use the others may."""

    @model_validator(mode="after")
    def _fits(self) -> CompositePolicy:
        said = [share.percent for share in self.shares if share.percent is not None]
        if sum(said) > 100:
            raise ValueError(f"the shares are {sum(said):g} %, more than there is")
        if sum(said) == 100 and len(said) < len(self.shares):
            raise ValueError(f"the shares are {sum(said):g} %, which leaves nothing for the others")
        return self

    def made(self) -> Reason:
        """The policy."""
        said = [share.percent for share in self.shares]
        left = 100 - sum(percent for percent in said if percent is not None)
        each = left / max(said.count(None), 1)
        percents = tuple(each if percent is None else percent for percent in said)
        parts = tuple(share.policy.made() for share in self.shares)
        return Composite(parts, percents, self.max_spans_per_second, self.called)


PolicyConfig: TypeAlias = Annotated[
    AlwaysPolicy
    | LatencyPolicy
    | NumericPolicy
    | StringPolicy
    | BooleanPolicy
    | StatusPolicy
    | TraceStatePolicy
    | TraceFlagsPolicy
    | ProbabilisticPolicy
    | RateLimitingPolicy
    | BytesLimitingPolicy
    | SpanCountPolicy
    | ExpressionPolicy
    | AndPolicy
    | NotPolicy
    | DropPolicy
    | CompositePolicy
    | CostPolicy
    | TokensPolicy
    | TtftPolicy
    | ModelPolicy
    | UserPolicy
    | SessionPolicy
    | FeedbackPolicy
    | FirstSeenPolicy
    | ErrorClassPolicy
    | QuotaPolicy
    | BudgetPolicy,
    Field(discriminator="type"),
]
"""A policy of any type."""

for _several in (AndPolicy, NotPolicy, DropPolicy, Share, CompositePolicy):
    _several.model_rebuild()
