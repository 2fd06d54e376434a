"""Failures put together by what failed and how: where they began, not where they passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from observatory.model.clock import SECOND, Nanos
from observatory.query.estimate import Estimate, said, weigh
from observatory.query.filtering.sql import to_sql
from observatory.query.filtering.tree import EVERYTHING, Everything, Expr
from observatory.query.named import named
from observatory.query.times import rfc3339
from observatory.query.traces import EVER

ORDERS = {"-count": '"count" DESC', "-last": "last_ns DESC", "-first": "first_ns DESC", "-traces": "traces DESC"}
SLOTS = 40
"""Parts of the window in which failures are counted, so that a reader sees whether they come in bursts."""

LOOK_BACK = 7 * 86_400 * SECOND
"""What failed in the window and not in this time before it is new."""


@dataclass(frozen=True, slots=True)
class ErrorQuestion:
    """Which failed spans, by start in [from_ns, to_ns) and a filter of spans."""

    from_ns: Nanos
    to_ns: Nanos
    filter: Expr = EVERYTHING
    order: str = "-count"
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Errors:
    """Groups as the API says them, how many were found, and how many failures they are of."""

    items: list[dict[str, Any]]
    groups: int
    failures: Estimate
    slot_ns: int
    weighed: bool  # some traces of the window stand for others: counts are estimates


def columns_asked(question: ErrorQuestion) -> str:
    """A query that names every column of `spans` that the question reads, and the traces that say what they stand for."""
    return f"SELECT * FROM ({_text('errors', question, {})}) WHERE trace_id IN (SELECT trace_id FROM trace_fragments)"


def look_back(question: ErrorQuestion) -> Nanos | None:
    """From when on failures are read; None: from the first on."""
    return None if question.from_ns == EVER[0] else max(question.from_ns - LOOK_BACK, EVER[0])


def list_errors(con: duckdb.DuckDBPyConnection, question: ErrorQuestion) -> Errors:
    """The groups, asked on a connection that has `trace_fragments` and the view `spans` or, where nothing is filtered, `failed_spans`.
    Raises FilterError for a filter that is none of spans.
    """
    low, high = question.from_ns, question.to_ns
    if low == EVER[0] or high == EVER[1]:
        first, last = con.sql(named("errors_extent").format(spans=_spans(question)), params={"from_ns": low, "to_ns": high}).fetchall()[0]
        if first is None:
            return Errors([], 0, Estimate(0), 1, False)
        low, high = max(low, first), min(high, last + 1)
    before_ns = look_back(question)
    known = before_ns is not None
    slot_ns = max(1, -(-(high - low) // SLOTS))
    values: dict[str, Any] = {
        "from_ns": low,
        "to_ns": high,
        "before_ns": low if before_ns is None else before_ns,
        "slot_ns": slot_ns,
        "rows": question.limit,
    }
    weighed = weigh(con, values["before_ns"], high)
    rows = con.sql(_text("errors_weighed" if weighed else "errors", question, values), params=values).to_arrow_table().to_pylist()
    failures = _estimate(rows[0], "failures", "failures_unknown") if rows else Estimate(0)
    items = [_item(row, known=known, weighed=weighed) for row in rows]
    return Errors(items, rows[0]["groups"] if rows else 0, failures, slot_ns, weighed)


def _text(name: str, question: ErrorQuestion, values: dict[str, Any]) -> str:
    began = named("errors_began").format(spans=_spans(question), filter=to_sql(question.filter, "spans", values))
    return named(name).format(began=began, order=ORDERS[question.order])


def _spans(question: ErrorQuestion) -> str:
    """Where failed spans are: a filter may name columns that only `spans` has."""
    return "failed_spans" if isinstance(question.filter, Everything) else "spans"


def _estimate(row: dict[str, Any], name: str, unknown: str = "unknown") -> Estimate:
    """A count of `errors_weighed.sql`, or of `errors.sql`, which are exact."""
    return Estimate.of(row[name], row.get(f"{name}_variance", 0.0), row.get(unknown, False))


def _item(row: dict[str, Any], *, known: bool, weighed: bool) -> dict[str, Any]:
    slots = dict(row["slots"] or [])
    counts = {name: _estimate(row, name) for name in ("count", "before", "traces")}
    return {
        "service_name": row["service_name"],
        "name": row["name"],
        "observation_kind": row["observation_kind"],
        "error_type": row["error_type"] or None,
        "message": row["message"],
        "pattern": row["pattern"],
        "count": int(counts["count"]),
        "before": int(counts["before"]) if known else None,
        "traces": int(counts["traces"]),
        **said(weighed, **counts),
        "models": row["models"] or [],
        "first": rfc3339(row["first_ns"]),
        "last": rfc3339(row["last_ns"]),
        "trace_id": row["trace_id"],
        "span_id": row["span_id"],
        "slots": [slots.get(number, 0) for number in range(SLOTS)],
    }
