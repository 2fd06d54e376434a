"""The public views of calls (`llm_calls`, `llm_metrics`) and of sums by minute (`llm_rollups`, `span_rollups`), and quantiles of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.storage.public import parquet, selected

CALL_SIGNALS = (Signal.LLM_CALLS, Signal.SPAN_ROLLUPS, Signal.LLM_ROLLUPS)

LLM_CALLS_VIEW = f"""
SELECT {selected(Signal.LLM_CALLS)}
FROM llm_call_rows AS call
-- few calls are ever revised: they are the hash table, and millions of rows of revision 0 pass by it
ANTI JOIN (
    SELECT start_ns AS newer_start_ns, trace_id AS newer_trace_id, span_id AS newer_span_id, max(revision) AS newer_revision
    FROM llm_call_rows
    WHERE revision > 0
    GROUP BY ALL
) AS newer
ON start_ns = newer_start_ns AND trace_id = newer_trace_id AND span_id = newer_span_id AND revision < newer_revision
"""

LLM_METRICS_VIEW = "SELECT * EXCLUDE (counted, not_counted_reason) FROM llm_calls WHERE counted"

QUANTILE_MACRO = """
CREATE OR REPLACE TEMP MACRO histogram_quantile(buckets, counts, q) AS 2 ** (((list_reduce(
    list_prepend(
        {'bucket': NULL::INTEGER, 'left': greatest(ceil(q * list_sum(flatten(counts))), 1)::BIGINT},
        list_sort(list_transform(list_zip(flatten(buckets), flatten(counts)), LAMBDA e : {'bucket': e[1], 'left': e[2]}))
    ),
    LAMBDA a, e : CASE WHEN a.left <= 0 THEN a ELSE
        {'bucket': CASE WHEN a.left <= e.left THEN e.bucket END, 'left': a.left - e.left} END
)).bucket + 0.5) / 64)
"""
"""`histogram_quantile(list(duration_ns_buckets), list(duration_ns_counts), 0.95)`: `model/histogram.py` has the same in columns.

What is taken back sorts before what is added within its bucket, so the rank is reached in a bucket exactly when its sum reaches it. 15 ms
for 1,440 rows; a subquery that adds buckets up first took minutes, because DuckDB joins it by the lists' values.
"""


def open_calls(con: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[str]], open_rows: Mapping[str, pa.Table]) -> None:
    """Make the views over segments and open rows, both by signal. Segments of one window give the calls that started in it, each with
    its latest revision: revisions of a call all have its start.
    """
    for signal in CALL_SIGNALS:
        rows = _rows(con, signal, files.get(signal, ()), open_rows.get(signal))
        if signal is Signal.LLM_CALLS:
            _latest(con, rows)
            con.execute(f"CREATE OR REPLACE TEMP VIEW llm_metrics AS {LLM_METRICS_VIEW}")
        else:
            con.execute(f"CREATE OR REPLACE TEMP VIEW {signal} AS SELECT {selected(signal)} FROM ({rows})")
    con.execute(QUANTILE_MACRO)


def open_calls_of_trace(con: duckdb.DuckDBPyConnection, files: Sequence[str], open_rows: pa.Table, trace_id: bytes) -> None:
    """Make `llm_calls` of one trace. Its id is looked for as it is stored, before revisions are: 37 ms of a store of 3 M, not 54."""
    _latest(con, _rows(con, Signal.LLM_CALLS, files, open_rows, f"WHERE trace_id = from_hex('{trace_id.hex()}')"))


def _latest(con: duckdb.DuckDBPyConnection, rows: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP VIEW llm_call_rows AS {rows}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW llm_calls AS {LLM_CALLS_VIEW}")


def _rows(con: duckdb.DuckDBPyConnection, signal: Signal, files: Sequence[str], open_rows: pa.Table | None, where: str = "") -> str:
    stored, columns = [], ", ".join(schema(signal).names)
    if files:
        stored.append(f"SELECT {columns} FROM {parquet(list(files))} {where}")
    if open_rows is not None or not stored:
        con.register(f"open_{signal}", schema(signal).empty_table() if open_rows is None else open_rows)
        stored.append(f"SELECT {columns} FROM open_{signal} {where}")
    return " UNION ALL ".join(stored)
