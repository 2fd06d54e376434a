"""What stands around a list of rows: how they lie in time, which values their fields have, and what can be asked of them.

Of more rows than `MOST` a sample is looked at: of traces by a hash of their ids, of spans and calls in slices of the window. What is
counted so, or of traces that sampling thinned, is an estimate and is said with its standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import duckdb

from observatory.errors import BadRequest
from observatory.model.clock import SECOND, Nanos
from observatory.query.estimate import Estimate, said, weigh, weigh_alike
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
    counts: list[Estimate]
    errors: list[Estimate]
    total: Estimate
    failed: Estimate
    weighed: bool  # some of the rows stand for others: the counts are estimates


def histogram(con: duckdb.DuckDBPyConnection, question: RowsQuestion, stored: Stored, slots: int) -> Histogram:
    """Asked on a connection with the rows and their sums by minute. Parts are whole minutes where the window has that many. `stored` is
    what the window has.
    """
    low, high = _window(con, question)
    slot_ns = _slot(high - low, slots)
    low = low - low % slot_ns if slot_ns >= _MINUTE else low
    values: dict[str, Any] = {"from_ns": low, "to_ns": high, "slot_ns": slot_ns}
    everything = isinstance(question.filter, Everything)
    sums = _SUMS.get(question.of)
    parts = {"rows": question.target, "failed": _FAILED[question.of], "filter": "TRUE"}
    if sums and everything and not any(end % _MINUTE for end in (slot_ns, low, high)):
        text = named("sums_histogram").format(rows=sums[0], counted=sums[1], failed=sums[2])
        return _histogram(values, con.sql(text, params=values).fetchall())
    share = _share(question, stored) if question.of == "traces" and not everything else 1.0
    weighed = _weighed(con, question, low, high, share)
    if question.of == "traces":
        columns = ("trace_id", "start_ns", "error_count") if weighed else ("start_ns", "error_count")
        parts["rows"] = window_traces(con, low, high, question.filter, columns, share)
    else:
        parts["filter"] = _condition(question, values)
    if not weighed:
        return _histogram(values, con.sql(named("rows_histogram").format(**parts), params=values).fetchall())
    found = con.sql(named("rows_histogram_weighed").format(**parts), params={**values, "times": 1 / share}).fetchall()
    return _histogram_weighed(values, found)


def _histogram(values: dict[str, Any], found: list[tuple[int, int, int]]) -> Histogram:
    """Of `rows_histogram.sql` or `sums_histogram.sql`."""
    counts, errors = _no_slots(values), _no_slots(values)
    for slot, count, failed in found:
        if 0 <= slot < len(counts):
            counts[slot], errors[slot] = Estimate(count), Estimate(failed)
    total, all_failed = (Estimate(sum(int(each) for each in some)) for some in (counts, errors))
    return Histogram(values["from_ns"], values["to_ns"], values["slot_ns"], counts, errors, total, all_failed, False)


def _histogram_weighed(values: dict[str, Any], found: list[tuple[int | None, float, float, float, float, bool]]) -> Histogram:
    """Of `rows_histogram_weighed.sql`."""
    counts, errors = _no_slots(values), _no_slots(values)
    whole = (Estimate(0), Estimate(0))
    for slot, count, variance, failed, failed_variance, unknown in found:
        here = Estimate.of(count, variance, unknown), Estimate.of(failed, failed_variance, unknown)
        if slot is None:
            whole = here
        elif 0 <= slot < len(counts):
            counts[slot], errors[slot] = here
    return Histogram(values["from_ns"], values["to_ns"], values["slot_ns"], counts, errors, *whole, True)


def _no_slots(values: dict[str, Any]) -> list[Estimate]:
    return [Estimate(0)] * max(1, -(-(values["to_ns"] - values["from_ns"]) // values["slot_ns"]))


def facets(
    con: duckdb.DuckDBPyConnection, question: RowsQuestion, fields: Sequence[str], stored: Stored, *, limit: int, prefix: str | None
) -> dict[str, Any]:
    """The most frequent values of `fields`; `stored` is what the window has. Raises BadRequest for a field without values."""
    known = [field_of(question.target, name) for name in fields]
    share, weighed = _look_at(con, question, known, stored)
    values: dict[str, Any] = {"rows": limit}
    only = "TRUE"
    if prefix:
        values["prefix"] = prefix.lower()
        only = "contains(lower(value), $prefix)"
    if weighed:
        values["times"] = 1 / share
    found: list[dict[str, Any]] = []
    for nth, field in enumerate(known):
        value = f"unnest(v{nth})" if field.kind is Kind.TEXTS else f"v{nth}"
        text = named("facet_weighed" if weighed else "facet").format(value=value, only=only)
        listed = con.sql(text, params=values).fetchall()
        counted = [_counted(weighed, *row) for row in listed]
        found.append({"field": field.name, "groups": listed[0][2] if listed else 0, "values": counted})
    return {"facets": found, "exact": not weighed, "share": share}


def field_of(target: str, name: str) -> Field:
    """A field that has values to choose from. Raises BadRequest."""
    field = names(target).get(name)
    if field is None or field.kind not in VALUES:
        known = ", ".join(field.name for field in TARGETS[target] if field.kind in VALUES)
        raise BadRequest(f"fields: expected some of {known}, got {name[:60]!r}")
    return field


def columns_asked(question: RowsQuestion, fields: Sequence[str]) -> str:
    """A query that names every column of `spans` that counting these fields reads, and the sums of minutes that may do instead."""
    asked = ", ".join(_value(field_of(question.target, name)) for name in fields) or "start_ns"
    condition = to_sql(question.filter, "spans", {})
    others = "start_ns IN (SELECT start_ns FROM span_rollups) AND trace_id IN (SELECT trace_id FROM trace_fragments)"
    return f"SELECT {asked}, start_ns, status_code FROM spans WHERE {condition} AND {others}"


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


def _weighed(con: duckdb.DuckDBPyConnection, question: RowsQuestion, low: Nanos, high: Nanos, share: float) -> bool:
    """Make `trace_weights`; whether rows stand for more than themselves. Every call is stored, whatever became of its trace."""
    if question.of != "calls" and weigh(con, low, high):
        return True
    if share < 1:
        weigh_alike(con)
    return share < 1


def _look_at(con: duckdb.DuckDBPyConnection, question: RowsQuestion, fields: Sequence[Field], stored: Stored) -> tuple[float, bool]:
    """Make `looked_at`, of columns v0, v1 … and `passes`; which share of the rows it is, and whether they must be weighed."""
    low, high = _window(con, question)
    share = _share(question, stored)
    weighed = _weighed(con, question, low, high, share)
    values: dict[str, Any] = {"from_ns": low, "to_ns": high}
    asked = ", ".join(f"{_value(field)} AS v{nth}" for nth, field in enumerate(fields))
    text, condition = named("looked_at_weighed" if weighed else "looked_at"), "TRUE"
    if question.of == "traces":
        columns = ("trace_id", "start_ns", *(name for field in fields for name in field.columns))
        rows = window_traces(con, low, high, question.filter, dict.fromkeys(columns if weighed else columns[1:]), share)
    else:
        rows = question.target if share == 1 else _slices(question.target, max(low, stored.start_ns), min(high, stored.end_ns + 1), share)
        condition = _condition(question, values)
    con.execute(text.format(values=asked, filter=condition, rows=rows), values)
    if share == 1 or question.of == "traces":
        return share, weighed
    looked_at = con.sql("SELECT count(*) FROM looked_at").fetchall()[0][0]
    return min(1.0, max(looked_at, 1) / stored.rows), weighed


def _slices(rows: str, first: Nanos, last: Nanos, share: float) -> str:
    """Some of what lies between two times."""
    length = (last - first) // SLICES
    width = max(1, int(length * share))
    slices = ((first + nth * length, first + nth * length + width) for nth in range(SLICES))
    return "(" + " UNION ALL ".join(f"SELECT * FROM {rows} WHERE start_ns >= {a} AND start_ns < {b}" for a, b in slices) + ")"


def _counted(weighed: bool, value: str, count: float, _groups: int, variance: float = 0.0, unknown: bool = False) -> dict[str, Any]:
    """Of `facet.sql` or `facet_weighed.sql`."""
    about = Estimate.of(count, variance, unknown)
    return {"value": value, "count": int(about), **said(weighed, count=about)}


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
