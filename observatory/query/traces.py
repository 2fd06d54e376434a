"""The list of traces: one row per trace, put together from what every segment and the open journal know of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa

from observatory.errors import BadRequest
from observatory.model.clock import Nanos
from observatory.query.cursors import decode_cursor, encode_cursor
from observatory.query.filtering.sql import of_spans, to_sql
from observatory.query.filtering.tree import EVERYTHING, Everything, Expr
from observatory.query.llm_figures import usd_text
from observatory.query.named import named
from observatory.query.times import rfc3339

SORTS = {
    "start": "start_ns",
    "duration": "duration_ns",
    "span_count": "span_count",
    "error_count": "error_count",
    "cost": "cost_rank",
    "tokens": "token_rank",
}
"""What a list is ordered by, and the column of `trace_columns.sql` it is."""
EVER = (-(2**63), 2**63 - 1)
"""The window when none is asked for. A span dated wrongly by its sender is found all the same."""

_WALK_ROUNDS = (4, 64)  # fragments looked at per row wanted; what is rarer than that is found faster by grouping
_RANGES = 8  # of time, read for the facts of a page
_POINTS = 1000  # in time, likewise: traces that are not neighbours
_NOWHERE = (EVER[1], EVER[0])
_AS_FACTS = {
    "trace_id": "lower(hex(trace_id))",
    "status": "CASE WHEN error_count > 0 THEN 'error' ELSE 'ok' END",
    "state": "CASE WHEN open THEN 'open' ELSE 'kept' END",
    "received_at": "received_at // 1000 * 1000",
}
"""How `trace_columns.sql` has what the view `traces` says otherwise."""
_TEMPLATE = re.compile(r"\$(\w+)")


class FragmentStarts(Protocol):
    """When the rows of `trace_fragments` start, known without asking for them: what `View.fragment_starts` gives."""

    def of(self, trace_ids: pa.Array) -> np.ndarray:
        """The starts of all fragments of these traces (16-byte ids), perhaps of others too."""
        ...

    def nth(self, start_ns: Nanos, end_ns: Nanos, count: int, *, newest: bool) -> Nanos | None:
        """The `count`th start from one end of a window; None when there are not so many."""
        ...


class FragmentSums(Protocol):
    """What the rows of `trace_fragments` add up to, known without grouping them: what `View.fragment_sums` gives."""

    def first(
        self, column: str, window: tuple[Nanos, Nanos], count: int, *, largest: bool, behind: tuple[int, bytes] | None
    ) -> pa.Array | None:
        """The ids of the `count` traces that start in a window and are first by a column of `trace_columns.sql` and then by id, behind a
        value and an id; None when that is not known.
        """
        ...


@dataclass(frozen=True, slots=True)
class TraceQuestion:
    """Which traces, in which order. A trace is selected by its start in [from_ns, to_ns); `service` and `status` "error" are any span's."""

    from_ns: Nanos = EVER[0]
    to_ns: Nanos = EVER[1]
    service: str | None = None
    status: str | None = None  # "ok" or "error"
    min_duration_ns: int | None = None
    sort: str = "-start"
    limit: int = 50
    cursor: str | None = None
    filter: Expr = EVERYTHING
    now: Nanos | None = None  # what `-1h` in the filter counts from; None: when it is asked

    def __post_init__(self) -> None:
        if self.sort.removeprefix("-") not in SORTS:
            raise BadRequest(f"sort: expected one of {', '.join(sort_names())}, got {self.sort[:60]!r}")

    @property
    def column(self) -> str:
        """The column of the order."""
        return SORTS[self.sort.removeprefix("-")]

    @property
    def descending(self) -> bool:
        """Largest first."""
        return self.sort.startswith("-")


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as the API says them, and the cursor of the next page when there is one."""

    items: list[dict[str, Any]]
    next_cursor: str | None


def sort_names() -> list[str]:
    """All values of `sort`."""
    return [sign + name for name in SORTS for sign in ("-", "")]


def list_traces(
    con: duckdb.DuckDBPyConnection, question: TraceQuestion, starts: FragmentStarts | None = None, sums: FragmentSums | None = None
) -> Page:
    """One page. `con` has the relation `trace_fragments`: `schema(TRACES)` rows of segments and journal, and whether each is `open`; and
    the view `spans` where `spans_asked` says so. Raises FilterError for a filter that is none of traces.
    """
    asked = _Asked(con, question, starts)
    facts = asked.walk() if question.column == "start_ns" else None
    if facts is None:
        facts = asked.all(sums)
    rows = facts.to_pylist()
    items = [_item(row) for row in rows[: question.limit]]
    if len(rows) <= question.limit:
        return Page(items, None)
    last = rows[question.limit - 1]
    return Page(items, encode_cursor(question.sort, (last[question.column], last["trace_id"].hex())))


def spans_asked(question: TraceQuestion) -> str | None:
    """A query that names every column of `spans` and `trace_fragments` that the question's filter reads, or None when it reads no spans.
    Raises FilterError for a filter that is none of traces.
    """
    conditions = of_spans(question.filter)
    if not conditions:
        return None
    return f"SELECT trace_id, start_ns FROM spans WHERE ({' OR '.join(conditions)}) AND trace_id IN (SELECT trace_id FROM trace_fragments)"


def window_traces(
    con: duckdb.DuckDBPyConnection, from_ns: Nanos, to_ns: Nanos, filter: Expr, columns: Collection[str], share: float = 1.0
) -> str:
    """The name of a table, made for this connection, with `columns` of the traces of a window that pass the filter, or of a `share` of
    them. Needs what `list_traces` needs. Raises FilterError for a filter that is none of traces.
    """
    asked = _Asked(con, TraceQuestion(from_ns, to_ns, filter=filter))
    kept = (f"{_AS_FACTS[name]} AS {name}" if name in _AS_FACTS else name for name in columns)
    asked.keep("window_traces", ", ".join(kept), "TRUE" if share == 1 else f"hash(trace_id) % 10000 < {round(10_000 * share)}")
    return "window_traces"


def list_services(con: duckdb.DuckDBPyConnection, from_ns: Nanos = EVER[0], to_ns: Nanos = EVER[1]) -> list[dict[str, Any]]:
    """The services of traces that were active in [from_ns, to_ns), at most 1,000, most frequent first: `name` and `count`.

    Counted are fragments of traces: a trace counts once in each segment it reaches, so the figure orders and does not account.
    """
    return con.sql(named("services"), params={"from_ns": from_ns, "to_ns": to_ns}).to_arrow_table().to_pylist()


class _Asked:
    """One question on its way: what the SQL files are filled with."""

    def __init__(self, con: duckdb.DuckDBPyConnection, question: TraceQuestion, starts: FragmentStarts | None = None) -> None:
        self._con, self._question, self._tables, self._starts = con, question, 0, starts
        self._values: dict[str, Any] = {"from_ns": question.from_ns, "to_ns": question.to_ns, "rows": question.limit + 1}
        filters, only = ["TRUE"], ["TRUE"]
        some = "trace_id IN (SELECT trace_id FROM trace_fragments WHERE {})"
        if question.service is not None:
            self._values["service"] = question.service
            only.append(some.format("list_contains(services, $service)"))
        if question.status is not None:
            filters.append("error_count > 0" if question.status == "error" else "error_count = 0")
            if question.status == "error":
                only.append(some.format("error_count > 0"))
        if question.min_duration_ns is not None:
            self._values["min_duration_ns"] = question.min_duration_ns
            filters.append("duration_ns >= $min_duration_ns")
        if not isinstance(question.filter, Everything):
            known = {"columns": _AS_FACTS, "of_spans": self._matching}
            filters.append(f"({to_sql(question.filter, 'traces', self._values, now=question.now, **known)})")
        self._filter, self._only = " AND ".join(filters), " AND ".join(only)
        self._behind = "TRUE"
        if question.cursor is not None:
            value, trace_id = decode_cursor(question.cursor, question.sort, (int, str))
            self._values |= {"value": value, "trace_id": _id(str(trace_id))}
            sign = "<" if question.descending else ">"
            self._behind = f"({question.column} {sign} $value OR ({question.column} = $value AND trace_id {sign} $trace_id))"

    def _matching(self, condition: str, params: dict[str, Any]) -> str:
        """Finds the traces of spans once, for all looks at them; SQL that says whether a trace is one of them."""
        name = f"matching_{self._tables}"
        self._tables += 1
        self._con.execute(named("trace_matching").format(name=name, condition=condition), {"from_ns": self._question.from_ns, **params})
        return f"trace_id IN (SELECT trace_id FROM {name})"

    def walk(self) -> pa.Table | None:
        """The page from one end of the window, or None when that would look at more than it is worth."""
        question, values = self._question, self._values
        low, high = question.from_ns, question.to_ns
        if "value" in values:
            low, high = (low, min(high, values["value"] + 1)) if question.descending else (max(low, values["value"]), high)
        name = "trace_walk" if question.descending else "trace_walk_ascending"
        for share in _WALK_ROUNDS:
            fragments = share * values["rows"]
            near = self._near(low, high, fragments)
            found = self._con.sql(named(name), params={"from_ns": near[0], "to_ns": near[1], "fragments": fragments}).to_arrow_table()
            complete = found.num_rows < fragments
            if not found.num_rows:
                return self._facts(found, _NOWHERE, None, with_service=True)
            first, last = found.column("start_ns")[0].as_py(), found.column("start_ns")[-1].as_py()
            seen = (min(first, last), max(first, last))
            facts = self._facts(found.select(["trace_id"]), seen, None if complete else last, with_service=True)
            if complete or facts.num_rows == values["rows"]:
                return facts
        return None

    def all(self, sums: FragmentSums | None) -> pa.Table:
        """The page by looking at everything in the window: at sums that are known, or by grouping it."""
        found = None
        if sums is not None and (self._filter, self._only) == ("TRUE", "TRUE"):
            question, values = self._question, self._values
            window = (question.from_ns, question.to_ns)
            behind = (values["value"], values["trace_id"]) if "value" in values else None
            first = sums.first(question.column, window, values["rows"], largest=question.descending, behind=behind)
            found = None if first is None else pa.table({"trace_id": first})
        if found is None:
            found = self._run("trace_order", filter=self._filter, only=self._only, behind=self._behind)
        return self._facts(found, _NOWHERE, None, with_service=False)

    def keep(self, table: str, kept: str, some: str) -> None:
        """Make a table of the traces of the window that pass, or of some of them."""
        parts = {"table": table, "kept": kept, "some": some, "columns": named("trace_columns"), "only": self._only, "filter": self._filter}
        text = named("trace_window").format(**parts)
        self._con.execute(text, {key: self._values[key] for key in set(_TEMPLATE.findall(text))})

    def _facts(self, candidates: pa.Table, seen: tuple[int, int], edge: int | None, *, with_service: bool) -> pa.Table:
        """What is said of these traces, in order; with an edge, of those that start strictly within it: others may be incomplete."""
        filters = [self._filter]
        if with_service and "service" in self._values:
            filters.append("list_contains(services, $service)")
        if edge is not None:
            filters.append(f"start_ns {'>' if self._question.descending else '<'} {edge:d}")
        self._con.register("candidates", candidates)
        try:
            fragments = _fragments(self._elsewhere(candidates.column("trace_id"), seen), seen)
            return self._run("trace_facts", filter=" AND ".join(filters), behind=self._behind, fragments=fragments)
        finally:
            self._con.unregister("candidates")

    def _near(self, low: Nanos, high: Nanos, fragments: int) -> tuple[Nanos, Nanos]:
        """The part of a window that has so many fragments at the end where the walk begins: the rest of it need not be read."""
        newest = self._question.descending
        edge = self._starts.nth(low, high, fragments, newest=newest) if self._starts is not None else None
        if edge is None:
            return low, high
        return (edge, high) if newest else (low, edge + 1)

    def _elsewhere(self, trace_ids: pa.ChunkedArray, seen: tuple[int, int]) -> np.ndarray:
        """When fragments of these traces start, outside of what was seen."""
        if self._starts is None or not len(trace_ids):
            values = {"low": seen[0], "high": seen[1]}
            return np.asarray(self._con.sql(named("trace_others"), params=values).to_arrow_table().column("start_ns"))
        found = self._starts.of(_ids(trace_ids))
        return found[(found < seen[0]) | (found > seen[1])]

    def _run(self, name: str, **parts: str) -> pa.Table:
        direction = "DESC" if self._question.descending else "ASC"
        text = named(name).format(order=self._question.column, direction=direction, columns=named("trace_columns"), **parts)
        used = {key: self._values[key] for key in set(_TEMPLATE.findall(text))}
        return self._con.sql(text, params=used).to_arrow_table()


def _ids(values: pa.ChunkedArray) -> pa.Array:
    """DuckDB's blobs as 16-byte ids in one array."""
    return pa.concat_arrays([chunk.cast(pa.binary(16)) for chunk in values.chunks])


def _fragments(starts: np.ndarray, seen: tuple[int, int]) -> str:
    """SQL of the fragments that start then, and of those in the range already seen."""
    points = np.unique(starts)
    if seen == _NOWHERE and 0 < len(points) <= _POINTS:
        return named("trace_points").format(points=", ".join(map(str, points.tolist())))
    return " UNION ALL ".join(named("trace_ranges").format(low=low, high=high) for low, high in _ranges(points, seen))


def _ranges(starts: np.ndarray, seen: tuple[int, int]) -> list[tuple[int, int]]:
    """At most `_RANGES` disjoint ranges, parted at the widest gaps, that hold all starts and the range already seen."""
    points = np.unique(np.concatenate((starts, np.array(() if seen == _NOWHERE else seen, np.int64))))
    if not len(points):
        return [_NOWHERE]
    widths = np.diff(points.astype(np.float64))
    parts = np.sort(np.argsort(widths)[::-1][: _RANGES - 1])
    found = [(int(part[0]), int(part[-1])) for part in np.split(points, parts + 1)]
    if seen == _NOWHERE:
        return found
    low = min(a for a, b in found if b >= seen[0])
    high = max(b for a, b in found if a <= seen[1])
    return [(a, b) for a, b in found if b < low or a > high] + [(low, high)]


def _id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadRequest("cursor: not a cursor of this server; pass `next_cursor` of the previous page unchanged") from None


def _item(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "trace_id": row["trace_id"].hex(),
        "root_name": row["root_name"],
        "service_name": row["service_name"],
        "services": row["services"],
        "start": rfc3339(row["start_ns"]),
        "start_ns": str(row["start_ns"]),
        "duration_ms": row["duration_ns"] / 1e6,
        "duration_ns": str(row["duration_ns"]),
        "span_count": row["span_count"],
        "error_count": row["error_count"],
        "state": "open" if row["open"] else "kept",
        "llm_calls": row["llm_calls"],
        "input_tokens": row["input_tokens"],
        "output_tokens": row["output_tokens"],
        "total_cost_usd": usd_text(row["total_cost_usd"]),
        "unpriced_calls": row["unpriced_calls"],
        "models": row["models"],
        "session_id": row["session_id"],
        "user_id": row["user_id"],
        "adjusted_count": row["adjusted_count"],
        "decided_by": row["decided_by"],
    }
