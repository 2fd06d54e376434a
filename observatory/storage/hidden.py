"""Rows of the journal that readers do not see: of traces that sampling dropped, until a cut leaves them behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from observatory.contracts import OpenRecord
from observatory.model.signal import Signal
from observatory.model.traceids import NO_IDS, Ids, ids_of
from observatory.semconv.logevents import follows_trace
from observatory.storage import records
from observatory.storage.decisions import search

_NEEDED = {Signal.SPANS: ("trace_id",), Signal.LOGS: ("trace_id", "event_name")}


def read_shown(record: OpenRecord, columns: Sequence[str] | None, hidden: Ids = NO_IDS) -> pa.RecordBatch:
    """The rows of an open record (all columns, or these) without those of `hidden` traces, which are sorted. Raises as `records.read`."""
    needed = _NEEDED.get(record.signal)
    if needed is None or not len(hidden.key):
        return records.read(record, columns if columns is None else list(columns))
    rows = records.read(record, None if columns is None else list(dict.fromkeys([*columns, *needed])))
    ids = ids_of(rows.column("trace_id"))
    gone = search(hidden.key, hidden.low, ids.key, ids.low) >= 0
    if record.signal is Signal.LOGS:
        gone &= np.asarray(follows_trace(rows))
    shown = rows.filter(pa.array(~gone)) if gone.any() else rows
    return shown if columns is None else shown.select(list(columns))
