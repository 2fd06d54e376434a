"""The candidates of the last minutes: what judging asks of each, as arrays, and their latest rows, to be said again when one is revised.

A candidate has a row number that grows; its place in the arrays is the number modulo the capacity. About 150 bytes of arrays and 350 of
columns each.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from observatory.model.arrays import whole

LLM, EMBEDDING, RERANKER, SUM = range(4)
"""Groups: a call can only wrap one of its own group. `SUM` is a span of another kind that carries usage: an agent, a chain."""

NONE = -1

_FIELDS = {
    "key": np.uint64, "trace": np.uint64, "start": np.int64, "end": np.int64,
    "likeness": np.uint64,    # key of service and provider
    "model": np.uint64,       # key of the model asked for, 0 when unknown
    "group": np.uint8, "native": bool, "never": bool, "call": bool, "usage": bool, "error": bool,
    "outer": np.int64,        # the nearest ancestor of the same group that is not the SDK's own
    "frontier": np.uint64,    # the ancestor that has not arrived; 0 when the way up is known
    "inner_call": bool,       # a descendant is a call of the same group; of a sum: of its trace
    "inner_usage": bool,      # … and has usage
    "twin": np.int64,         # the row that stands for the same call instead of this one
    "best": np.int64,         # of the first row of a response id: the row that stands for all that share it
    "counted": bool, "reason": np.uint8, "revision": np.int32,
    "chunk": np.int64, "index": np.int64,
}  # fmt: skip


class Memory:
    """The arrays are attributes named as in `_FIELDS`, addressed by `at(rows)`."""

    key: np.ndarray
    trace: np.ndarray
    start: np.ndarray
    end: np.ndarray
    likeness: np.ndarray
    model: np.ndarray
    group: np.ndarray
    native: np.ndarray
    never: np.ndarray
    call: np.ndarray
    usage: np.ndarray
    error: np.ndarray
    outer: np.ndarray
    frontier: np.ndarray
    inner_call: np.ndarray
    inner_usage: np.ndarray
    twin: np.ndarray
    best: np.ndarray
    counted: np.ndarray
    reason: np.ndarray
    revision: np.ndarray
    chunk: np.ndarray
    index: np.ndarray

    def __init__(self, capacity: int) -> None:
        self._capacity = 1 << max(capacity - 1, 1).bit_length()
        for name, type_ in _FIELDS.items():
            setattr(self, name, np.zeros(self._capacity, type_))
        self.first = self.next = 0  # remembered are the row numbers in [first, next)
        self._chunks: dict[int, pa.Table] = {}  # by number
        self._uses: dict[int, int] = {}  # how many candidates have their latest row in a chunk
        self._next_chunk = 0

    def __len__(self) -> int:
        return self.next - self.first

    def at(self, rows: np.ndarray) -> np.ndarray:
        """Where row numbers stand in the arrays."""
        return rows & (self._capacity - 1)

    def known(self, rows: np.ndarray) -> np.ndarray:
        """Which row numbers are remembered."""
        return rows >= self.first

    def each(self, *rows: np.ndarray) -> np.ndarray:
        """The remembered ones of these row numbers, each once, ascending."""
        named = np.zeros(self.next - self.first, bool)
        for some in rows:
            named[some[some >= self.first] - self.first] = True
        return np.flatnonzero(named) + self.first

    def remembered(self) -> np.ndarray:
        """All row numbers, the oldest first."""
        return np.arange(self.first, self.next)

    def add(self, count: int) -> np.ndarray:
        """Room for so many new candidates; their row numbers. The oldest are forgotten. At most the capacity at once."""
        rows = np.arange(self.next, self.next + count)
        first = max(self.first, self.next + count - self._capacity)
        self._leave(self.chunk[self.at(np.arange(self.first, min(first, self.next)))])
        self.next += count
        self.first = first
        at = self.at(rows)
        for name in _FIELDS:
            getattr(self, name)[at] = NONE if name in ("outer", "twin", "best", "chunk") else 0
        return rows

    @property
    def capacity(self) -> int:
        """How many candidates are remembered at most."""
        return self._capacity

    def keep(self, rows: np.ndarray, table: pa.Table) -> None:
        """`table` has the latest rows of these candidates, in this order."""
        if len(rows):
            at = self.at(rows)
            self._leave(self.chunk[at])
            self.chunk[at], self.index[at] = self._next_chunk, np.arange(len(rows))
            self._chunks[self._next_chunk], self._uses[self._next_chunk] = table, len(rows)
            self._next_chunk += 1

    def _leave(self, chunks: np.ndarray) -> None:
        """These are a candidate's latest rows no longer; a chunk without any is forgotten."""
        numbers, counts = np.unique(chunks[chunks != NONE], return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            self._uses[number] -= count
            if not self._uses[number]:
                del self._uses[number], self._chunks[number]

    def latest(self, rows: np.ndarray) -> pa.Table:
        """The latest rows of these candidates, in this order."""
        at = self.at(rows)
        chunks, index = self.chunk[at], self.index[at]
        if len(rows) and (chunks == chunks[0]).all():
            table = self._chunks[int(chunks[0])]
            return table if np.array_equal(index, np.arange(table.num_rows)) else table.take(pa.array(index))
        order = np.argsort(chunks, kind="stable")
        by_chunk = np.split(order, np.flatnonzero(np.diff(chunks[order])) + 1)
        parts = [self._chunks[int(chunks[part[0]])].take(pa.array(index[part])) for part in by_chunk]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return whole(parts).take(pa.array(back))
