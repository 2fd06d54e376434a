"""The list of spans: one row each, by a filter of spans, in the order of time or duration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from observatory.model.clock import Nanos
from observatory.query.filtering.sql import to_sql
from observatory.query.filtering.tree import EVERYTHING, Expr
from observatory.query.llm_figures import number
from observatory.query.named import named
from observatory.query.rowpages import Rows
from observatory.query.times import rfc3339
from observatory.query.traces import EVER

SPANS = Rows(
    "span_order",
    "span_rows",
    {
        "start": "start_ns",
        "duration": "duration_ns",
        "tokens": "coalesce(coalesce(input_tokens, 0) + coalesce(output_tokens, 0), -1)::BIGINT",
    },
)
SORTS = SPANS.sorts

WORDS = (
    "parent_span_id", "name", "kind", "status", "status_message", "service_name", "environment", "observation_kind", "operation",
    "provider", "model", "error_type", "tool_name", "agent_name", "session_id", "user_id",
)  # fmt: skip
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens")


@dataclass(frozen=True, slots=True)
class SpanQuestion:
    """Which spans, by start in [from_ns, to_ns) and a filter of spans, and in which order."""

    from_ns: Nanos = EVER[0]
    to_ns: Nanos = EVER[1]
    filter: Expr = EVERYTHING
    sort: str = "-start"
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SpanPage:
    """Spans as the API says them, and the cursor of the next page when there is one."""

    items: list[dict[str, Any]]
    next_cursor: str | None


def columns_asked(question: SpanQuestion) -> str:
    """A query that names every column of `spans` that the question reads."""
    return f"{named('span_rows')} WHERE {to_sql(question.filter, 'spans', {})}"


def list_spans(con: duckdb.DuckDBPyConnection, question: SpanQuestion) -> SpanPage:
    """One page, asked on a connection that has the view `spans`. Raises FilterError for a filter that is none of spans."""
    values: dict[str, Any] = {"from_ns": question.from_ns, "to_ns": question.to_ns}
    filters = [to_sql(question.filter, "spans", values)]
    rows, cursor = SPANS.page(con, filters, values, sort=question.sort, limit=question.limit, cursor=question.cursor)
    return SpanPage([span_item(row) for row in rows], cursor)


def span_item(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `span_rows.sql` as the API says it."""
    ttft = row["time_to_first_token_s"]
    return {
        "trace_id": row["trace_id"],
        "span_id": row["span_id"],
        "start": rfc3339(row["start_ns"]),
        "start_ns": str(row["start_ns"]),
        "duration_ms": row["duration_ns"] / 1e6,
        "duration_ns": str(row["duration_ns"]),
        "ttft_ms": ttft * 1e3 if ttft is not None and ttft == ttft and abs(ttft) < 1e9 else None,
        **{name: row[name] for name in WORDS},
        **{name: number(row[name]) for name in TOKENS},
    }
