"""Traces and policies told in a line of text, and what policies then say of them.

    policy type = "latency", above_s = 5
    rule   longer than `above_s`; exactly as long is not longer
      keep    took=6s
      leave   took=5s
      keep    took=3s | at=3s took=3s          # two spans, the second begins 3 s after the first

A line that begins with `keep`, `leave` (abstain) or `drop` is a case: the vote, then the trace, whose spans are parted by `|`. `keep@c`
also says the threshold in hex, zeros at its end left out, `keep@?` that it cannot be told. Words of a span: `at=`, `took=`, `name=`,
`status=`, `flags=`, `state=`; any other `key=value` is an attribute, `res:key=value` one of the resource. Values are typed as TOML is.
Facts of the whole trace stand in braces: `{cost=0.2 input=700 ttft=2s feedback evaluation spans=9 r=c incoming=8}`; `r` is the
randomness, `incoming` the threshold that the client said.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter

from observatory.contracts import DROP, SAMPLE, Policy, State
from observatory.model.clock import SECOND
from observatory.model.money import PICO_PER_USD
from observatory.model.threshold import UNKNOWN
from observatory.otlp.decode import decoders
from observatory.pipeline.sampling.sections import PolicyConfig
from observatory.pipeline.sampling.spantests import SpanTests
from observatory.policies.reason import Reason
from observatory.testing.clock import NOON
from observatory.testing.spans import Maker
from observatory.testing.tracetable import trace_id, trace_table

CASES = Path(__file__).parents[2] / "data/sampling"
_ADAPTER: TypeAdapter[Any] = TypeAdapter(PolicyConfig)
_WORD = re.compile(r"""(?:[^\s|{}"']|"[^"]*"|'[^']*')+|[|{}]""")
_STATUS = {"unset": 0, "ok": 1, "error": 2}


@dataclass(frozen=True)
class Span:
    """What a line says of one span."""

    at_s: float = 0.0
    took_s: float = 1.0
    name: str = "work"
    status: str = "unset"
    flags: int = 0
    state: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """What a line says of one trace. `facts` are columns of the trace table."""

    spans: Sequence[Span]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One line: where it stands, the policy as TOML, the rule it follows, the vote, the trace."""

    where: str
    policy: str
    rule: str
    vote: str
    said: str

    @property
    def trace(self) -> Trace:
        return told(self.said)


def cases(name: str = "*") -> Iterator[Case]:
    """Of every file, in order."""
    for path in sorted(CASES.glob(f"{name}.cases")):
        policy = rule = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            text = re.sub(r"(^|\s)#.*", "", line).rstrip()
            first, _, rest = text.strip().partition(" ")
            if first == "policy":
                policy, rule = rest.strip(), ""
            elif first == "rule":
                rule = rest.strip()
            elif text.startswith("       ") and first and not first.startswith(("keep", "leave", "drop")):
                policy += " " + text.strip()  # a policy may take several lines
            elif first:
                assert policy and rule, f"{path.name}:{number}: a case needs a policy and a rule"
                yield Case(f"{path.stem}:{number}", policy, rule, first, rest.strip())


@cache
def policy_of(said: str) -> Reason:
    """The policy of a line of TOML: what stands in one of `[[sampling.policies]]`."""
    return _ADAPTER.validate_python(tomllib.loads(f"policy = {{ {said} }}")["policy"]).made()


def told(said: str) -> Trace:
    """The trace of a line."""
    spans: list[dict[str, Any]] = [{}]
    facts: dict[str, Any] = {}
    inside = False
    for word in _WORD.findall(said):
        if word in "{}":
            inside = word == "{"
        elif word == "|":
            spans.append({})
        elif inside:
            facts |= _fact(*word.partition("=")[::2])
        else:
            _into(spans[-1], *word.partition("=")[::2])
    return Trace([Span(**span) for span in spans], facts)


def _into(span: dict[str, Any], key: str, value: str) -> None:
    if key in ("at", "took"):
        span[f"{key}_s"] = _seconds(value)
    elif key in ("name", "status", "state"):
        span[key] = value.strip("\"'")
    elif key == "flags":
        span[key] = int(value)
    elif key.startswith("res:"):
        span.setdefault("resource", {})[key.removeprefix("res:")] = _value(value)
    else:
        span.setdefault("attributes", {})[key] = _value(value)


def _fact(key: str, value: str) -> dict[str, Any]:
    match key:
        case "cost":
            return {"cost": round(float(value) * PICO_PER_USD)}
        case "ttft":
            return {"ttft_ns": round(_seconds(value) * SECOND)}
        case "r":
            return {"randomness": int(value.ljust(14, "0"), 16)}
        case "incoming":
            return {"threshold": int(value.ljust(14, "0"), 16)}
        case "feedback" | "evaluation":
            return {key: True}
        case "spans" | "bytes":
            return {"span_count" if key == "spans" else key: int(value)}
        case "input" | "output":
            return {f"{key}_tokens": int(value)}
        case "took":
            return {"took_ns": int(value)}
        case "id":
            return {"id": bytes.fromhex(value)}
    raise ValueError(f"no such fact: {key}")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _seconds(text: str) -> float:
    number, unit = re.fullmatch(r"(-?[\d.]+)(ns|us|ms|s|m|h)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}[unit]


def spans_of(traces: Sequence[Trace]) -> pa.RecordBatch:
    """The spans as columns, by way of OTLP and the decoder."""
    make = Maker(1, NOON)
    bodies = []
    for number, trace in enumerate(traces):
        for span in trace.spans:
            made = make.span(
                span.name,
                trace_id=trace_id(number),
                start_ns=NOON + round(span.at_s * SECOND),
                duration_s=span.took_s,
                attributes=span.attributes,
                flags=span.flags,
                trace_state=span.state,
            )
            made.status.code = _STATUS[span.status]  # type: ignore[assignment]
            bodies.append(make.spans(made, service="app", resource=span.resource).protobuf)
    return decoders().spans(bodies, NOON, [None] * len(bodies)).rows


def table_of(traces: Sequence[Trace], policies: Sequence[Policy], asked: SpanTests | None = None) -> pa.RecordBatch:
    """The trace table: every question put to every span, what they say gathered for each trace."""
    spans = spans_of(traces)
    tests, keys = (asked or SpanTests.of(policies))(spans, NOON)
    owner = np.repeat(np.arange(len(traces)), [len(trace.spans) for trace in traces])
    rows = []
    for number, trace in enumerate(traces):
        mine = np.flatnonzero(owner == number)
        starts = [NOON + round(span.at_s * SECOND) for span in trace.spans]
        ends = [start + round(span.took_s * SECOND) for start, span in zip(starts, trace.spans, strict=True)]
        row = {
            "id": number,
            "start_ns": min(starts),
            "end_ns": max(ends),
            "span_count": len(mine),
            "error_count": sum(span.status == "error" for span in trace.spans),
            **{column: bool(answers[mine].any()) for column, answers in tests.items()},
            **{column: next((int(key) for key in hashes[mine] if key), 0) for column, hashes in keys.items()},
            **trace.facts,
        }
        if "took_ns" in row:
            row["start_ns"] = -(row["took_ns"] // 2)  # around 1970, so that any length fits
            row["end_ns"] = row["start_ns"] + row.pop("took_ns")
        rows.append(row)
    return trace_table(rows, *policies)


def vote_of(policy: Policy, trace: Trace, state: State | None = None) -> str:
    """`keep`, `leave` or `drop`, and behind `keep@` the threshold unless it is 0."""
    votes = policy.vote(table_of([trace], [policy]), {} if state is None else state, NOON)
    return said(int(votes.choice[0]), int(votes.threshold[0]))


def said(choice: int, threshold: int) -> str:
    """A vote as cases say it."""
    if choice != SAMPLE:
        return "drop" if choice == DROP else "leave"
    return "keep" if threshold == 0 else "keep@?" if threshold == UNKNOWN else f"keep@{threshold:014x}".rstrip("0")
