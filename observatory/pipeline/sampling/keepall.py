"""Where nothing is dropped here, a trace stands for itself, or for what its client dropped before it came (`ot=th`), as its spans do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from observatory.model.traceids import distinct, ids_of, joined
from observatory.semconv.sampled import adjusted_count, says_anything
from observatory.storage.decisions import search


def standing(rows: pa.RecordBatch, spans: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Rows of `schema(TRACES)` with `adjusted_count`, given the spans they were made of. News about a trace without spans says nothing."""
    counts = np.ones(rows.num_rows)
    told = [(ids_of(batch.column("trace_id")), counts_of(batch)) for batch in spans if says_anything(batch.column("trace_state"))]
    if told:
        ids, place = distinct(joined([ids for ids, _ in told]))
        most = np.ones(len(ids.key))
        np.maximum.at(most, place, np.concatenate([counts for _, counts in told]))
        mine = ids_of(rows.column("trace_id"))
        at = search(ids.key, ids.low, mine.key, mine.low)
        counts = np.where(at >= 0, most[at], 1.0)
    news = np.asarray(rows.column("span_count")) <= 0
    field = rows.schema.get_field_index("adjusted_count")
    return rows.set_column(field, rows.schema.field(field), pa.array(counts, mask=news))


def counts_of(spans: pa.RecordBatch) -> np.ndarray:
    """How many each stands for, as its trace state says."""
    state = spans.column("trace_state")
    if not says_anything(state):
        return np.ones(spans.num_rows)
    told = adjusted_count(state)
    return np.where(told.known, told.values, 1.0)
