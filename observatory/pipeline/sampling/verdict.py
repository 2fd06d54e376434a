"""What stored rows say of the decision about their trace: `adjusted_count` and `decided_by`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from observatory.model.schema import TEXT
from observatory.model.threshold import adjusted_counts
from observatory.pipeline.sampling.decisions import Decisions


def with_verdict(rows: pa.RecordBatch | pa.Table, decisions: Decisions, threshold: np.ndarray, by: np.ndarray) -> pa.Table:
    """Rows with `adjusted_count` and `decided_by`."""
    return pa.Table.from_arrays(
        [*(rows.column(name) for name in rows.schema.names[:-2]), *verdict_columns(decisions, threshold, by)], schema=rows.schema
    )


def verdict_columns(decisions: Decisions, threshold: np.ndarray, by: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """`adjusted_count` and `decided_by` of rows."""
    counts, known = adjusted_counts(threshold)
    names = pa.DictionaryArray.from_arrays(pa.array(by.astype(np.int32), mask=by < 0), pa.array(decisions.names or [""], pa.string()))
    return pa.array(counts, mask=~known), names.cast(TEXT)
