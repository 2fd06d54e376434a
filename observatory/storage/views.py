"""The public SQL views `spans`, `logs`, `metric_points`, `traces`, `feedback`: segments ∪ open journal, in server and SQL sandbox alike.

Nothing is read when a view is made. Segments are read by DuckDB, which evaluates a condition on `trace_id` or a time first and reads the
other columns of matching rows only. Open records are decoded while they are scanned, a record at a time, and of a query whose text is known
only the columns it names: 400 MB of open journal are never in memory at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import pyarrow as pa

from observatory.contracts import OpenRecord
from observatory.model.schema import schema
from observatory.model.signal import RECEIVED, Signal
from observatory.storage import records
from observatory.storage.columns import needed
from observatory.storage.feedback import STORED, open_feedback, stands_on
from observatory.storage.traces import SPAN_COLUMNS, summarize

_HEX = "lower(hex({0}))"
_TIME = "make_timestamptz({0} // 1000)"  # microseconds; comparable with now(); the exact nanoseconds stand beside it
_MAP = "{0}::MAP(VARCHAR, VARCHAR)"
_JSON = "try_cast({0} AS JSON)"  # an absent resource is empty text
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_KIND = "CASE kind " + " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(_KINDS)) + " ELSE kind::VARCHAR END"
_STATUS = "CASE status_code WHEN 1 THEN 'ok' WHEN 2 THEN 'error' ELSE 'unset' END"
_TEMPORALITY = "CASE temporality WHEN 1 THEN 'delta' WHEN 2 THEN 'cumulative' ELSE 'unspecified' END"
_EVENTS = "list_transform(events, LAMBDA e : struct_update(e, time := make_timestamptz(e.time_ns // 1000)))"
_WITH_HEX = "list_transform({0}, LAMBDA l : struct_update(l, trace_id := lower(hex(l.trace_id)), span_id := lower(hex(l.span_id))))"

_SAID: dict[Signal, dict[str, tuple[tuple[str, str], ...]]] = {
    Signal.SPANS: {
        "kind": (("kind", _KIND),),
        "start_ns": (("start_time", _TIME.format("start_ns")), ("start_ns", "start_ns")),
        "duration_ns": (("duration_ms", "duration_ns / 1e6"), ("duration_ns", "duration_ns")),
        "status_code": (("status", _STATUS),),
        "events": (("events", _EVENTS),),
        "links": (("links", _WITH_HEX.format("links")),),
    },
    Signal.LOGS: {
        "time_ns": (("time", _TIME.format("time_ns")), ("time_ns", "time_ns")),
        "observed_time_ns": (("observed_time", _TIME.format("observed_time_ns")), ("observed_time_ns", "observed_time_ns")),
    },
    Signal.METRIC_POINTS: {
        "start_ns": (("start_time", _TIME.format("start_ns")), ("start_ns", "start_ns")),
        "time_ns": (("time", _TIME.format("time_ns")), ("time_ns", "time_ns")),
        "temporality": (("temporality", _TEMPORALITY),),
        "metadata": (("metadata", _JSON.format("metadata")),),
        "exemplars": (("exemplars", _WITH_HEX.format("exemplars")),),
    },
    Signal.FEEDBACK: {
        "time_ns": (("time", _TIME.format("time_ns")), ("time_ns", "time_ns")),
    },
}
_SAID_OF_ALL = {
    "trace_id": (("trace_id", _HEX.format("trace_id")),),
    "span_id": (("span_id", _HEX.format("span_id")),),
    "parent_span_id": (("parent_span_id", _HEX.format("parent_span_id")),),
    "attributes": (("attributes", _MAP.format("attributes")),),
    "resource": (("resource", _JSON.format("resource")),),
    "scope_attributes": (("scope_attributes", _JSON.format("scope_attributes")),),
    "received_at": (("received_at", _TIME.format("received_at")),),
}

TRACES_VIEW = """
SELECT
    lower(hex(trace_id)) AS trace_id,
    arg_min(root_name, named_by)::VARCHAR AS root_name,
    arg_min(service_name, named_by)::VARCHAR AS service_name,
    list_sort(list_distinct(flatten(list(services)))) AS services,
    any_value(project)::VARCHAR AS project,
    make_timestamptz(min(start_ns) // 1000) AS start_time,
    min(start_ns) AS start_ns,
    (max(end_ns)::HUGEINT - min(start_ns)) / 1e6 AS duration_ms,
    greatest(least(max(end_ns)::HUGEINT - min(start_ns), 9223372036854775807), -9223372036854775808)::BIGINT AS duration_ns,
    sum(span_count)::BIGINT AS span_count,
    sum(error_count)::BIGINT AS error_count,
    CASE WHEN sum(error_count) > 0 THEN 'error' ELSE 'ok' END AS status,
    CASE WHEN bool_or(open) THEN 'open' ELSE 'kept' END AS state,
    make_timestamptz(max(received_at) // 1000) AS received_at
FROM (SELECT *, {'rootless': NOT has_root, 'start': root_start_ns} AS named_by FROM trace_fragments) AS fragment
GROUP BY fragment.trace_id
"""


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """A moment as plain values, for another process: files of segments (absolute) and open records. Valid while the view is open."""

    segments: dict[str, list[str]]  # by signal
    records: list[OpenRecord]

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`."""
        return {"segments": self.segments, "records": [asdict(record) for record in self.records]}

    @staticmethod
    def from_json(value: dict[str, Any]) -> ViewSpec:
        """The spec `to_json` described."""
        return ViewSpec(value["segments"], [OpenRecord(**{**r, "signal": Signal(r["signal"])}) for r in value["records"]])

    def paths(self) -> list[str]:
        """Every Parquet file that DuckDB must be allowed to open."""
        return [path for paths in self.segments.values() for path in paths]


class Stream:
    """Arrow data that DuckDB may scan again and again, made anew and lazily at each scan (the Arrow PyCapsule interface)."""

    def __init__(self, columns: pa.Schema, batches: Callable[[], Iterator[pa.RecordBatch]]) -> None:
        self._columns, self._batches = columns, batches

    def __arrow_c_schema__(self) -> object:
        return self._columns.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return pa.RecordBatchReader.from_batches(self._columns, self._batches()).__arrow_c_stream__(requested_schema)


def open_views(con: duckdb.DuckDBPyConnection, spec: ViewSpec, query: str | None = None) -> None:
    """Make the views over the files and records of `spec`. With the text of the one query that will be asked, columns of open records that
    it does not name are not read: they are NULL in this connection's views.
    """
    con.execute("SET TimeZone = 'UTC'")
    names = stands_on(None if query is None else needed(con, query))
    for signal in RECEIVED:
        name = STORED if signal is Signal.FEEDBACK else str(signal)
        if names is not None and name not in names:
            continue
        _view_of(con, name, signal, spec.segments.get(signal, []), [r for r in spec.records if r.signal is signal], names)
    if names is None or "feedback" in names:
        open_feedback(con)
    spans = [r for r in spec.records if r.signal is Signal.SPANS]

    def fragments() -> Iterator[pa.RecordBatch]:
        for record in spans:
            yield summarize(pa.Table.from_batches([records.read(record, SPAN_COLUMNS)]))

    open_traces(con, spec.segments.get(Signal.TRACES, []), Stream(schema(Signal.TRACES), fragments) if spans else None)


def open_traces(con: duckdb.DuckDBPyConnection, files: Sequence[str], open_fragments: Stream | pa.Table | None) -> None:
    """Make `trace_fragments` (rows of `schema(TRACES)` and whether each is `open`) and `traces` (one row for each trace)."""
    columns = ", ".join(schema(Signal.TRACES).names)
    parts = [f"SELECT {columns}, false AS open FROM {parquet(files)}"] if files else []
    if open_fragments is not None:
        con.register("open_traces", open_fragments)
        parts.append(f"SELECT {columns}, true AS open FROM open_traces")
    if not parts:
        con.register("open_traces", schema(Signal.TRACES).empty_table())
        parts.append(f"SELECT {columns}, true AS open FROM open_traces")
    con.execute(f"CREATE OR REPLACE TEMP VIEW trace_fragments AS {' UNION ALL '.join(parts)}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW traces AS {TRACES_VIEW}")


def parquet(files: Sequence[str]) -> str:
    """A table function over these files."""
    return "read_parquet([" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "])"


def public_columns(signal: Signal) -> list[tuple[str, str, str]]:
    """The columns of a view: (name, SQL expression, stored column it is made of)."""
    found: list[tuple[str, str, str]] = []
    for field in schema(signal):
        text = pa.types.is_dictionary(field.type)
        said = _SAID[signal].get(field.name) or _SAID_OF_ALL.get(field.name)
        said = said or ((field.name, f"{field.name}::VARCHAR" if text else field.name),)
        found.extend((name, expression, field.name) for name, expression in said)
    return found


def _view_of(
    con: duckdb.DuckDBPyConnection, view: str, signal: Signal, files: list[str], open_records: list[OpenRecord], names: set[str] | None
) -> None:
    columns = public_columns(signal)
    stored = [c for c in schema(signal).names if names is None or any(name in names for name, _, source in columns if source == c)]
    stored = stored or [schema(signal).names[0]]
    selected = ", ".join(f"{expression} AS {name}" for name, expression, _ in columns)
    parts = [f"SELECT {selected} FROM {parquet(files)}"] if files else []
    if not files and not open_records:
        con.register(f"no_{signal}", schema(signal).empty_table())
        parts.append(f"SELECT {selected} FROM no_{signal}")
    if open_records:

        def batches() -> Iterator[pa.RecordBatch]:
            for record in open_records:
                yield records.read(record, stored)

        con.register(f"open_{signal}", Stream(pa.schema([schema(signal).field(c) for c in stored]), batches))
        here = ", ".join(f"{expression if source in stored else 'NULL'} AS {name}" for name, expression, source in columns)
        parts.append(f"SELECT {here} FROM open_{signal}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS {' UNION ALL '.join(parts)}")
