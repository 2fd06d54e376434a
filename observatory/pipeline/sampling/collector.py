"""A Collector's `tail_sampling` block in our words. What cannot be said so that the same traces are kept is refused, each by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from observatory.pipeline.sampling.ottl import NotTold, filter_of

Block = Mapping[str, Any]

_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")

_NOT_NEEDED = {
    "num_traces": "undecided traces wait on disk, bounded by open_bytes",
    "expected_new_traces_per_sec": "nothing is allocated ahead",
    "decision_cache": "decisions are kept on disk for a day, also across restarts",
    "block_on_overflow": "above open_bytes the oldest traces are decided on what is known, and counted",
    "drop_pending_traces_on_shutdown": "stopping decides nothing: undecided traces go on after a restart",
    "num_shards": "one pass over columns decides all traces",
    "tail_storage": "undecided traces always wait on disk",
    "sample_on_first_match": "every policy is asked, so that a trace names all that kept it; which traces are kept is the same",
}


@dataclass
class Translation:
    """`sampling`: the section, as TOML has it. `notes`: what is another way here. `refused`: what cannot be translated; then the section is
    not to be used."""

    sampling: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def translate(block: Block) -> Translation:
    """Of what stands under `tail_sampling:`. Never raises for its content."""
    return _Translator().block(block)


class _Translator:
    def __init__(self) -> None:
        self.out = Translation()

    def block(self, block: Block) -> Translation:
        policies: list[dict[str, Any]] = []
        for key, value in block.items():
            self._key(key, value, policies)
        if not block.get("policies"):
            self._refuse("policies", "there are none; a Collector without policies samples nothing")
        self.out.sampling["policies"] = policies
        return self.out

    def _key(self, key: str, value: Any, policies: list[dict[str, Any]]) -> None:
        match key:
            case "policies" if isinstance(value, Sequence):
                for at, policy in enumerate(value):
                    made = self._policy(policy, f"policies.{at}")
                    policies += [made] if made else []
            case "decision_wait":
                self._wait("max_age_s", key, value, "counted from the first span; here a trace with a root is decided when it is quiet")
                self.out.sampling["quiet_s"] = min(self.out.sampling.get("quiet_s", 10.0), self.out.sampling.get("max_age_s", 10.0))
            case "decision_wait_after_root_received":
                if value not in (0, "0s", "0"):
                    self._wait("quiet_s", key, value, "counted from the last span instead of from the root")
            case "sampling_strategy" if value == "trace-complete":
                pass
            case "maximum_trace_size_bytes" if value == 0:
                pass
            case _ if key in _NOT_NEEDED:
                self.out.notes.append(f"{key}: left out; {_NOT_NEEDED[key]}")
            case _:
                self._refuse(key, f"there is nothing like it here ({value!r})")

    def _wait(self, ours: str, theirs: str, value: Any, how: str) -> None:
        if isinstance(value, str) and _DURATION.fullmatch(value):
            self.out.sampling[ours] = sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(value))
            self.out.notes.append(f"{theirs}: became {ours}; {how}")
        else:
            self._refuse(theirs, f"expected a duration such as 30s, got {value!r}")

    def _policy(self, policy: Any, where: str, inside: bool = False) -> dict[str, Any] | None:
        """Ours, or None when it was refused. Inside another policy `invert_match` is a plain opposite."""
        if not isinstance(policy, Mapping) or not isinstance(policy.get("type"), str):
            self._refuse(where, f"expected a policy with a type, got {policy!r}")
            return None
        type_, name = policy["type"], str(policy.get("name") or "")
        called = f'{where} "{name}" ({type_})' if name else f"{where} ({type_})"
        if not name and not inside:
            self._refuse(called, "a policy needs a name")
        rule = _RULES.get(type_)
        if rule is None:
            self._refuse(called, "no such type of policy is known")
            return None
        told = policy.get(type_) or {}
        extra = [key for key in policy if key not in ("name", "type", type_)]
        if extra:
            self._refuse(called, f"there is nothing like {', '.join(extra)} here")
        if isinstance(told, Mapping) and (ours := self._ask(rule, told, called)) is not None:
            return self._turned(ours | {"name": name} if name else ours, told, called, inside)
        return None

    def _ask(self, rule: _Rule, told: Block, called: str) -> dict[str, Any] | None:
        if unknown := [key for key in told if key not in rule.keys]:
            self._refuse(called, f"there is nothing like {', '.join(unknown)} here")
            return None
        if where := _expansion(told):
            self._refuse(called, f"{where} is filled in by the Collector; write the value itself")
            return None
        try:
            return rule.translate(self, told, called)
        except (NotTold, KeyError, TypeError, ValueError) as error:
            self._refuse(called, f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error))
            return None

    def _turned(self, ours: dict[str, Any], told: Block, called: str, inside: bool) -> dict[str, Any] | None:
        if not told.get("invert_match"):
            return ours
        if not inside:
            why = "invert_match of the Collector also vetoes what other policies keep; say which is meant, by `drop` or by `not`"
            self._refuse(called, why)
            return None
        name = ours.pop("name", None)
        return {"type": "not", "policy": ours} | ({"name": name} if name else {})

    def several(self, told: Sequence[Any], called: str) -> list[dict[str, Any]]:
        """The policies inside another."""
        made = [self._policy(policy, f"{called}.{at}", inside=True) for at, policy in enumerate(told)]
        return [policy for policy in made if policy]

    def note(self, what: str) -> None:
        """Something is another way here."""
        self.out.notes.append(what)

    def _refuse(self, what: str, why: str) -> None:
        self.out.refused.append(f"{what}: {why}")


def _expansion(told: Any) -> str | None:
    """The first `${…}` in it."""
    if isinstance(told, str):
        found = re.search(r"\$\{[^}]*\}", told)
        return found[0] if found else None
    inner = told.values() if isinstance(told, Mapping) else told if isinstance(told, list) else ()
    return next((found for value in inner if (found := _expansion(value))), None)


@dataclass(frozen=True)
class _Rule:
    keys: tuple[str, ...]
    translate: Callable[[_Translator, Block, str], dict[str, Any]]


def _latency(_: _Translator, told: Block, __: str) -> dict[str, Any]:
    upper = told.get("upper_threshold_ms") or 0
    ours = {"type": "latency", "above_s": told["threshold_ms"] / 1000}
    return ours | ({"at_most_s": upper / 1000} if upper else {})


def _numeric(say: _Translator, told: Block, called: str) -> dict[str, Any]:
    bounds = {ours: told[theirs] for theirs, ours in (("min_value", "at_least"), ("max_value", "at_most")) if told.get(theirs)}
    zero = [theirs for theirs in ("min_value", "max_value") if told.get(theirs) == 0]
    if not bounds:
        raise NotTold("both bounds are 0 or missing, which some versions of the Collector read as 0 and others as no bound")
    if zero:
        say.note(f"{called}: {zero[0]} 0 was read as no bound, as newer versions of the Collector do")
    return {"type": "numeric", "attribute": told["key"], **bounds}


def _string(_: _Translator, told: Block, __: str) -> dict[str, Any]:
    how = "patterns" if told.get("enabled_regex_matching") else "values"
    return {"type": "string", "attribute": told["key"], how: list(map(str, told["values"]))}


def _boolean(_: _Translator, told: Block, __: str) -> dict[str, Any]:
    return {"type": "boolean", "attribute": told["key"], "value": bool(told["value"])}


def _status(_: _Translator, told: Block, __: str) -> dict[str, Any]:
    return {"type": "status", "statuses": [str(code).lower() for code in told["status_codes"]]}


def _probabilistic(say: _Translator, told: Block, called: str) -> dict[str, Any]:
    ours = {"type": "probabilistic", "percent": min(max(float(told["sampling_percentage"]), 0.0), 100.0)}
    if salt := told.get("hash_salt"):
        say.note(
            f"{called}: hash_salt keeps the Collector's choice of traces, whose adjusted counts are unknown; without it they are known"
        )
        return ours | {"salt": str(salt)}
    return ours


def _limit(type_: str, rate: str, burst: str) -> Callable[[_Translator, Block, str], dict[str, Any]]:
    def translated(say: _Translator, told: Block, called: str) -> dict[str, Any]:
        say.note(f"{called}: the limit holds on average, by one threshold for all traces that complete together")
        ours = {"type": type_, rate: told[rate]}
        return ours | ({burst: told["burst_capacity"]} if told.get("burst_capacity") else {})

    return translated


def _span_count(_: _Translator, told: Block, __: str) -> dict[str, Any]:
    bounds = {ours: told[theirs] for theirs, ours in (("min_spans", "at_least"), ("max_spans", "at_most")) if told.get(theirs)}
    return {"type": "span_count", **(bounds or {"at_least": 0})}


def _ottl(_: _Translator, told: Block, __: str) -> dict[str, Any]:
    if told.get("spanevent"):
        raise NotTold(f"conditions of span events cannot be asked ({told['spanevent'][0]})")
    return {"type": "expression", "filter": filter_of(told["span"])}


def _composite(say: _Translator, told: Block, called: str) -> dict[str, Any]:
    order = [str(name) for name in told.get("policy_order") or ()]
    by_name = {str(policy.get("name")): policy for policy in told["composite_sub_policy"]}
    if sorted(order) != sorted(by_name):
        raise NotTold("policy_order must name each of composite_sub_policy once")
    percents = {str(rate["policy"]): rate["percent"] for rate in told.get("rate_allocation") or ()}
    say.note(f"{called}: max_total_spans_per_second is one limit for all; what a policy does not use the others may")
    made = say.several([by_name[name] for name in order], called)
    shares = [
        {"policy": policy} | ({"percent": percents[name]} if name in percents else {}) for name, policy in zip(order, made, strict=False)
    ]
    return {"type": "composite", "max_spans_per_second": told["max_total_spans_per_second"], "shares": shares}


_RULES = {
    "always_sample": _Rule((), lambda say, told, called: {"type": "always"}),
    "latency": _Rule(("threshold_ms", "upper_threshold_ms"), _latency),
    "numeric_attribute": _Rule(("key", "min_value", "max_value", "invert_match"), _numeric),
    "string_attribute": _Rule(("key", "values", "enabled_regex_matching", "cache_max_size", "invert_match"), _string),
    "boolean_attribute": _Rule(("key", "value", "invert_match"), _boolean),
    "status_code": _Rule(("status_codes",), _status),
    "trace_state": _Rule(
        ("key", "values"), lambda say, told, called: {"type": "trace_state", "key": told["key"], "values": list(told["values"])}
    ),
    "trace_flags": _Rule((), lambda say, told, called: {"type": "trace_flags"}),
    "probabilistic": _Rule(("sampling_percentage", "hash_salt"), _probabilistic),
    "rate_limiting": _Rule(("spans_per_second", "burst_capacity"), _limit("rate_limiting", "spans_per_second", "burst_spans")),
    "bytes_limiting": _Rule(("bytes_per_second", "burst_capacity"), _limit("bytes_limiting", "bytes_per_second", "burst_bytes")),
    "span_count": _Rule(("min_spans", "max_spans"), _span_count),
    "ottl_condition": _Rule(("error_mode", "span", "spanevent"), _ottl),
    "and": _Rule(("and_sub_policy",), lambda say, told, called: {"type": "and", "policies": say.several(told["and_sub_policy"], called)}),
    "not": _Rule(
        ("not_sub_policy",), lambda say, told, called: {"type": "not", "policy": _one(say.several([told["not_sub_policy"]], called))}
    ),
    "drop": _Rule(
        ("drop_sub_policy",), lambda say, told, called: {"type": "drop", "policies": say.several(told["drop_sub_policy"], called)}
    ),
    "composite": _Rule(("max_total_spans_per_second", "policy_order", "composite_sub_policy", "rate_allocation"), _composite),
}


def _one(made: list[dict[str, Any]]) -> dict[str, Any]:
    if not made:
        raise NotTold("its policy cannot be translated")
    return made[0]
