"""The configuration becomes the policies that decide: a preset's, then those of one's own."""

from __future__ import annotations

from pathlib import Path

from observatory.model.clock import MINUTE, SECOND
from observatory.pipeline.sampling.config import SamplingConfig
from observatory.pipeline.sampling.deciding import Plan
from observatory.pipeline.sampling.decisions import Decisions
from observatory.pipeline.sampling.sampler import Sampler, Waits, keep_everything
from observatory.pipeline.sampling.sections import (
    AlwaysPolicy,
    BudgetPolicy,
    CostPolicy,
    FeedbackPolicy,
    LatencyPolicy,
    PolicyConfig,
    ProbabilisticPolicy,
    StatusPolicy,
)
from observatory.pipeline.sampling.spantests import SpanTests
from observatory.policies.always import Always
from observatory.policies.reason import Reason
from observatory.storage.spill import Spill


def sampler(config: SamplingConfig, data_dir: Path, spill: Spill | None = None) -> Sampler:
    """The stage that decides as the configuration says. What keeps everything remembers nothing."""
    chosen = policies(config)
    if all(isinstance(policy, Always) for policy in chosen):
        return keep_everything(data_dir / "decisions")
    waits = Waits(
        quiet=int(config.quiet_s * SECOND),
        longest=int(config.max_age_s * SECOND),
        longest_of={service: int(seconds * SECOND) for service, seconds in config.max_age_by_service.items()},
        open_bytes=config.open_bytes,
        hold=int(config.hold_minutes * MINUTE),
        hold_services=frozenset(config.hold_services),
    )
    return Sampler(Plan(chosen), SpanTests.of(chosen), Decisions(data_dir / "decisions", config.decision_bytes), waits, spill)


def policies(config: SamplingConfig) -> list[Reason]:
    """The policies in their order; each has a name of its own."""
    return [section.made() for section in sections(config)]


def sections(config: SamplingConfig) -> tuple[PolicyConfig, ...]:
    """What the policies were told, the preset's first. A policy of one's own takes the place of the preset's of the same name."""
    named = config.preset or ("" if config.policies else "budget")
    own = {policy.name for policy in config.policies}
    return (*(policy for policy in preset(named, config.max_spans_per_second) if policy.name not in own), *config.policies)


def preset(name: str, max_spans_per_second: float) -> tuple[PolicyConfig, ...]:
    """The policies of a preset; none of one without a name."""
    match name:
        case "everything":
            return (AlwaysPolicy(name="everything", type="always"),)
        case "budget":
            return (BudgetPolicy(name="budget", type="budget", max_spans_per_second=max_spans_per_second),)
        case "production":
            return (
                StatusPolicy(name="errors", type="status", statuses=("error",)),
                LatencyPolicy(name="slow", type="latency", above_s=5),
                CostPolicy(name="costly", type="cost", above_usd=0.10),
                FeedbackPolicy(name="judged", type="feedback"),
                ProbabilisticPolicy(name="rest", type="probabilistic", percent=1),
            )
    return ()
