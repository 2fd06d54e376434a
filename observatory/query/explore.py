"""What stands around a list of rows: how they lie in time, which values their fields have, and what can be asked of them.

Of more rows than `MOST` a sample is looked at: of traces by a hash of their ids, of spans and calls in slices of the window. What is
counted so is an estimate, and is said with its standard error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import duckdb

from observatory.errors import BadRequest
from observatory.model.clock import SECOND, Nanos
from observatory.query.filtering.fields import TARGETS, Field, Kind, names
from observatory.query.filtering.sql import to_sql
from observatory.query.filtering.tree import EVERYTHING, Everything, Expr
from observatory.query.named import named
from observatory.query.traces import EVER, window_traces

KINDS = {"traces": "traces", "calls": "llm_calls", "spans": "spans"}
"""What is listed, and what the filter language calls it."""

MOST = {"traces": 200_000, "calls": 1_000_000, "spans": 1_000_000}
"""Rows that are all looked at, 0.2 to 0.4 s; of more a sample of half as many. Lists of names make traces dear."""

SLICES = 6
VALUES = (Kind.TEXT, Kind.TEXTS, Kind.WORD, Kind.TRUTH)
"""Kinds of fields that have values to choose from."""

_MINUTE = 60 * SECOND
_FAILED = {"traces": "error_count > 0", "calls": "is_error", "spans": "status_code = 2"}
_SUMS = {"calls": ("llm_rollups", "calls", "error_calls"), "spans": ("span_rollups", '"count"', "error_count")}


@dataclass(frozen=True, slots=True)
class RowsQuestion:
    """Which rows: a key of `KINDS`, by start in [from_ns, to_ns) and a filter."""

    of: str
    from_ns: Nanos = EVER[0]
    to_ns: Nanos = EVER[1]
    filter: Expr = EVERYTHING

    @property
    def target(self) -> str:
        """What the filter language calls them."""
        return KINDS[self.of]


@dataclass(frozen=True, slots=True)
class Stored:
    """About how many rows a window has, and between which times they lie."""

    rows: int
    start_ns: Nanos
    end_ns: Nanos


@dataclass(frozen=True, slots=True)
class Histogram:
    """Rows and failures in equal parts of [from_ns, to_ns)."""

    from_ns: Nanos
    to_ns: Nanos
    slot_ns: int
    counts: list[int]
    errors: list[int]
    share: float = 1.0  # of the traces that were looked at; the counts are estimates where it is less than 1


def histogram(con: duckdb.DuckDBPyConnection, question: RowsQuestion, stored: Stored, slots: int) -> Histogram:
    """Asked on a connection with the rows and their sums by minute. Parts are whole minutes where the window has that many. `stored` is
    what the window has.
    """
    low, high = _window(con, question)
    slot_ns = _slot(high - low, slots)
    low = low - low % slot_ns if slot_ns >= _MINUTE else low
    values: dict[str, Any] = {"from_ns": low, "to_ns": high, "slot_ns": slot_ns}
    everything = isinstance(question.filter, Everything)
    share, sums = 1.0, _SUMS.get(question.of)
    if sums and everything and not any(end % _MINUTE for end in (slot_ns, low, high)):
        text = named("sums_histogram").format(rows=sums[0], counted=sums[1], failed=sums[2])
    elif question.of == "traces":
        share = 1.0 if everything else _share(question, stored)
        rows = window_traces(con, low, high, question.filter, ("start_ns", "error_count"), share)
        text = named("rows_histogram").format(rows=rows, failed=_FAILED[question.of], filter="TRUE")
    else:
        text = named("rows_histogram").format(rows=question.target, failed=_FAILED[question.of], filter=_condition(question, values))
    count = max(1, -(-(high - low) // slot_ns))
    counts, errors = [0] * count, [0] * count
    for slot, found, failed in con.sql(text, params=values).fetchall():
        if 0 <= slot < count:
            counts[slot], errors[slot] = round(found / share), round(failed / share)
    return Histogram(low, high, slot_ns, counts, errors, share)


def facets(
    con: duckdb.DuckDBPyConnection, question: RowsQuestion, fields: Sequence[str], stored: Stored, *, limit: int, prefix: str | None
) -> dict[str, Any]:
    """The most frequent values of `fields`; `stored` is what the window has. Raises BadRequest for a field without values."""
    known = [field_of(question.target, name) for name in fields]
    share = _look_at(con, question, known, stored)
    values: dict[str, Any] = {"rows": limit}
    only = "TRUE"
    if prefix:
        values["prefix"] = prefix.lower()
        only = "contains(lower(value), $prefix)"
    found = []
    for nth, field in enumerate(known):
        text = named("facet").format(value=f"unnest(v{nth})" if field.kind is Kind.TEXTS else f"v{nth}", only=only)
        listed = con.sql(text, params=values).fetchall()
        counted = [_counted(value, count, share) for value, count, _ in listed]
        found.append({"field": field.name, "groups": listed[0][2] if listed else 0, "values": counted})
    return {"facets": found, "exact": share == 1, "share": share}


def field_of(target: str, name: str) -> Field:
    """A field that has values to choose from. Raises BadRequest."""
    field = names(target).get(name)
    if field is None or field.kind not in VALUES:
        known = ", ".join(field.name for field in TARGETS[target] if field.kind in VALUES)
        raise BadRequest(f"fields: expected some of {known}, got {name[:60]!r}")
    return field


def columns_asked(question: RowsQuestion, fields: Sequence[str]) -> str:
    """A query that names every column of `spans` that counting these fields reads, and the sums of minutes that may do instead."""
    said = ", ".join(_value(field_of(question.target, name)) for name in fields) or "start_ns"
    condition = to_sql(question.filter, "spans", {})
    return f"SELECT {said}, start_ns, status_code FROM spans WHERE {condition} AND start_ns IN (SELECT start_ns FROM span_rollups)"


def _value(field: Field) -> str:
    first = field.sql or field.columns[0]
    match field.kind:
        case Kind.TEXTS:
            return first
        case Kind.TRUTH:
            return f"CASE WHEN {first} THEN 'true' ELSE 'false' END"
        case _ if len(field.columns) > 1:
            return f"coalesce({', '.join(field.columns)})::VARCHAR"
        case _:
            return f"coalesce({first}, '{field.unsaid}')" if field.unsaid else f"nullif({first}, '')"


def _condition(question: RowsQuestion, values: dict[str, Any]) -> str:
    condition = to_sql(question.filter, question.target, values)
    return f"counted AND {condition}" if question.of == "calls" else condition


def _share(question: RowsQuestion, stored: Stored) -> float:
    most = MOST[question.of]
    return 1.0 if stored.rows <= most else most / (2 * stored.rows)


def _look_at(con: duckdb.DuckDBPyConnection, question: RowsQuestion, fields: Sequence[Field], stored: Stored) -> float:
    """Make `looked_at`, of columns v0, v1 … and `passes`; which share of the rows it is."""
    low, high = _window(con, question)
    share = _share(question, stored)
    values: dict[str, Any] = {"from_ns": low, "to_ns": high}
    said = ", ".join(f"{_value(field)} AS v{nth}" for nth, field in enumerate(fields))
    if question.of == "traces":
        columns = dict.fromkeys(("start_ns", *(name for field in fields for name in field.columns)))
        rows = window_traces(con, low, high, question.filter, columns, share)
        con.execute(named("looked_at").format(values=said, filter="TRUE", rows=rows), values)
        return share
    rows = question.target
    if share < 1:
        first, last = max(low, stored.start_ns), min(high, stored.end_ns + 1)
        length = (last - first) // SLICES
        width = max(1, int(length * share))
        slices = ((first + nth * length, first + nth * length + width) for nth in range(SLICES))
        rows = "(" + " UNION ALL ".join(f"SELECT * FROM {rows} WHERE start_ns >= {a} AND start_ns < {b}" for a, b in slices) + ")"
    con.execute(named("looked_at").format(values=said, filter=_condition(question, values), rows=rows), values)
    if share == 1:
        return 1.0
    looked_at = con.sql("SELECT count(*) FROM looked_at").fetchall()[0][0]
    return min(1.0, looked_at / stored.rows) if looked_at else 1.0  # none: everything lies between the slices, and nothing is counted


def _counted(value: str, count: int, share: float) -> dict[str, Any]:
    if share == 1:
        return {"value": value, "count": count, "error": None}
    # of rows that are looked at with this chance each: the count over the chance, and its standard error
    return {"value": value, "count": round(count / share), "error": round(math.sqrt(count * (1 - share)) / share)}


def _window(con: duckdb.DuckDBPyConnection, question: RowsQuestion) -> tuple[Nanos, Nanos]:
    low, high = question.from_ns, question.to_ns
    if low != EVER[0] and high != EVER[1]:
        return low, high
    rows = "trace_fragments" if question.of == "traces" else question.target
    first, last = con.sql(named("rows_extent").format(rows=rows), params={"from_ns": low, "to_ns": high}).fetchall()[0]
    if first is None:
        return (0 if low == EVER[0] else low), (1 if high == EVER[1] else high)
    return max(low, first), min(high, last + 1)


def _slot(length: int, slots: int) -> int:
    """The length of a part: whole minutes where there are at least as many minutes as parts, so that sums of minutes do."""
    least = max(1, -(-length // slots))
    return least if least < _MINUTE else -(-least // _MINUTE) * _MINUTE


def described(target: str) -> list[dict[str, Any]]:
    """What can be asked of a target, for whoever helps to write a filter."""
    return [
        {
            "name": field.name,
            "also": list(field.aliases),
            "kind": str(cast(Kind, field.kind)),
            "about": field.about,
            "words": list(field.words),
            "values": field.kind in VALUES,
        }
        for field in TARGETS[target]
    ]
