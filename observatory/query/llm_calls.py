"""The list of calls, also of those that do not count, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from observatory.model.clock import Nanos
from observatory.query.llm_figures import COSTS, TOKENS, number, usd_text
from observatory.query.llm_filter import condition
from observatory.query.rowpages import Rows
from observatory.query.times import rfc3339
from observatory.query.traces import EVER

CALLS = Rows(
    "llm_call_order",
    "llm_call_rows",
    {
        "start": "start_ns",
        # as it is stored: made a whole number, two million of them take a second
        "cost": "coalesce(total_cost_usd, -1::DECIMAL(18, 12))",
        "duration": "duration_ns",
        "tokens": "coalesce(total_tokens, -1)",
    },
)
SORTS = CALLS.sorts

WORDS = (
    "not_counted_reason", "provider", "model_name", "request_model", "operation", "observation_kind", "convention",
    "application", "service_name", "environment", "user_id", "session_id", "prompt_name", "prompt_version", "service_tier",
    "server_address", "price_source", "unpriced_reason", "usage_flags", "finish_reason", "error_type", "error_class",
    "response_id", "project",
)  # fmt: skip
PLAIN = ("revision", "counted", "tags", "streaming", "is_error", "adjusted_count")
INTEGERS = (*TOKENS, "cache_write_1h_tokens", "input_audio_tokens", "output_audio_tokens", "http_status_code")
DOLLARS = (*COSTS, "reported_cost_usd")


@dataclass(frozen=True, slots=True)
class CallQuestion:
    """Which calls, by start in [from_ns, to_ns). `counted` None: whether they count or not."""

    from_ns: Nanos = EVER[0]
    to_ns: Nanos = EVER[1]
    counted: bool | None = True
    unpriced: bool = False
    filter: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    sort: str = "-start"
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class CallPage:
    """Calls as the API says them, and the cursor of the next page when there is one."""

    items: list[dict[str, Any]]
    next_cursor: str | None


def list_calls(con: duckdb.DuckDBPyConnection, question: CallQuestion) -> CallPage:
    """One page, asked on a connection that has `llm_calls`. Raises BadRequest for a cursor or a filter that is not understood."""
    values: dict[str, Any] = {"from_ns": question.from_ns, "to_ns": question.to_ns}
    filters = [condition(question.filter, values), *_filters(question, values)]
    rows, cursor = CALLS.page(con, filters, values, sort=question.sort, limit=question.limit, cursor=question.cursor)
    return CallPage([call_item(row) for row in rows], cursor)


def call_item(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `llm_calls` as the API says it."""
    return {
        "trace_id": row["trace_id"],
        "span_id": row["span_id"],
        "start": rfc3339(row["start_ns"]),
        "start_ns": str(row["start_ns"]),
        "duration_ms": row["duration_ns"] / 1e6,
        "duration_ns": str(row["duration_ns"]),
        "ttft_ms": None if row["ttft_ns"] is None else row["ttft_ns"] / 1e6,
        **{name: row[name] for name in (*WORDS, *PLAIN)},
        **{name: number(row[name]) for name in INTEGERS},
        **{name: usd_text(row[name]) for name in DOLLARS},
    }


def _filters(question: CallQuestion, values: dict[str, Any]) -> list[str]:
    filters = []
    if question.counted is not None:
        filters.append("counted" if question.counted else "NOT counted")
    if question.unpriced:
        filters.append("unpriced_reason IS NOT NULL")
    for column in ("session_id", "user_id"):
        value = getattr(question, column)
        if value is not None:
            values[column] = value
            filters.append(f"{column} = ${column}")
    return filters
