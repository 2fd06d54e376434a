"""Traces that are not decided: numbers in arrays, one place for each trace, and what the list of traces says of them in fragments.

Spans are not here: they wait in the journal and in `held` segments. About 170 bytes of arrays and 250 of fragments for a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from observatory.model.arrays import one
from observatory.model.clock import Nanos
from observatory.model.money import picodollars
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.model.threshold import UNKNOWN, randomness_of
from observatory.model.traceids import IdIndex, Ids, binary
from observatory.storage.grouping import numbers
from observatory.storage.spill import Spill

_FIELDS = {
    "live": bool,
    "start": np.int64, "end": np.int64, "first_received": np.int64, "last_received": np.int64,
    "spans": np.int64, "errors": np.int64, "bytes": np.int64, "has_root": bool,
    "calls": np.int64, "input_tokens": np.int64, "output_tokens": np.int64, "cost": np.int64, "ttft": np.int64,
    "randomness": np.uint64, "threshold": np.uint64, "feedback": bool, "evaluation": bool,
    "tests": np.uint64,       # a bit for each test some span said yes to
    "first_seq": np.int64,    # no row of it lies in the journal before this record
    "held": bool,             # rows of it lie in `held` segments
    "longest": np.int64,      # what its services say of how long it is waited for, from its first span
    "may_hold": bool,
    "on_hold": np.int64,      # dropped, but waited for until then; 0: not
    "once_sampled": np.uint64, "once_dropped": np.uint64, "once_threshold": np.uint64,  # verdicts of policies that settle at once
}  # fmt: skip
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_START = {"start": _HIGHEST, "end": _LOWEST, "once_threshold": UNKNOWN}
_WORTH = 4  # a chunk is copied when a quarter of it is left


class _Chunk(NamedTuple):
    rows: pa.RecordBatch
    slots: np.ndarray  # of each row, -1 when its trace is decided


class Fragments:
    """What the list of traces says of open traces, as of one moment; any thread may read it."""

    schema = schema(Signal.TRACES).append(pa.field("slot", pa.int32()))

    def __init__(self, chunks: Sequence[_Chunk], place: np.ndarray) -> None:
        self._chunks, self._place = chunks, place

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Rows of `schema(TRACES)` with `slot`, their trace's place in the arrays."""
        for chunk in self._chunks:
            there = chunk.slots >= 0
            rows = _shown(chunk)
            yield pa.RecordBatch.from_arrays([*rows.columns, pa.array(self._place[chunk.slots[there]])], schema=self.schema)


class OpenTraces:
    """The arrays are attributes named as in `_FIELDS`, addressed by slot. `keys` has one more for each key that policies ask for."""

    live: np.ndarray
    start: np.ndarray
    end: np.ndarray
    first_received: np.ndarray
    last_received: np.ndarray
    spans: np.ndarray
    errors: np.ndarray
    bytes: np.ndarray
    has_root: np.ndarray
    calls: np.ndarray
    input_tokens: np.ndarray
    output_tokens: np.ndarray
    cost: np.ndarray
    ttft: np.ndarray
    randomness: np.ndarray
    threshold: np.ndarray
    feedback: np.ndarray
    evaluation: np.ndarray
    tests: np.ndarray
    first_seq: np.ndarray
    held: np.ndarray
    longest: np.ndarray
    may_hold: np.ndarray
    on_hold: np.ndarray
    once_sampled: np.ndarray
    once_dropped: np.ndarray
    once_threshold: np.ndarray

    def __init__(self, tests: Sequence[str], keys: Sequence[str], spill: Spill) -> None:
        self.test_names, self.key_names = tuple(tests), tuple(keys)
        self._spill = spill
        self._index = IdIndex()
        for name, type_ in _FIELDS.items():
            setattr(self, name, np.zeros(1024, type_))
        self.keys = {name: np.zeros(1024, np.uint64) for name in keys}
        self._free = np.arange(1023, -1, -1)
        self._chunks: list[_Chunk] = []

    def __len__(self) -> int:
        return self._index.count

    def slots(self) -> np.ndarray:
        """Of all open traces."""
        return np.flatnonzero(self.live)

    def find(self, ids: Ids) -> np.ndarray:
        """The slot of each, -1 for those that are not open."""
        return self._index.find(ids)

    def ids(self, slots: np.ndarray) -> Ids:
        """Whose slots these are."""
        return Ids(self._index.key[slots], self._index.low[slots])

    def add(self, ids: Ids, now: Nanos, seq: int) -> np.ndarray:
        """Open traces that are not open, each id once; their slots. Their rows lie in the journal from record `seq` on."""
        count = len(ids.key)
        while count > len(self._free):
            self._grow()
        slots, self._free = self._free[len(self._free) - count :].copy(), self._free[: len(self._free) - count]
        for name in _FIELDS:
            getattr(self, name)[slots] = _START.get(name, 0)
        for values in self.keys.values():
            values[slots] = 0
        self.live[slots] = True
        self.first_received[slots] = self.last_received[slots] = now
        self.first_seq[slots] = seq
        self.randomness[slots] = randomness_of(ids.low)
        self._index.add(ids, slots)
        return slots

    def take_in(self, slots: np.ndarray, rows: pa.RecordBatch, spans_came: bool) -> None:
        """Rows of `schema(TRACES)`, each of another trace. `spans_came` tells news of spans from news about them."""
        table = pa.Table.from_batches([rows])
        for name, column in _SUMMED.items():
            getattr(self, name)[slots] += numbers(table, column)
        self.cost[slots] += picodollars(one(table, "total_cost_usd"))
        if spans_came:
            self.start[slots] = np.minimum(self.start[slots], numbers(table, "start_ns"))
            self.end[slots] = np.maximum(self.end[slots], numbers(table, "end_ns"))
            self.has_root[slots] |= np.asarray(one(table, "has_root"))
            self.last_received[slots] = np.maximum(self.last_received[slots], numbers(table, "received_at"))
        self._chunks.append(_Chunk(self._spill.rows(rows), slots.astype(np.int32)))

    def close(self, slots: np.ndarray, kept: np.ndarray) -> tuple[pa.Table, np.ndarray]:
        """These are decided. What the list says of the kept ones: rows, and for each its trace's place in `slots`."""
        fate = np.zeros(len(self.live), np.int8)
        fate[slots] = np.where(kept, 1, 2)
        place = np.zeros(len(self.live), np.int32)
        place[slots] = np.arange(len(slots))
        rows: list[pa.RecordBatch] = []
        places: list[np.ndarray] = []
        chunks: list[_Chunk] = []
        for chunk in self._chunks:
            there = np.flatnonzero(chunk.slots >= 0)
            fates = fate[chunk.slots[there]]
            if (fates == 1).any():
                wanted = there[fates == 1]
                rows.append(chunk.rows if len(wanted) == chunk.rows.num_rows else chunk.rows.take(pa.array(wanted)))
                places.append(place[chunk.slots[wanted]])
            left = there[fates == 0]
            chunks += _rest(chunk, left)
        self._chunks = chunks
        self.live[slots] = False
        self._index.remove(slots)
        self._free = np.concatenate((self._free, slots))
        found = pa.Table.from_batches(rows, schema(Signal.TRACES))
        return found, np.concatenate(places) if places else np.zeros(0, np.int32)

    def listing(self) -> Callable[[], pa.Table]:
        """What the list of traces says of all that are open now, made when it is asked for, by any thread."""
        return partial(_listed, tuple(self._chunks))

    def table(self, slots: np.ndarray, complete: bool) -> pa.RecordBatch:
        """What policies see of these (`contracts.Policy`)."""
        columns: dict[str, pa.Array | np.ndarray] = {"trace_id": binary(self.ids(slots))}
        columns |= {said: getattr(self, name)[slots] for said, name in _SEEN.items()}
        columns["start_ns"] = np.minimum(columns["start_ns"], columns["end_ns"])  # pyright: ignore  # nothing came but news about it
        bits = self.tests[slots]
        columns |= {name: bits & np.uint64(1 << bit) != 0 for bit, name in enumerate(self.test_names)}
        columns |= {name: values[slots] for name, values in self.keys.items()}
        columns["complete"] = np.full(len(slots), complete)
        return pa.RecordBatch.from_arrays([pa.array(values) for values in columns.values()], names=list(columns))

    def state(self) -> tuple[dict[str, np.ndarray], Fragments]:
        """Arrays of all open traces, copied, and their fragments."""
        slots = self.slots()
        ids = self.ids(slots)
        made = {"key": ids.key, "low": ids.low}
        for name in _FIELDS:
            made[name] = self._spill.array(getattr(self, name)[slots])
        for name, values in self.keys.items():
            made[f"key {name}"] = self._spill.array(values[slots])
        place = np.full(len(self.live), -1, np.int32)
        place[slots] = np.arange(len(slots))
        return made, Fragments(tuple(self._chunks), place)

    def restore(self, arrays: dict[str, np.ndarray], fragments: Iterable[pa.RecordBatch]) -> None:
        """What `state` said, into an empty one."""
        slots = self.add(Ids(arrays["key"], arrays["low"]), 0, 0)
        for name in _FIELDS:
            getattr(self, name)[slots] = arrays[name]
        for name, values in self.keys.items():
            if f"key {name}" in arrays:
                values[slots] = arrays[f"key {name}"]
        for batch in fragments:
            rows = self._spill.rows(batch.drop_columns(["slot"]))
            self._chunks.append(_Chunk(rows, slots[np.asarray(batch.column("slot"))].astype(np.int32)))

    def _grow(self) -> None:
        size = len(self.live)
        for name in _FIELDS:
            setattr(self, name, np.concatenate((getattr(self, name), np.zeros(size, _FIELDS[name]))))
        self.keys = {name: np.concatenate((values, np.zeros(size, np.uint64))) for name, values in self.keys.items()}
        self._free = np.concatenate((np.arange(2 * size - 1, size - 1, -1), self._free))


_SUMMED = {
    "spans": "span_count",
    "errors": "error_count",
    "calls": "llm_calls",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
}
_SEEN = {
    "randomness": "randomness", "threshold": "threshold", "start_ns": "start", "end_ns": "end", "first_received": "first_received",
    "last_received": "last_received", "span_count": "spans", "error_count": "errors", "bytes": "bytes", "has_root": "has_root",
    "llm_calls": "calls", "input_tokens": "input_tokens", "output_tokens": "output_tokens", "cost": "cost", "ttft_ns": "ttft",
    "feedback": "feedback", "evaluation": "evaluation",
}  # fmt: skip


def _listed(chunks: Sequence[_Chunk]) -> pa.Table:
    return pa.Table.from_batches([_shown(chunk) for chunk in chunks], schema(Signal.TRACES))


def _shown(chunk: _Chunk) -> pa.RecordBatch:
    there = chunk.slots >= 0
    return chunk.rows if there.all() else chunk.rows.filter(pa.array(there))


def _rest(chunk: _Chunk, left: np.ndarray) -> list[_Chunk]:
    """The chunk with only these rows still owned; copied when few are left, because a chunk is in memory whole."""
    if not len(left):
        return []
    if _WORTH * len(left) < chunk.rows.num_rows:
        return [_Chunk(chunk.rows.take(pa.array(left)), chunk.slots[left])]
    slots = np.full(len(chunk.slots), -1, np.int32)
    slots[left] = chunk.slots[left]
    return [_Chunk(chunk.rows, slots)]
