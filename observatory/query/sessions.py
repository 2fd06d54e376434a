"""Sessions and users: what each did and cost, and one of them trace by trace. A session is what calls or traces name so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from observatory.errors import NotFound
from observatory.model.clock import Nanos
from observatory.query.cursors import decode_cursor, encode_cursor
from observatory.query.estimate import Estimate, said, weigh, weigh_alike
from observatory.query.llm_figures import number, usd_text
from observatory.query.llm_filter import condition
from observatory.query.named import named
from observatory.query.times import rfc3339
from observatory.query.traces import EVER

KINDS = {"session": ("session_id", "user_id"), "user": ("user_id", "session_id")}
"""The column that tells one from another, and the one that it has many of."""

KEYS = {
    "last": "last_ns",
    "first": "first_ns",
    "cost": "least(total_cost_usd, 9000000) * 1000000000000",
    "tokens": "total_tokens",
    "calls": "calls",
    "traces": "traces",
    "errors": "errors",
    "duration": "greatest(least(last_ns::HUGEINT - first_ns, 9223372036854775807), 0)",
}
SORTS = [sign + name for name in KEYS for sign in ("-", "")]
"""All values of `sort`."""

_ALONE = "(id, trace_id) NOT IN (SELECT (id, trace_id) FROM of_calls)"
MAX_TRACES = 1000  # of one session; what is beyond is said to be missing


@dataclass(frozen=True, slots=True)
class GroupQuestion:
    """Which sessions (or users, by `kind`): those with a call or a trace that starts in [from_ns, to_ns); figures are of that window.
    With a filter, those with a call that passes it, and of their calls those that do."""

    kind: str
    from_ns: Nanos = EVER[0]
    to_ns: Nanos = EVER[1]
    filter: str | None = None
    sort: str = "-last"
    limit: int = 50
    cursor: str | None = None
    id: str | None = None  # only this one
    other: str | None = None  # only the sessions of this user, or the users of this session


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Sessions or users as the API says them, and the cursor of the next page when there is one."""

    items: list[dict[str, Any]]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Traces:
    """What the traces of a window say of sessions: rows of `session_traces.sql`, and whether some of the window stand for others."""

    rows: pa.Table
    weighed: bool


def traces_of(con: duckdb.DuckDBPyConnection, from_ns: Nanos, to_ns: Nanos) -> Traces:
    """Asked on a connection that has `trace_fragments`."""
    rows = con.sql(named("session_traces"), params={"from_ns": from_ns, "to_ns": to_ns}).to_arrow_table()
    return Traces(rows, weigh(con, from_ns, to_ns))


def list_groups(con: duckdb.DuckDBPyConnection, traces: Traces, question: GroupQuestion) -> GroupPage:
    """One page, asked on a connection that has `llm_calls`; `traces` are `traces_of` the same window."""
    rows = _rows(con, traces, question)
    shown = rows[: question.limit]
    items = [_item(question.kind, row, traces.weighed) for row in shown]
    if len(rows) <= question.limit:
        return GroupPage(items, None)
    return GroupPage(items, encode_cursor(question.sort, (shown[-1]["key"], shown[-1]["id"])))


def one_group(con: duckdb.DuckDBPyConnection, traces: Traces, question: GroupQuestion) -> dict[str, Any]:
    """The session or user `question.id` with its traces in order. Raises NotFound."""
    rows = _rows(con, traces, question)
    if not rows:
        raise NotFound(f"no {question.kind} {str(question.id)[:200]!r} is stored here, or none in this window")
    values = {"id": question.id, "from_ns": question.from_ns, "to_ns": question.to_ns, "rows": MAX_TRACES + 1}
    text = named("session_parts").format(key=KINDS[question.kind][0])
    parts = con.sql(text, params=values).to_arrow_table().to_pylist()
    return {
        **_item(question.kind, rows[0], traces.weighed),
        "trace_items": [_part(row) for row in parts[:MAX_TRACES]],
        "more_traces": len(parts) > MAX_TRACES,
    }


def _rows(con: duckdb.DuckDBPyConnection, traces: Traces, question: GroupQuestion) -> list[dict[str, Any]]:
    key, others = KINDS[question.kind]
    descending = question.sort.startswith("-")
    values: dict[str, Any] = {"from_ns": question.from_ns, "to_ns": question.to_ns, "rows": question.limit + 1}
    passed = condition(question.filter, values)
    behind, one = "TRUE", "TRUE"
    order = KEYS[question.sort.removeprefix("-")]
    among = "TRUE" if question.filter is None else f"{key} IN (SELECT id FROM of_calls)"
    if question.id is not None:
        values["id"] = question.id
        one, passed = "id = $id", f"{passed} AND {key} = $id"
    if question.other is not None:
        values["other"] = question.other
        passed, among = f"{passed} AND {others} = $other", f"{among} AND {others} = $other"
    if question.cursor is not None:
        at, after = decode_cursor(question.cursor, question.sort, (int, str))
        values |= {"at": at, "after": after}
        behind = f"(({order})::BIGINT, id) {'<' if descending else '>'} ($at, $after)"
    con.register("traces_of", traces.rows)
    weigh_alike(con)
    parts = {
        "key": key,
        "others": others,
        "order": order,
        "one": one,
        "behind": behind,
        "alone": _ALONE if traces.weighed else "FALSE",
        "direction": "DESC" if descending else "ASC",
    }
    if question.id is None:
        page = con.sql(named("sessions").format(asked="id", filter=passed, among=among, **parts), params=values).to_arrow_table()
        con.register("on_page", page)
        passed, among = (f"{words} AND {key} IN (SELECT id FROM on_page)" for words in (passed, among))
    text = named("sessions").format(asked=f"*, ({order})::BIGINT AS key", filter=passed, among=among, **parts)
    return con.sql(text, params=values).to_arrow_table().to_pylist()


def _item(kind: str, row: Mapping[str, Any], weighed: bool) -> dict[str, Any]:
    _, others = KINDS[kind]
    duration = min(row["last_ns"] - row["first_ns"], 2**63 - 1)
    counts = {name: Estimate.of(row[name], row[f"{name}_variance"], row[f"{name}_unknown"]) for name in ("traces", "error_spans")}
    return {
        f"{kind}_id": row["id"],
        "users" if others == "user_id" else "sessions": [other for other in row["others"] if other is not None][:100],
        **_figures(row),
        **{name: int(count) for name, count in counts.items()},
        **said(weighed, **counts),
        "models": [model for model in row["models"] or [] if model is not None],
        "first": rfc3339(row["first_ns"]),
        "last": rfc3339(row["last_ns"]),
        "duration_ms": duration / 1e6,
    }


def _part(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "trace_id": row["trace_id"],
        "root_name": row["root_name"],
        "start": rfc3339(row["first_ns"]),
        "start_ns": str(row["first_ns"]),
        "duration_ms": min(row["last_ns"] - row["first_ns"], 2**63 - 1) / 1e6,
        "span_count": row["span_count"],
        **_figures(row),
        "models": [model for model in row["models"] if model is not None],
        "first_call_span_id": row["first_call"],
        "last_call_span_id": row["last_call"],
    }


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    unknown = row["unpriced_calls"] > 0 and not row["total_cost_usd"]
    return {
        "calls": row["calls"],
        "errors": row["errors"],
        "error_spans": row["error_spans"],
        **{name: number(row[name]) for name in ("input_tokens", "output_tokens", "total_tokens")},
        "total_cost_usd": None if unknown else usd_text(row["total_cost_usd"]),
        "unpriced_calls": row["unpriced_calls"],
    }
