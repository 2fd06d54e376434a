"""What policies say, once more: trace by trace, span by span, in plain Python, written from docs/SAMPLING.md. Shares no code with them.

Filters are the exception: their language has an oracle of its own. Here `expression` knows only the few that random traces are asked.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from telling import Span, Trace

from observatory.testing.tracetable import trace_id

SURE, TELLS_NOTHING = 0, None
Vote = tuple[str, int | None]  # "keep" (and the threshold, None when it cannot be told), "leave", "drop"


def by_hand(said: str, trace: Trace) -> str:
    """As cases say it."""
    vote, threshold = vote_of(tomllib.loads(f"policy = {{ {said} }}")["policy"], trace)
    if vote != "keep" or threshold == 0:
        return vote
    return "keep@?" if threshold is None else f"keep@{threshold:014x}".rstrip("0")


def vote_of(policy: Mapping[str, Any], trace: Trace) -> Vote:
    """What a policy of the configuration says of one trace."""
    match policy["type"]:
        case "and":
            votes = [vote_of(part, trace) for part in policy["policies"]]
            if any(vote == "drop" for vote, _ in votes):
                return "drop", SURE
            if any(vote == "leave" for vote, _ in votes):
                return "leave", SURE
            told = [threshold for _, threshold in votes]
            return "keep", None if None in told else max(told)  # type: ignore[type-var]
        case "not":
            vote, _ = vote_of(policy["policy"], trace)
            swapped = {"keep": "leave", "leave": "keep", "drop": "drop"}[vote]
            return swapped, TELLS_NOTHING if swapped == "keep" and _chance(policy["policy"]) else SURE
        case "drop":
            votes = [vote_of(part, trace)[0] for part in policy["policies"]]
            return ("leave" if "leave" in votes and "drop" not in votes else "drop"), SURE
        case "probabilistic":
            return _probabilistic(policy, trace)
        case "string" if policy.get("invert"):
            return ("leave" if _kept({**policy, "invert": False}, trace) else "keep"), SURE
    return ("keep" if _kept(policy, trace) else "leave"), SURE


def _chance(policy: Mapping[str, Any]) -> bool:
    inside = [*policy.get("policies", []), *([policy["policy"]] if "policy" in policy else [])]
    return policy["type"] == "probabilistic" or any(map(_chance, inside))


def _probabilistic(policy: Mapping[str, Any], trace: Trace) -> Vote:
    share = policy["percent"] / 100
    if policy.get("salt"):
        value = 14695981039346656037
        for byte in policy["salt"].encode() + _id(trace):
            value = (value ^ byte) * 1099511628211 % 2**64
        return ("keep" if share >= 1 or value <= int(share * 2**64) else "leave"), TELLS_NOTHING
    rejected = round((1 - share) * 2**56)
    return ("keep" if _randomness(trace) >= rejected else "leave"), rejected


def _id(trace: Trace) -> bytes:
    return trace.facts.get("id", trace_id(0))


def _randomness(trace: Trace) -> int:
    return trace.facts.get("randomness", int.from_bytes(_id(trace)[9:], "big"))


def _kept(policy: Mapping[str, Any], trace: Trace) -> bool:
    facts = trace.facts
    match policy["type"]:
        case "always":
            return True
        case "latency":
            took = facts.get("took_ns", _duration_ns(trace))
            low, high = round(policy["above_s"] * 1e9), policy.get("at_most_s")
            return took > low and (high is None or took <= round(high * 1e9))
        case "span_count":
            count = facts.get("span_count", len(trace.spans))
            return policy.get("at_least", 0) <= count <= policy.get("at_most", math.inf)
        case "cost":
            return facts.get("cost", 0) > round(policy["above_usd"] * 10**12)
        case "tokens":
            return facts.get("input_tokens", 0) + facts.get("output_tokens", 0) > policy["above"]
        case "ttft":
            return facts.get("ttft_ns", 0) > policy["above_s"] * 1e9
        case "feedback":
            wanted = ("feedback", "evaluation") if policy.get("given", "any") == "any" else (policy["given"],)
            return any(facts.get(what, False) for what in wanted)
    return any(_says_yes(policy, span) for span in trace.spans)


def _duration_ns(trace: Trace) -> int:
    starts = [round(span.at_s * 1e9) for span in trace.spans]
    return max(start + round(span.took_s * 1e9) for start, span in zip(starts, trace.spans, strict=True)) - min(starts)


def _says_yes(policy: Mapping[str, Any], span: Span) -> bool:
    match policy["type"]:
        case "status":
            return span.status in policy.get("statuses", ["error"])
        case "trace_flags":
            return span.flags % 2 == 1
        case "trace_state":
            members = dict(member.strip().split("=", 1) for member in span.state.split(",") if "=" in member)
            return members.get(policy["key"]) in policy["values"]
        case "string":
            return any(_text_fits(policy, _shown(value)) for value in _values(span, policy["attribute"]))
        case "boolean":
            return any(_shown(value) == ("true" if policy.get("value", True) else "false") for value in _values(span, policy["attribute"]))
        case "numeric":
            return any(_within(policy, _shown(value)) for value in _values(span, policy["attribute"]))
        case "model":
            return _glob(policy["models"], _first(span, "gen_ai.response.model")) or _glob(
                policy["models"], _first(span, "gen_ai.request.model")
            )
        case "user":
            return _glob(policy["users"], _first(span, "user.id", "enduser.id"))
        case "session":
            return _glob(policy["sessions"], _first(span, "gen_ai.conversation.id", "session.id"))
        case "error_class":
            found = _first(span, "error.type")
            patterns = policy.get("patterns", [])
            return _glob(policy.get("types", []), found) or (found is not None and any(re.search(p, found) for p in patterns))
        case "expression":
            return FILTERS[policy["filter"]](span)
    raise ValueError(policy["type"])


FILTERS: dict[str, Callable[[Span], bool]] = {
    "name:chat*": lambda span: span.name.startswith("chat"),
    "status:error duration>1s": lambda span: span.status == "error" and round(span.took_s * 1e9) > 10**9,
    "http.route:/admin* or resource.host.name:h1": lambda span: (
        str(span.attributes.get("http.route", "")).startswith("/admin") or span.resource.get("host.name") == "h1"
    ),
    "-http.route:/health": lambda span: span.attributes.get("http.route") != "/health",
    "tokens>100": lambda span: sum(span.attributes.get(f"gen_ai.usage.{way}_tokens", 0) for way in ("input", "output")) > 100,
    '"refund policy"': lambda span: any("refund policy" in str(text).lower() for text in (span.name, *span.attributes.values())),
    "attr.retries>=2": lambda span: _within({"at_least": 2}, _shown(span.attributes.get("retries", ""))),
}


def _values(span: Span, key: str) -> list[Any]:
    return [where[key] for where in (span.attributes, span.resource) if key in where]


def _first(span: Span, *keys: str) -> str | None:
    return next((_shown(span.attributes[key]) for key in keys if key in span.attributes), None)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return "[" + ",".join(f'"{item}"' if isinstance(item, str) else _shown(item) for item in value) + "]"
    return str(value)


def _text_fits(policy: Mapping[str, Any], text: str) -> bool:
    return text in policy.get("values", []) or any(re.search(pattern, text) for pattern in policy.get("patterns", []))


def _within(policy: Mapping[str, Any], text: str) -> bool:
    if text in ("Infinity", "-Infinity"):
        number = math.inf if text == "Infinity" else -math.inf
    elif re.fullmatch(r"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", text):
        number = float(text)
    else:
        return False
    return policy.get("at_least", -math.inf) <= number <= policy.get("at_most", math.inf)


def _glob(wanted: list[str], text: str | None) -> bool:
    return text is not None and any(fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]")) for pattern in wanted)
