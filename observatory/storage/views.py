"""The public SQL views: segments ∪ what is not yet in segments, in the server and in the SQL sandbox alike.

Nothing is read when a view is made. Segments are read by DuckDB, which evaluates a condition on `trace_id` or a time first and reads the
other columns of matching rows only. Open records are decoded while they are scanned, a record at a time, and of a query whose text is known
only the columns it names: 400 MB of open journal are never in memory at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from observatory.contracts import OpenRecord
from observatory.errors import Retryable
from observatory.model.arrays import one
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.model.traceids import NO_IDS, Ids
from observatory.storage.callviews import open_calls
from observatory.storage.columns import needed
from observatory.storage.feedback import STORED, open_feedback, stands_on
from observatory.storage.hidden import read_shown
from observatory.storage.public import parquet, public_columns, selected
from observatory.storage.traces import SPAN_COLUMNS, summarize

RECORDED = (Signal.SPANS, Signal.LOGS, Signal.METRIC_POINTS, Signal.FEEDBACK)
"""Signals whose open rows are read from journal records; those of the others are derived, and in memory."""

_HIDDEN = "hidden"

MOST_DERIVED = 256 << 20
"""Bytes of derived rows that a question may carry to another process: some 400,000 calls, which is more than a cut leaves behind."""

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
    sum(llm_calls)::BIGINT AS llm_calls,
    greatest(least(sum(input_tokens), 9223372036854775807), -9223372036854775808)::BIGINT AS input_tokens,
    greatest(least(sum(output_tokens), 9223372036854775807), -9223372036854775808)::BIGINT AS output_tokens,
    -- nothing is known of what calls without a price cost, and that is not 0
    CASE WHEN sum(unpriced_calls) = 0 OR sum(unpriced_calls) < sum(llm_calls) THEN sum(total_cost_usd) END AS total_cost_usd,
    sum(unpriced_calls)::BIGINT AS unpriced_calls,
    list_sort(list_distinct(flatten(list(models)))) AS models,
    arg_min(session_id, named_by) AS session_id,
    arg_min(user_id, named_by) AS user_id,
    max(adjusted_count) AS adjusted_count,
    max(decided_by::VARCHAR) AS decided_by,
    make_timestamptz(max(received_at) // 1000) AS received_at
FROM (SELECT *, {'rootless': NOT has_root, 'start': root_start_ns} AS named_by FROM trace_fragments) AS fragment
GROUP BY fragment.trace_id
"""


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """A moment as plain values, for another process: files of segments (absolute), open records, and what was derived of those up to seq
    `derived_upto`. Valid while the view is open.
    """

    segments: dict[str, list[str]]  # by signal
    records: list[OpenRecord]
    derived: dict[str, pa.Table] = field(default_factory=dict)  # by signal
    derived_upto: int = 0
    hidden: Ids = NO_IDS  # traces whose rows in records are not shown

    def to_json(self) -> dict[str, Any]:
        """All but `derived` and `hidden`, as plain values for `json.dumps`."""
        return {"segments": self.segments, "records": [asdict(record) for record in self.records], "derived_upto": self.derived_upto}

    @staticmethod
    def from_json(value: dict[str, Any], derived: dict[str, pa.Table] | None = None) -> ViewSpec:
        """The spec `to_json` described, with the rows of `payload` read back."""
        records = [OpenRecord(**{**record, "signal": Signal(record["signal"])}) for record in value["records"]]
        derived = derived or {}
        hidden = derived.pop(_HIDDEN, None)
        ids = NO_IDS if hidden is None else Ids(one(hidden, "key").to_numpy(), one(hidden, "low").to_numpy())
        return ViewSpec(value["segments"], records, derived, value["derived_upto"], ids)

    def payload(self) -> dict[str, pa.Buffer]:
        """`derived` and `hidden` as Arrow IPC streams. Raises Retryable when they are more than `MOST_DERIVED` bytes."""
        size = sum(table.nbytes for table in self.derived.values())
        if size > MOST_DERIVED:
            raise Retryable(f"{size >> 20} MiB of calls and traces are not yet in segments; try again when they are", after=5.0)
        hidden = {_HIDDEN: pa.table({"key": self.hidden.key, "low": self.hidden.low})} if len(self.hidden.key) else {}
        return {name: _ipc(table) for name, table in (self.derived | hidden).items()}

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
    for signal in RECORDED:
        name = STORED if signal is Signal.FEEDBACK else str(signal)
        if names is not None and name not in names:
            continue
        _view_of(con, name, signal, spec.segments.get(signal, []), [r for r in spec.records if r.signal is signal], names, spec.hidden)
    if names is None or "feedback" in names:
        open_feedback(con)
    fresh = [r for r in spec.records if r.signal is Signal.SPANS and r.seq > spec.derived_upto]

    def fragments() -> Iterator[pa.RecordBatch]:
        for record in fresh:
            yield summarize(pa.Table.from_batches([read_shown(record, SPAN_COLUMNS, spec.hidden)]))

    derived = [spec.derived[Signal.TRACES]] if Signal.TRACES in spec.derived else []
    streams = [Stream(schema(Signal.TRACES), fragments)] if fresh else []
    open_traces(con, spec.segments.get(Signal.TRACES, []), *derived, *streams)
    open_calls(con, spec.segments, spec.derived)


def open_traces(con: duckdb.DuckDBPyConnection, files: Sequence[str], *open_fragments: Stream | pa.Table) -> None:
    """Make `trace_fragments` (rows of `schema(TRACES)` and whether each is `open`) and `traces` (one row for each trace)."""
    columns = ", ".join(schema(Signal.TRACES).names)
    parts = [f"SELECT {columns}, false AS open FROM {parquet(list(files))}"] if files else []
    for number, fragments in enumerate(open_fragments if files or open_fragments else (schema(Signal.TRACES).empty_table(),)):
        con.register(f"open_traces_{number}", fragments)
        parts.append(f"SELECT {columns}, true AS open FROM open_traces_{number}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW trace_fragments AS {' UNION ALL '.join(parts)}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW traces AS {TRACES_VIEW}")


def _ipc(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def _view_of(
    con: duckdb.DuckDBPyConnection,
    view: str,
    signal: Signal,
    files: list[str],
    open_records: list[OpenRecord],
    names: set[str] | None,
    hidden: Ids,
) -> None:
    columns = public_columns(signal)
    stored = [c for c in schema(signal).names if names is None or any(name in names for name, _, source in columns if source == c)]
    stored = stored or [schema(signal).names[0]]
    parts = [f"SELECT {selected(signal)} FROM {parquet(files)}"] if files else []
    if not files and not open_records:
        con.register(f"no_{signal}", schema(signal).empty_table())
        parts.append(f"SELECT {selected(signal)} FROM no_{signal}")
    if open_records:

        def batches() -> Iterator[pa.RecordBatch]:
            for record in open_records:
                yield read_shown(record, stored, hidden)

        con.register(f"open_{signal}", Stream(pa.schema([schema(signal).field(c) for c in stored]), batches))
        here = ", ".join(f"{expression if source in stored else 'NULL'} AS {name}" for name, expression, source in columns)
        parts.append(f"SELECT {here} FROM open_{signal}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS {' UNION ALL '.join(parts)}")
