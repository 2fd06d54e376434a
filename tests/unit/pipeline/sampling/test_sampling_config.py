"""The section [sampling] and the policies it makes."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from observatory.cli.manual import toml_text
from observatory.cli.sources import load
from observatory.contracts import Paced
from observatory.pipeline.sampling import sections
from observatory.pipeline.sampling.build import policies
from observatory.pipeline.sampling.config import SamplingConfig
from observatory.pipeline.sampling.deciding import Plan
from observatory.pipeline.sampling.sections import PolicyConfig
from observatory.policies.budget import Budget
from observatory.policies.compound import And, Not
from observatory.policies.latency import Latency
from observatory.policies.limiting import RateLimiting
from observatory.policies.usage import Cost

EXAMPLES: dict[str, dict[str, Any]] = {
    "always": {},
    "latency": {"above_s": 5, "at_most_s": 60},
    "numeric": {"attribute": "http.response.status_code", "at_least": 500},
    "string": {"attribute": "http.route", "values": ["/"], "invert": True},
    "boolean": {"attribute": "cached"},
    "status": {"statuses": ["error"]},
    "trace_state": {"key": "v", "values": ["a"]},
    "trace_flags": {},
    "probabilistic": {"percent": 10, "salt": "x"},
    "rate_limiting": {"spans_per_second": 10},
    "bytes_limiting": {"bytes_per_second": 10, "burst_bytes": 100},
    "span_count": {"at_least": 2},
    "expression": {"filter": "status:error"},
    "and": {"policies": [{"type": "always"}, {"type": "not", "policy": {"type": "status"}}]},
    "not": {"policy": {"type": "always"}},
    "drop": {"policies": [{"type": "always"}]},
    "composite": {"max_spans_per_second": 10, "shares": [{"percent": 50, "policy": {"type": "status"}}, {"policy": {"type": "always"}}]},
    "cost": {"above_usd": 0.1},
    "tokens": {"above": 1000},
    "ttft": {"above_s": 2},
    "model": {"models": ["gpt-5*"]},
    "user": {"users": ["u"]},
    "session": {"sessions": ["s"]},
    "feedback": {"given": "evaluation"},
    "first_seen": {"of": ["model"], "for_s": 60},
    "error_class": {"types": ["Timeout*"]},
    "quota": {"by": "user", "traces": 3},
    "budget": {"max_spans_per_second": 100},
}


def config(**values: Any) -> SamplingConfig:
    return SamplingConfig.model_validate_json(json.dumps(values), strict=True)


def test_every_type_has_an_example_and_makes_a_policy() -> None:
    union, _ = get_args(PolicyConfig)
    types = {get_args(section.model_fields["type"].annotation)[0] for section in get_args(union)}
    assert types == set(EXAMPLES)
    made = policies(config(policies=[{"name": f"my {type_}", "type": type_, **keys} for type_, keys in EXAMPLES.items()]))
    assert [policy.name for policy in made] == [f"my {type_}" for type_ in EXAMPLES]


def test_a_plan_is_known_by_what_its_policies_were_told() -> None:
    """Across processes: no address of an object, no order of a set."""
    told = [{"name": f"my {type_}", "type": type_, **keys} for type_, keys in EXAMPLES.items()]
    first, again = (Plan(policies(config(policies=told))).fingerprint for _ in range(2))
    assert first == again and not re.search(r"0x|frozenset|\{'", " ".join(first))
    for number in range(len(told)):
        assert Plan(policies(config(policies=told[:number] + told[number + 1 :]))).fingerprint != first


def test_the_manual_names_every_type() -> None:
    manual = SamplingConfig.model_fields["policies"].description or ""
    assert set(re.findall(r"[a-z_]+", manual.partition("Types: ")[2].partition(". ")[0])) == set(EXAMPLES)


def test_figures_reach_the_policy_in_its_own_units() -> None:
    latency, cost, limit, both, inverted = policies(
        config(
            policies=[
                {"name": "a", "type": "latency", "above_s": 0.25, "at_most_s": 2},
                {"name": "b", "type": "cost", "above_usd": 0.1},
                {"name": "c", "type": "rate_limiting", "spans_per_second": 50},
                {"name": "d", "type": "and", "policies": [{"type": "always"}, {"name": "inner", "type": "status"}]},
                {"name": "e", "type": "string", "attribute": "a", "values": ["x"], "invert": True},
            ]
        )
    )
    assert latency == Latency(250_000_000, 2_000_000_000, "a")
    assert cost == Cost(100_000_000_000, "b")
    assert limit == RateLimiting(50, 100, "c")
    assert isinstance(both, And) and [part.name for part in both.parts] == ["always", "inner"]
    assert isinstance(inverted, Not) and inverted.name == "e"


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, ["budget"]),
        ({"preset": "budget"}, ["budget"]),
        ({"preset": "everything"}, ["everything"]),
        ({"preset": "production"}, ["errors", "slow", "costly", "judged", "rest"]),
        ({"policies": [{"name": "mine", "type": "always"}]}, ["mine"]),
        ({"preset": "budget", "policies": [{"name": "mine", "type": "always"}]}, ["budget", "mine"]),
        (
            {"preset": "production", "policies": [{"name": "slow", "type": "latency", "above_s": 1}]},
            ["errors", "costly", "judged", "rest", "slow"],
        ),
    ],
)
def test_presets_and_policies_of_ones_own(values: dict[str, Any], names: list[str]) -> None:
    assert [policy.name for policy in policies(config(**values))] == names


def test_the_budget_follows_its_key() -> None:
    (budget,) = policies(config(max_spans_per_second=123))
    assert budget == Budget(123, 10, "budget") and isinstance(budget, Paced)


def test_policies_are_shown_as_they_were_told(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    told = [{"name": f"my {type_}", "type": type_, **keys} for type_, keys in EXAMPLES.items()]
    file.write_text(toml_text(load(None, {}).model_copy(update={"sampling": config(policies=told)})))
    again = load(file, {}).sampling
    assert policies(again) == policies(config(policies=told))
    assert tomllib.loads(file.read_text())["sampling"]["policies"][0] == {"name": "my always", "type": "always"}


def test_presets_speak_the_language_of_the_file() -> None:
    from observatory.pipeline.sampling.build import preset

    for name in ("everything", "budget", "production"):
        dumped = [section.model_dump(mode="json") for section in preset(name, 100)]
        assert policies(config(policies=dumped)) == [section.made() for section in preset(name, 100)]
    assert sections.PolicyConfig is PolicyConfig
