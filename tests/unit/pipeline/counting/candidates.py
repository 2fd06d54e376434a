"""Candidates written as a few words, for the tests of counting."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from observatory.model.money import usd
from observatory.model.schema import COSTS
from observatory.otlp import columns
from observatory.pipeline.counting.counting import Counted, Counting
from observatory.semconv.calls import CANDIDATES
from observatory.semconv.outcomes import OUTCOMES

SECOND = 10**9
SPANS = pa.schema([CANDIDATES.field(name) for name in ("trace_id", "span_id", "parent_span_id")])
SAID = pa.schema(
    [
        CANDIDATES.field("place"),
        ("session_id", pa.string()),
        ("user_id", pa.string()),
        pa.field("tags", pa.list_(pa.field("item", pa.string(), nullable=False))),
        ("rank", pa.int32()),
    ]
)


@dataclass
class Span:
    """A span of trace `trace`; `kind` None is a plain one. `of` are columns of its candidate, `said` of its identity."""

    name: int
    parent: int = 0
    trace: int = 1
    kind: str | None = None
    tokens: tuple[int, int] | None = None
    of: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> dict[str, Any]:
        parent = self.parent.to_bytes(8, "big") if self.parent else None
        return {"trace_id": self.trace.to_bytes(16, "big"), "span_id": self.name.to_bytes(8, "big"), "parent_span_id": parent}

    @property
    def candidate(self) -> dict[str, Any]:
        usage = {"input_tokens": self.tokens[0], "output_tokens": self.tokens[1]} if self.tokens else {}
        default = {
            "start_ns": 1000 * SECOND + self.name,
            "duration_ns": SECOND,
            "received_at": 1001 * SECOND,
            "project": "default",
            "application": "app",
            "service_name": "app",
            "observation_kind": self.kind,
            "native_sdk": False,
            "has_usage": self.tokens is not None,
            "has_output": True,
            "is_error": False,
            "provider": "p",
            "model_name": "m",
            "request_model": "m",
            "operation": "chat",
        }
        return {**default, **self.ids, **usage, **self.of}


def flat(calls: pa.Table) -> pa.Table:
    """A price: a millionth of a dollar for each token of input and output together."""
    total = sum(np.asarray(calls.column(n).combine_chunks().fill_null(0)) for n in ("input_tokens", "output_tokens"))
    used = np.asarray(calls.column("has_usage"))
    costs = dict.fromkeys(COSTS, usd(np.zeros(calls.num_rows, np.int64), used)) | {"total_cost_usd": usd(total * 10**6, used)}
    reason = pa.array([None if u else "no_usage" for u in used], pa.string())
    return pa.table({**costs, "price_source": pa.array(["flat"] * calls.num_rows), "unpriced_reason": reason})


def table(schema: pa.Schema, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_batches([columns.batch(schema, [[row.get(name) for name in schema.names] for row in rows])])


class Told:
    """A counting that is told spans step by step, and what it has said so far."""

    def __init__(self, **limits: int) -> None:
        self.counting = Counting(flat, **limits)
        self.latest: dict[tuple[int, int], dict[str, Any]] = {}
        self.calls = self.tokens = self.cost = self.revisions = 0
        self.now = 1001 * SECOND

    def step(self, *spans: Span, ended: dict[int, str] | None = None) -> Counted:
        self.now += SECOND // 4
        candidates = table(CANDIDATES, [{"place": i, **s.candidate} for i, s in enumerate(spans) if s.kind])
        said = table(SAID, [{"place": i, "rank": 0, "tags": [], **s.said} for i, s in enumerate(spans) if s.said])
        counted = self.counting.step(table(SPANS, [s.ids for s in spans]), candidates, said, self._ended(ended or {}), self.now)
        for row in counted.calls.to_pylist():
            key = (int.from_bytes(row["trace_id"], "big"), int.from_bytes(row["span_id"], "big"))
            before = self.latest.get(key)
            assert row["revision"] == (0 if before is None else before["revision"] + 1)
            assert row["counted"] == (row["not_counted_reason"] is None)
            self.latest[key] = row
            self.revisions += row["revision"] > 0
        for row, sign in zip(counted.changes.to_pylist(), counted.signs.tolist(), strict=True):
            self.calls += sign
            self.tokens += sign * ((row["input_tokens"] or 0) + (row["output_tokens"] or 0))
            self.cost += sign * int((row["total_cost_usd"] or 0) * 10**12)
        self.check()
        return counted

    def _ended(self, reasons: dict[int, str]) -> pa.Table:
        return table(OUTCOMES, [{**Span(name).ids, "finish_reason": reason} for name, reason in reasons.items()])

    def check(self) -> None:
        """What was said to the sums is what the latest rows say."""
        counted = [row for row in self.latest.values() if row["counted"]]
        assert self.calls == len(counted)
        assert self.tokens == sum((row["input_tokens"] or 0) + (row["output_tokens"] or 0) for row in counted)
        assert self.cost == sum(int((row["total_cost_usd"] or 0) * 10**12) for row in counted)

    def counted(self, trace: int = 1) -> set[int]:
        return {name for (of, name), row in self.latest.items() if row["counted"] and of == trace}

    def reason(self, name: int, trace: int = 1) -> str | None:
        return self.latest[trace, name]["not_counted_reason"]

    def says(self, name: int, *what: str, trace: int = 1) -> tuple[Any, ...]:
        return tuple(self.latest[trace, name][each] for each in what)
