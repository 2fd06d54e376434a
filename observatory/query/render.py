"""Columns to JSON text, without a Python object per span."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import duckdb
import pyarrow as pa

from observatory.query.named import named

SLICE_ROWS = 2048  # DuckDB's vector: one slice is one unit of work of ~5 ms (tree) or ~15 ms (full), nearly all of it outside Python's lock
SLICE_BYTES = 4 << 20  # spans with prompts are large; what waits in memory for a slow reader is one slice


class Renderer:
    """Renders spans by the named files `span_tree` and `span_full`. Thread-safe; an in-memory DuckDB of its own that reads no file.

    Planning `span_full` takes 35 ms, ten times its work on a small trace. So each statement is prepared once for a schema, over a relation
    whose rows are handed in later (`_Pen`).
    """

    def __init__(self) -> None:
        self._duckdb = duckdb.connect(
            config={
                "threads": 1,  # a slice is one vector
                "memory_limit": "256MB",
                "temp_directory": "",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
            }
        )
        self._duckdb.execute("SET enable_external_access = false")
        self._duckdb.execute(named("span_macros"))
        self._lock = Lock()
        self._idle: dict[tuple[str, pa.Schema], list[_Pen]] = {}

    def slices(self, rows: pa.RecordBatch, name: str) -> Iterator[bytes]:
        """JSON objects of all rows in order, each followed by a comma, in pieces of at most 2,048 rows or about 4 MB of columns."""
        pieces = max(-(-rows.num_rows // SLICE_ROWS), -(-rows.nbytes // SLICE_BYTES), 1)
        step = max(-(-rows.num_rows // pieces), 1)
        with self._pen(name, rows.schema) as pen:
            for offset in range(0, rows.num_rows, step):
                yield pen.write(rows.slice(offset, step))

    def texts(self, rows: pa.RecordBatch, name: str) -> pa.Array:
        """One text for each row."""
        step = 4 * SLICE_ROWS  # narrow rows: of 2,048 the millisecond that an execution costs would be half of it
        with self._pen(name, rows.schema) as pen:
            pieces = [pen.texts(rows.slice(offset, step)) for offset in range(0, rows.num_rows, step)]
        return pa.concat_arrays([array for piece in pieces for array in piece]) if pieces else pa.array([], pa.string())

    @contextmanager
    def _pen(self, name: str, schema: pa.Schema) -> Iterator[_Pen]:
        with self._lock:
            idle = self._idle.setdefault((name, schema), [])
            pen = idle.pop() if idle else None
        pen = pen or _Pen(self._duckdb.cursor(), named(name), schema)
        yield pen  # after a failure it is not used again
        with self._lock:
            idle.append(pen)

    def close(self) -> None:
        """Free its memory; nothing may be rendering."""
        for pens in self._idle.values():
            for pen in pens:
                pen.close()
        self._idle.clear()
        self._duckdb.close()


class _Pen:
    """One prepared statement over `slice`, whose rows are given with every use."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, statement: str, schema: pa.Schema) -> None:
        self._cursor, self._slot = cursor, _Slot(schema)
        cursor.register("slice", self._slot)
        cursor.execute(f"PREPARE pen AS {statement}")

    def write(self, rows: pa.RecordBatch) -> bytes:
        return b"".join(_bytes(texts) for texts in self.texts(rows))

    def texts(self, rows: pa.RecordBatch) -> list[pa.Array]:
        self._slot.rows = rows
        try:
            return [batch.column(0) for batch in self._cursor.sql("EXECUTE pen").to_arrow_reader(SLICE_ROWS)]
        finally:
            self._slot.rows = None

    def close(self) -> None:
        self._cursor.close()


class _Slot:
    """A relation by Arrow's C stream protocol: DuckDB asks for its schema when it plans, and for its rows each time it runs."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self.rows: pa.RecordBatch | None = None

    def __arrow_c_schema__(self) -> Any:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        batches = [] if self.rows is None else [self.rows]
        return pa.RecordBatchReader.from_batches(self._schema, batches).__arrow_c_stream__(requested_schema)


def _bytes(texts: pa.Array) -> memoryview:
    """The characters of a text column as they lie in memory, one row behind the other."""
    _, offsets, data = texts.buffers()
    ends = memoryview(offsets).cast("i")[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data)[ends[0] : ends[-1]]
