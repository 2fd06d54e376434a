"""The stage that sums spans by minute, and the bound on how many sums there are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from prometheus_client import CollectorRegistry, Counter

from observatory.contracts import StageCounts
from observatory.model.batch import Batch
from observatory.model.clock import MINUTE, Nanos
from observatory.model.schema import TEXT, schema
from observatory.model.signal import Signal
from observatory.storage.grouping import in_type, numbers
from observatory.storage.rollups import SHAPES, SPAN_COLUMNS, fold, llm_rollups, span_rollups

LIMIT = 2_000
"""Keys of one service and minute; what comes beyond is added to one row. A span name that holds an id would make a row a span otherwise."""

OTHER = "<other>"

_REMEMBERED = 10 * MINUTE  # after the last row of a service and minute
_MOST = 1_000_000  # keys remembered, 24 MB
_SCOPE = {
    Signal.SPAN_ROLLUPS: ("start_ns", "project", "service_name"),
    Signal.LLM_ROLLUPS: ("start_ns", "project", "service_name", "application"),
}
_BEYOND: dict[Signal, dict[str, str | int | None]] = {
    Signal.SPAN_ROLLUPS: {"name": OTHER, "kind": 0, "observation_kind": "other", "status_code": 0},
    Signal.LLM_ROLLUPS: {"model_name": OTHER, "provider": None, "operation": None, "environment": None},
}
"""What a key becomes beyond the limit. Its whole rest, or the row would be split again by what is not bounded; the sums stay."""


class RollupSpans:
    """Holds the few columns it needs of spans until the next tick, because grouping 32,000 rows at once costs a tenth of grouping 500."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._bounded = Bounded(Signal.SPAN_ROLLUPS, registry)
        self._held: list[pa.RecordBatch] = []
        self._taken = self._given = 0

    def process(self, batch: Batch, now: Nanos) -> Iterable[Batch]:
        """Take spans; other signals are none of its business and not counted."""
        if batch.signal is Signal.SPANS:
            self._held.append(batch.rows.select(SPAN_COLUMNS))
            self._taken += batch.rows.num_rows
        return ()

    def tick(self, now: Nanos) -> Iterable[Batch]:
        """Give the sums of all spans held."""
        return self.drain(now)

    def drain(self, now: Nanos) -> Iterable[Batch]:
        """Give the sums of all spans held."""
        held, self._held = self._held, []
        self._given = self._taken
        return [Batch(Signal.SPAN_ROLLUPS, self._bounded(span_rollups(pa.Table.from_batches(held)), now))] if held else ()

    def counts(self) -> StageCounts:
        """Rows are input rows: a span is given when its minute's sum was."""
        return StageCounts(self._taken, self._given, {}, self._taken - self._given)


class RollupCalls:
    """`llm_rollups` within the bound on keys, for the stage that measures calls."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._bounded = Bounded(Signal.LLM_ROLLUPS, registry)
        self._now: Nanos = 0

    def __call__(self, calls: pa.Table, sign: np.ndarray) -> pa.RecordBatch:
        """Sums by minute of rows of `schema(LLM_CALLS)`, each to be added (+1) or taken back (-1)."""
        self._now = int(np.max(numbers(calls, "received_at"), initial=self._now))  # what is taken back may have come long ago
        return self._bounded(llm_rollups(calls, sign), self._now)


class Bounded:
    """Rollup rows of one signal with at most `limit` keys for each service and minute; a key that was let in stays in.

    What was let in is remembered for ten minutes after the last row of its service and minute, and not across a restart: a minute may come
    to have some more keys than that. Costs a hash of every text that a batch names, and nothing in Python for a row.
    """

    def __init__(self, signal: Signal, registry: CollectorRegistry | None = None, limit: int = LIMIT) -> None:
        self._signal, self._limit = signal, limit
        self._keys = np.zeros(0, np.uint64)  # sorted, let in
        self._scope_of_key = np.zeros(0, np.uint64)
        self._scopes = np.zeros(0, np.uint64)  # sorted: a service and minute each
        self._sizes, self._seen = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self.beyond = 0
        """Rows so far whose key was one too many."""
        self._counter = Counter(f"observatory_{signal}_other", f"Rows of {signal} added to `{OTHER}`", registry=registry)

    def __call__(self, rows: pa.RecordBatch, now: Nanos) -> pa.RecordBatch:
        """The same sums; rows of keys beyond the limit are added together."""
        if not rows.num_rows:
            return rows
        scope = _hash(rows, _SCOPE[self._signal])
        keys = _hash(rows, [name for name in SHAPES[self._signal].keys if name not in _SCOPE[self._signal]], scope)
        let_in = self._let_in(keys, scope, now)
        many = rows.num_rows - int(let_in.sum())
        if not many:
            return rows
        self.beyond += many
        self._counter.inc(many)
        inside, outside = rows.filter(pa.array(let_in)), _as_other(self._signal, rows.filter(pa.array(~let_in)))
        return fold(self._signal, pa.Table.from_batches([inside, outside]))

    def _let_in(self, keys: np.ndarray, scope: np.ndarray, now: Nanos) -> np.ndarray:
        self._forget(now)
        places = self._touch(scope, now)
        known = _among(self._keys, keys)
        fresh, first = np.unique(keys[~known], return_index=True)  # a key may be on several rows, whose sum did not fit one
        where = places[~known][first]
        order = np.lexsort((first, where))  # within a service and minute in the order of rows
        starts = np.searchsorted(where[order], where[order], side="left")
        rank = np.empty(len(fresh), np.int64)
        rank[order] = np.arange(len(fresh)) - starts
        wins = rank + self._sizes[where] < self._limit
        np.add.at(self._sizes, where[wins], 1)
        at = np.searchsorted(self._keys, fresh[wins])
        self._keys = np.insert(self._keys, at, fresh[wins])
        self._scope_of_key = np.insert(self._scope_of_key, at, self._scopes[where[wins]])
        return known | _among(fresh[wins], keys)

    def _touch(self, scope: np.ndarray, now: Nanos) -> np.ndarray:
        """The place of every row's scope in `_scopes`, where new ones are added."""
        new = np.unique(scope[~_among(self._scopes, scope)])
        at = np.searchsorted(self._scopes, new)
        self._scopes = np.insert(self._scopes, at, new)
        self._sizes, self._seen = np.insert(self._sizes, at, 0), np.insert(self._seen, at, now)
        places = np.searchsorted(self._scopes, scope)
        self._seen[places] = now
        return places

    def _forget(self, now: Nanos) -> None:
        """Drop scopes that no row came of for a while, and all but the last when there are too many keys."""
        stale = self._seen < now - _REMEMBERED
        if len(self._keys) > _MOST or len(self._scopes) > _MOST:
            stale |= self._seen < np.median(self._seen) + 1
        if stale.any():
            kept = _among(self._scopes[~stale], self._scope_of_key)
            self._keys, self._scope_of_key = self._keys[kept], self._scope_of_key[kept]
            self._scopes, self._sizes, self._seen = self._scopes[~stale], self._sizes[~stale], self._seen[~stale]


def _among(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[at] == values


def _hash(rows: pa.RecordBatch, columns: Iterable[str], seed: np.ndarray | None = None) -> np.ndarray:
    """64 bits of every row's values; two keys that share them (1 in 10^19) share a place under the limit."""
    state = np.zeros(rows.num_rows, np.uint64) if seed is None else seed.copy()
    for name in columns:
        column = rows.column(name)
        if isinstance(column, pa.DictionaryArray):
            texts = np.fromiter((hash(text) for text in (*column.dictionary.to_pylist(), None)), np.int64)
            values = texts[np.asarray(column.indices.fill_null(len(column.dictionary)))]
        else:
            values = np.asarray(column).astype(np.int64)
        # splitmix64: every bit of a value reaches every bit of the state
        state = (state ^ values.view(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(32)
    return state


def _as_other(signal: Signal, rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows under the key of what is beyond the limit; sums say how many failed."""
    columns = {field.name: rows.column(field.name) for field in schema(signal)}
    for name, value in _BEYOND[signal].items():
        columns[name] = pa.repeat(pa.scalar(value, pa.string() if columns[name].type == TEXT else pa.int32()), rows.num_rows)
    return pa.RecordBatch.from_arrays([in_type(columns[field.name], field.type) for field in schema(signal)], schema=schema(signal))
