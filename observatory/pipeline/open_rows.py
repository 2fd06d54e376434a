"""What is durable and not yet in a segment, as queries see it: records, what was derived of them, and which of them hold which trace."""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from observatory.contracts import DerivedRows, OpenRecord
from observatory.model.arrays import distinct
from observatory.model.batch import Batch
from observatory.model.clock import Nanos
from observatory.model.position import following, seq_of
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.model.traceids import NO_IDS, Ids

log = logging.getLogger(__name__)

_NONE = np.zeros(0, np.uint64)


class _Open(NamedTuple):
    record: OpenRecord
    ids: np.ndarray | None  # sorted first halves of the trace ids in it; None when they could not be made: it may hold any
    bytes: int  # of the rows in memory, buffers whole: `nbytes` looks into each and costs 430 µs, this 50


class _Derived(NamedTuple):
    position: int
    batches: list[Batch]


class Pending(NamedTuple):
    """What waits to be cut: records, rows, their bytes in memory, and when the oldest came (None when nothing waits)."""

    records: int
    rows: int
    bytes: int
    oldest: Nanos | None


class OpenRecords:
    """`contracts.OpenRows`, kept by the ingest threads; safe to ask from any thread."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._derived: list[_Derived] = []
        self._lock = threading.Lock()
        self._undecided: Callable[[], pa.Table] = schema(Signal.TRACES).empty_table
        self.dropped: Callable[[int], Ids] = lambda _: NO_IDS
        """What `hidden` asks."""
        self.position = 0
        """Of what was derived last (`model.position`)."""

    def resume(self, measured: int) -> None:
        """Before anything is derived: what was derived up to there is in segments."""
        self.position = measured

    def add(self, record: OpenRecord, rows: pa.RecordBatch) -> None:
        """A record is durable. Called in the order of seq. Files it in any case: a cut would leave behind for ever what is not here."""
        try:
            ids = trace_hashes(rows.column("trace_id")) if record.signal in (Signal.SPANS, Signal.LOGS) else _NONE
        except Exception:
            log.exception("the traces in record %d cannot be listed; it is read whenever a trace is opened", record.seq)
            ids = None
        with self._lock:
            self._open.append(_Open(record, ids, rows.get_total_buffer_size()))

    def derived(self, upto: int, batches: list[Batch], undecided: Callable[[], pa.Table] | None = None) -> None:
        """What the stages made of records up to a seq that earlier calls did not cover, or of time that passed.

        `undecided` says what the list of traces knows of those that are open now.
        """
        with self._lock:
            self._undecided = undecided or schema(Signal.TRACES).empty_table
            if not batches and upto <= seq_of(self.position):
                return
            self.position = following(self.position, upto)
            self._derived.append(_Derived(self.position, batches))

    def records(self, after: int) -> Sequence[OpenRecord]:
        """All open records with seq > after, in order."""
        with self._lock:
            return [o.record for o in self._behind(after)]

    def derived_rows(self, after: int, upto: int | None = None) -> DerivedRows:
        """What was derived at the positions (after, upto], as one moment."""
        with self._lock:
            filed = [d for d in self._derived if d.position > after and (upto is None or d.position <= upto)]
            undecided = self._undecided
        batches = [batch for d in filed for batch in d.batches]
        if upto is None:
            batches += [Batch(Signal.TRACES, rows) for rows in undecided().to_batches()]
        return DerivedRows(seq_of(filed[-1].position if filed else after), batches)

    def hidden(self, after: int) -> Ids:
        """Traces, sorted, whose rows in records behind a checkpoint are not for readers."""
        return self.dropped(after)

    def find(self, trace_id: bytes, after: int) -> Sequence[OpenRecord]:
        """The open records that may hold rows of this trace."""
        wanted = np.frombuffer(trace_id[:8], np.uint64)[0]
        with self._lock:
            return [o.record for o in self._behind(after) if o.ids is None or _holds(o.ids, wanted)]

    def forget(self, upto: int, measured: int) -> None:
        """These records are in segments now, and what was derived of those up to `measured`, and no reader needs them."""
        with self._lock:
            del self._open[: bisect_right(self._open, upto, key=_seq)]
            self._derived = [d for d in self._derived if d.position > measured]

    def pending(self, after: int) -> Pending:
        """What is behind a checkpoint."""
        with self._lock:
            behind = self._behind(after)
        oldest = behind[0].record.received_at if behind else None
        return Pending(len(behind), sum(o.record.rows for o in behind), sum(o.bytes for o in behind), oldest)

    @property
    def cuttable(self) -> int:
        """The last seq that is filed with all that was derived of it; a cut ends there."""
        with self._lock:
            return seq_of(self.position)

    def _behind(self, after: int) -> list[_Open]:
        return self._open[bisect_right(self._open, after, key=_seq) :]


def trace_hashes(ids: pa.Array) -> np.ndarray:
    """The sorted distinct first 8 bytes of trace ids, as native numbers; a null reads as whatever lies there, which only costs a read."""
    if len(ids) == 0:
        return _NONE
    words = np.frombuffer(ids.buffers()[1], np.uint64, offset=ids.offset * 16, count=2 * len(ids))[::2]
    return distinct(words[np.append(words[1:] != words[:-1], True)])  # one of each run: the spans of a trace mostly lie together


def _seq(entry: _Open) -> int:
    return entry.record.seq


def _holds(ids: np.ndarray, wanted: np.uint64) -> bool:
    at = int(np.searchsorted(ids, wanted))
    return at < len(ids) and bool(ids[at] == wanted)
