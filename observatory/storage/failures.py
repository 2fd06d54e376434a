"""Failed spans, found without reading all of them: the columns that say what failed stay in memory for every segment that was asked about.

Failures are few and lie everywhere, so DuckDB decodes eleven columns of nearly every page to find them, at every question: 3.3 s of
processor for the errors of 5 million spans. From memory the same question takes 0.4 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from observatory.contracts import OpenRecord, Segment
from observatory.model.arrays import one
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.model.traceids import Ids
from observatory.storage.grouping import in_type
from observatory.storage.held import Held
from observatory.storage.hidden import read_shown
from observatory.storage.public import parquet, public_columns

COLUMNS = (
    "trace_id", "span_id", "parent_span_id", "start_ns", "service_name", "name", "observation_kind", "request_model", "response_model",
    "error_type", "status_message",
)  # fmt: skip
_STORED = pa.schema([schema(Signal.SPANS).field(name) for name in COLUMNS])
_MOST_TEXT = 1000  # characters of a message: more is not shown in lists
_ERROR = 2


class Failures:
    """The failed spans of the segments asked for last, within `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._held = Held[pa.Table](limit)

    def of(self, segments: Sequence[Segment], data_dir: Path, cursor: Callable[[], duckdb.DuckDBPyConnection]) -> list[pa.Table]:
        """A table a segment, of `COLUMNS`; read by a cursor of DuckDB where it was not read before. Raises duckdb.Error for a segment that
        cannot be read.
        """
        return [self._held.of(segment, lambda segment=segment: _read(data_dir / segment.uri, cursor)) for segment in segments]


def open_failures(con: duckdb.DuckDBPyConnection, stored: Sequence[pa.Table], records: Sequence[OpenRecord], hidden: Ids) -> None:
    """Make `failed_spans` of what `Failures.of` gave and of open records, with the names and values of the view `spans`."""
    tables = [*stored, *_open(records, hidden)]
    con.register("stored_failures", pa.concat_tables(tables) if tables else _STORED.empty_table())
    said = ", ".join(f"{expression} AS {name}" for name, expression, source in public_columns(Signal.SPANS) if source in COLUMNS)
    con.execute(f"CREATE OR REPLACE TEMP VIEW failed_spans AS SELECT {said}, {_ERROR} AS status_code FROM stored_failures")


def _read(path: Path, cursor: Callable[[], duckdb.DuckDBPyConnection]) -> pa.Table:
    asked = ", ".join(f"left({name}, {_MOST_TEXT}) AS {name}" if name == "status_message" else name for name in COLUMNS)
    with closing(cursor()) as con:
        found = con.sql(f"SELECT {asked} FROM {parquet([str(path)])} WHERE status_code = {_ERROR}").to_arrow_table()
    return pa.table([in_type(one(found, field.name), field.type) for field in _STORED], _STORED)


def _open(records: Sequence[OpenRecord], hidden: Ids) -> Iterator[pa.Table]:
    for record in records:
        rows = read_shown(record, [*COLUMNS, "status_code"], hidden)
        failed = rows.filter(pc.call_function("equal", [rows.column("status_code"), _ERROR]))
        if failed.num_rows:
            cut = pc.call_function("utf8_slice_codeunits", [failed.column("status_message")], pc.SliceOptions(0, _MOST_TEXT))
            failed = failed.select(list(COLUMNS)).set_column(COLUMNS.index("status_message"), _STORED.field("status_message"), cut)
            yield pa.Table.from_batches([failed])
