"""Calls for tests of questions about them: rows as stored, the relations that storage makes of them, and the sums of their minutes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from observatory.model.clock import SECOND
from observatory.model.schema import COSTS, schema
from observatory.model.signal import Signal
from observatory.storage.engine import View

MINUTE = 60 * SECOND
NOW = 1_795_430_890_363_536_205  # 2026-11-23T10:48:10Z
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens")
KEYS = ("project", "application", "service_name", "environment", "provider", "model_name", "operation")
MODELS = {"gpt-4.1": "openai", "gpt-4.1-mini": "openai", "claude-sonnet-4-5": "anthropic", "my-own": None}


def call(number: int, **more: Any) -> dict[str, Any]:
    """A row of `schema(LLM_CALLS)`: a call that counts, of ten input and five output tokens, unless `more` says otherwise."""
    cost = more.pop("cost", Decimal("0.003"))
    row = {
        "start_ns": NOW,
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "parent_span_id": None,
        "revision": 0,
        "counted": True,
        "not_counted_reason": None,
        "provider": "openai",
        "model_name": "gpt-4.1",
        "request_model": "gpt-4.1",
        "operation": "chat",
        "observation_kind": "llm",
        "convention": "otel",
        "application": "shop",
        "service_name": "shop",
        "tags": [],
        "duration_ns": 2 * SECOND,
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
        "usage_flags": None,
        "is_error": False,
        "facts": 1,
        "received_at": NOW,
        "project": "default",
        **dict.fromkeys(COSTS),
        **more,
    }
    if cost is None:
        row["unpriced_reason"] = row.get("unpriced_reason", "unknown_model")
    else:
        row |= {name: Decimal(0) for name in COSTS} | {"input_cost_usd": cost / 3 * 2, "output_cost_usd": cost / 3, "total_cost_usd": cost}
        row |= {name: row[name].quantize(Decimal("1e-12")) for name in COSTS}
        row["total_cost_usd"] = sum((row[name] for name in COSTS[:-1]), Decimal(0))
        row["price_source"] = "bundled"
    return row


def random_calls(random: Random, count: int, start_ns: int = NOW, span_ns: int = 3 * 3600 * SECOND) -> list[dict[str, Any]]:
    """Calls of every shape: skewed times, no usage, no price, errors, streams, tags; some that do not count."""
    rows = []
    for number in range(1, count + 1):
        model = random.choice(list(MODELS))
        error, bare = random.random() < 0.2, random.random() < 0.1
        tokens = {name: None if bare else random.randrange(0, 5000) for name in TOKENS[:-1]}
        duration = int(random.lognormvariate(0, 1.5) * SECOND)
        row = call(
            number,
            cost=None if MODELS[model] is None else Decimal(random.randrange(0, 10**9)) / Decimal(10**12) * 3,
            start_ns=start_ns + random.randrange(span_ns),
            provider=MODELS[model],
            model_name=model,
            service_name=random.choice(["shop", "desk", None]),
            application=random.choice(["shop", "desk"]),
            environment=random.choice(["prod", None]),
            user_id=random.choice(["ann", "bob", None]),
            session_id=random.choice(["s1", "s2", None]),
            tags=random.sample(["a", "b", "c"], random.randrange(3)),
            duration_ns=duration,
            streaming=random.choice([True, False, None]),
            ttft_ns=random.choice([None, 0, duration // 3, duration, 2 * duration]),
            is_error=error,
            error_type="timeout" if error else None,
            finish_reason=random.choice(["stop", "length", None]),
            counted=random.random() < 0.9,
            **tokens,
            total_tokens=None if bare else (tokens["input_tokens"] or 0) + (tokens["output_tokens"] or 0),
        )
        row["not_counted_reason"] = None if row["counted"] else "wraps_call"
        rows.append(row)
    return rows


def tokens_per_second(row: dict[str, Any]) -> float | None:
    """By the rule that rollups and calls share."""
    out, duration, ttft = row["output_tokens"], row["duration_ns"], row.get("ttft_ns")
    if not out:
        return None
    if row.get("streaming") and ttft and out >= 2 and duration > ttft:
        return out * 1e9 / (duration - ttft)
    return out * 1e9 / duration if duration > 0 else None


def bucket_of(value: float) -> int:
    """Bucket i holds (2^(i/64), 2^((i+1)/64)]; what is below 1 counts as 1."""
    return math.ceil(math.log2(max(value, 1)) * 64 - 1e-9) - 1


def rollups(rows: Iterable[dict[str, Any]], random: Random) -> list[dict[str, Any]]:
    """Sums of minutes as deltas: a row a call, and for some a revision that takes back something first published in its stead."""
    found = []
    for row in rows:
        if not row["counted"]:
            continue
        found.append(_delta(row, 1))
        if random.random() < 0.2:
            wrong = {**row, "duration_ns": row["duration_ns"] * 3 + 7, "input_tokens": 999}
            found += [_delta(wrong, 1), _delta(wrong, -1)]
    random.shuffle(found)
    return found


def _delta(row: dict[str, Any], sign: int) -> dict[str, Any]:
    said = {"duration_ns": row["duration_ns"], "ttft_ns": row.get("ttft_ns")}
    speed = tokens_per_second(row)
    said["tokens_per_1000_s"] = None if speed is None else speed * 1000
    histograms: dict[str, Any] = {}
    for name, value in said.items():
        histograms |= {f"{name}_buckets": [] if value is None else [bucket_of(value)], f"{name}_counts": [] if value is None else [sign]}
    return {
        "start_ns": row["start_ns"] // MINUTE * MINUTE,
        **{name: row.get(name) for name in KEYS},
        "calls": sign,
        "error_calls": sign * row["is_error"],
        "unpriced_calls": sign * (row.get("unpriced_reason") is not None),
        **{name: sign * (row.get(name) or 0) for name in TOKENS},
        **{name: sign * (row[name] or Decimal(0)) for name in COSTS},
        "duration_ns_sum": float(sign * row["duration_ns"]),
        **histograms,
        "received_at": row["received_at"],
    }


def relations(
    con: duckdb.DuckDBPyConnection, calls: list[dict[str, Any]], sums: list[dict[str, Any]], traces: list[dict[str, Any]] = ()
) -> None:  # type: ignore[assignment]
    """Make `llm_calls`, `llm_metrics`, `llm_rollups` and `trace_fragments` on `con`, with their public columns."""
    con.execute("SET TimeZone = 'UTC'")
    tables = {"calls_as_stored": (Signal.LLM_CALLS, calls), "sums_as_stored": (Signal.LLM_ROLLUPS, sums)}
    for name, (signal, rows) in tables.items():
        con.register(name, pa.Table.from_pylist(rows, schema(signal)))
    con.execute(f"CREATE OR REPLACE TEMP VIEW llm_calls AS SELECT {public(Signal.LLM_CALLS)} FROM calls_as_stored")
    con.execute("CREATE OR REPLACE TEMP VIEW llm_metrics AS SELECT * EXCLUDE (counted, not_counted_reason) FROM llm_calls WHERE counted")
    con.execute(f"CREATE OR REPLACE TEMP VIEW llm_rollups AS SELECT {public(Signal.LLM_ROLLUPS)} FROM sums_as_stored")
    fragments = schema(Signal.TRACES).append(pa.field("open", pa.bool_()))
    con.register("trace_fragments", pa.Table.from_pylist(list(traces), fragments))


def views_have(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A list whose rows every view of storage has as its calls, and their sums, from now on."""
    rows: list[dict[str, Any]] = []

    @contextmanager
    def calls(view: View, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(config={"threads": 1}) as con:
            relations(con, rows, rollups(rows, Random(1)))
            yield con

    monkeypatch.setattr(View, "calls", calls, raising=False)
    monkeypatch.setattr(View, "calls_of_trace", lambda view, trace_id, *window: calls(view))
    return rows


def public(signal: Signal) -> str:
    """The columns as views show them."""
    time = "ts" if signal is Signal.LLM_CALLS else "minute"
    found = [f"make_timestamptz(start_ns // 1000) AS {time}"]
    for field in schema(signal):
        if field.name in ("trace_id", "span_id", "parent_span_id"):
            found.append(f"lower(hex({field.name})) AS {field.name}")
        elif field.name == "received_at":
            found.append("make_timestamptz(received_at // 1000) AS received_at")
        elif pa.types.is_dictionary(field.type):
            found.append(f"{field.name}::VARCHAR AS {field.name}")
        else:
            found.append(field.name)
    if signal is Signal.LLM_CALLS:
        found += ["duration_ns / 1e6 AS duration_ms", "ttft_ns / 1e6 AS ttft_ms"]
    return ", ".join(found)
