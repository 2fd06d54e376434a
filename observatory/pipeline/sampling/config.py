"""What can be set of sampling: which traces are kept, and when that is decided."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from observatory.model.section import Section
from observatory.pipeline.sampling.sections import PolicyConfig
from observatory.policies.combine import MOST_POLICIES

GIB = 1024**3


def _with_name(policy: PolicyConfig) -> PolicyConfig:
    if not policy.name:
        raise ValueError("a policy of the list needs a name, which kept traces carry")
    return policy


class SamplingConfig(Section):
    """Which traces are kept. Counts, tokens and costs are measured of all of them before; see docs/SAMPLING.md."""

    preset: Literal["", "everything", "budget", "production"] = ""
    """A list of policies by name. `everything` keeps all traces. `budget` keeps all while no more than `max_spans_per_second` arrive, and
    above that a fair share. `production` keeps errors, traces slower than 5 s or costlier than $0.10, those with feedback or an evaluation,
    and 1 % of the rest. Policies of one's own come in addition. Empty: `budget`, or nothing when there are policies of one's own."""

    max_spans_per_second: float = Field(default=5000.0, gt=0)
    """What `budget` keeps. Five thousand spans with prompts and answers fill some 70 GB a day."""

    policies: tuple[Annotated[PolicyConfig, AfterValidator(_with_name)], ...] = Field(default=(), max_length=MOST_POLICIES - 8)
    """Reasons to keep a trace, `[[sampling.policies]]`: each a name, a type and that type's keys. A trace is kept when any of them wants it
    and no `drop` forbids it. Types: always, latency, numeric, string, boolean, status, trace_state, trace_flags, probabilistic,
    rate_limiting, bytes_limiting, span_count, expression, and, not, drop, composite, cost, tokens, ttft, model, user, session, feedback,
    first_seen, error_class, quota, budget. docs/SAMPLING.md has an example of each."""

    quiet_s: float = Field(default=10.0, ge=0, le=3600)
    """A trace is complete when its root has ended and nothing arrived for so many seconds. Exporters send every 5 s."""

    max_age_s: float = Field(default=600.0, gt=0, le=7 * 86_400)
    """A trace without a root, or one that never is quiet, is decided at this age."""

    max_age_by_service: dict[str, Annotated[float, Field(gt=0, le=7 * 86_400)]] = Field(default_factory=dict)
    """The same for traces of services that take longer, such as agents: `{ "night-agent" = 14400 }`, in seconds."""

    open_bytes: int = Field(default=4 * GIB, ge=64 * 1024**2)
    """Undecided traces may take this much on disk; above it the oldest are decided on what is known, and counted."""

    decision_bytes: int = Field(default=256 * 1024**2, ge=1024**2)
    """What was decided is remembered for a day, for spans that come late, or until it takes this much disk: 16 bytes a dropped trace, 32 a
    kept one. How far it reaches back is on the status page."""

    hold_services: tuple[str, ...] = ()
    """Services whose dropped traces stay on disk for `hold_minutes`, so that feedback or an error that comes late still finds them."""

    hold_minutes: float = Field(default=60.0, gt=0, le=7 * 1440)
    """How long they stay."""

    @model_validator(mode="after")
    def _names_differ(self) -> SamplingConfig:
        names = [policy.name for policy in self.policies]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f'policy "{twice}" is there twice; nobody could tell which of them kept a trace')
        return self

    @model_validator(mode="after")
    def _age_is_more_than_quiet(self) -> SamplingConfig:
        if self.max_age_s < self.quiet_s:
            raise ValueError(f"max_age_s ({self.max_age_s:g}) must not be below quiet_s ({self.quiet_s:g})")
        return self
