"""The list of feedback, latest first: of everything, or of one trace with what names only a response of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from observatory.model.clock import Nanos
from observatory.model.signal import Signal
from observatory.query.answers import json_values
from observatory.query.cursors import decode_cursor, encode_cursor
from observatory.query.named import named
from observatory.query.times import rfc3339
from observatory.query.traces import EVER
from observatory.storage.engine import View, ViewSpec, open_views

_ORDER = "feedback"
_KEY = ("time_ns", "feedback_id", "nth")
_TEXTS = ("trace_id", "span_id", "response_id", "name", "score", "label", "comment", "user_id", "source", "error_type", "project")


@dataclass(frozen=True, slots=True)
class FeedbackQuestion:
    """Which feedback, by its time in [from_ns, to_ns)."""

    from_ns: Nanos = EVER[0]
    to_ns: Nanos = EVER[1]
    trace_id: bytes | None = None
    name: str | None = None
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class FeedbackPage:
    """Items as the API says them, and the cursor of the next page when there is one."""

    items: list[dict[str, Any]]
    next_cursor: str | None


def list_feedback(view: View, con: duckdb.DuckDBPyConnection, question: FeedbackQuestion) -> FeedbackPage:
    """One page, asked on `con`, a bare connection of the engine's."""
    values: dict[str, Any] = {"from_ns": question.from_ns, "to_ns": question.to_ns, "rows": question.limit + 1}
    source, filter_, behind = named("feedback_all"), "TRUE", "TRUE"
    if question.trace_id is not None:
        con.register("responses", responses(view, question.trace_id))
        source = named("feedback_of_trace")
        values["trace_id"] = question.trace_id.hex()
    if question.name is not None:
        filter_ = "name = $name"
        values["name"] = question.name
    if question.cursor is not None:
        values |= dict(zip(("key_time", "key_id", "key_nth"), decode_cursor(question.cursor, _ORDER, (int, str, int)), strict=True))
        behind = "(time_ns, feedback_id, nth) < ($key_time, $key_id, $key_nth)"
    query = named("feedback_page").format(source=source, filter=filter_, behind=behind)
    open_views(con, _spec(view, question), query)
    rows = con.sql(query, params=values).to_arrow_table()
    shown = rows.slice(0, question.limit)
    last = {name: shown.column(name)[-1].as_py() for name in _KEY} if rows.num_rows > question.limit else None
    return FeedbackPage(_items(shown), encode_cursor(_ORDER, list(last.values())) if last else None)


def responses(view: View, trace_id: bytes) -> pa.Table:
    """`response_id` and `span_id` (hex) of the spans of a trace that have one; of several with the same response the one that began last,
    which is the innermost."""
    found: dict[str, tuple[int, str]] = {}
    for batch in view.trace(Signal.SPANS, trace_id, ["response_id", "start_ns", "span_id"]):
        having = batch.filter(batch.column("response_id").is_valid())
        columns = (having.column(name).to_pylist() for name in ("response_id", "start_ns", "span_id"))
        for response, start_ns, span_id in zip(*columns, strict=True):
            found[response] = max(found.get(response, (start_ns, "")), (start_ns, span_id.hex()))
    return pa.table(
        {"response_id": pa.array(found, pa.string()), "span_id": pa.array((span for _, span in found.values()), pa.string())},
    )


def _spec(view: View, question: FeedbackQuestion) -> ViewSpec:
    """All that was posted, since a later post of an id replaces one of any time; of log records those that may lie in the window, and those
    without a time, which lie where a window holds the zero."""
    everything, window, untimed = view.spec(), view.spec(question.from_ns, question.to_ns), view.spec(0, 1)
    logs, posted = str(Signal.LOGS), str(Signal.FEEDBACK)
    files = list(dict.fromkeys((*window.segments[logs], *untimed.segments[logs])))
    records = {r.seq: r for spec in (window, untimed) for r in spec.records if r.signal is Signal.LOGS}
    records |= {r.seq: r for r in everything.records if r.signal is Signal.FEEDBACK}
    return ViewSpec({logs: files, posted: everything.segments[posted]}, list(records.values()))


def _items(rows: pa.Table) -> list[dict[str, Any]]:
    columns = {name: json_values(rows.column(name).combine_chunks()) for name in _TEXTS}
    ids, times = rows.column("feedback_id").to_pylist(), rows.column("time_ns").to_pylist()
    received = rows.column("received_at").cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
    return [
        {
            "feedback_id": ids[i],
            "time": rfc3339(times[i]),
            "time_ns": str(times[i]),
            **{name: column[i] for name, column in columns.items()},
            "received_at": rfc3339(received[i] * 1000),
        }
        for i in range(rows.num_rows)
    ]
