"""What sampling decided of one trace: how many it stands for, and which policies kept it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.clock import Nanos
from observatory.model.schema import TEXT
from observatory.query.named import named

COLUMNS = ("adjusted_count", "decided_by")
"""Of spans and of traces; null in the journal."""


class VerdictSource(Protocol):
    """Where decisions are asked for: `storage.engine.View` is one."""

    def fragments(self, start_ns: Nanos | None = None, end_ns: Nanos | None = None) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection that has `trace_fragments` of at least [start_ns, end_ns)."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """`adjusted_count` None with `decided_by`: nobody knows for how many it stands. Both None: not decided, it stands for itself."""

    adjusted_count: float | None = None
    decided_by: str | None = None

    def filled(self, spans: pa.RecordBatch) -> pa.RecordBatch:
        """Spans of the trace, in which those say it that are still in the journal."""
        for name, value, kind in (("adjusted_count", self.adjusted_count, pa.float64()), ("decided_by", self.decided_by, pa.string())):
            place = spans.schema.get_field_index(name)
            if value is None or place < 0 or not spans.column(place).null_count:
                continue
            column = pc.call_function("coalesce", [spans.column(place).cast(kind), pa.scalar(value, kind)])
            spans = spans.set_column(place, spans.schema.field(place), column.cast(TEXT) if name == "decided_by" else column)
        return spans


def verdict_of(source: VerdictSource, trace_id: bytes, spans: pa.Table) -> Verdict:
    """Of a trace, given spans of it with `start_ns` and `COLUMNS`: what they say, else what the list of traces says."""
    count, by = (next(iter(spans.column(name).drop_null().unique().slice(0, 1).to_pylist()), None) for name in COLUMNS)
    if count is not None or by is not None:
        return Verdict(count, by)
    starts = np.asarray(spans.column("start_ns"))
    low, high = int(starts.min()), int(starts.max())
    with source.fragments(low, min(high + 1, 2**63 - 1)) as con:
        found = con.sql(named("trace_verdict"), params={"low": low, "high": high, "trace_id": trace_id}).fetchall()
    return Verdict(*found[0])
