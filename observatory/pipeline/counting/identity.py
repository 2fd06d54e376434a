"""What others say of a call: whose it is (session, user and tags often stand on one span of a trace only, and count for all its calls), and
how it ended, where a log record says it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from observatory.model.arrays import one
from observatory.model.clock import Nanos
from observatory.pipeline.counting.links import Links

IDENTITY: dict[str, pa.DataType] = {
    "session_id": pa.string(),
    "user_id": pa.string(),
    "tags": pa.list_(pa.field("item", pa.string(), nullable=False)),
}
OUTCOME: dict[str, pa.DataType] = {"finish_reason": pa.string()}


class Sayings:
    """What is said of each recent trace or span, by its key; the first that says something is believed, by rank, then by arrival."""

    def __init__(self, fields: Mapping[str, pa.DataType], keys: int, age: Nanos) -> None:
        self._fields, self._most = fields, keys
        self._links = Links(keys, age)
        self._chunks: deque[tuple[int, pa.Table]] = deque()  # number of its first row, rows of the fields
        self._next = 0

    def learn(self, of: np.ndarray, ranks: np.ndarray, said: pa.Table, now: Nanos) -> np.ndarray:
        """Take rows that have the fields, with the key each is about and its rank, of which the lowest is believed.

        Returns the keys of which more is known now.
        """
        if not said.num_rows:
            return np.zeros(0, np.uint64)
        order = np.lexsort((ranks, of))
        keys = of[order]
        first = np.concatenate(([0], np.flatnonzero(np.diff(keys)) + 1))
        keys = keys[first]
        known = self._known(keys)
        before = self._rows(known)
        columns, news = {}, np.zeros(len(keys), bool)
        for name in self._fields:
            best, there = _first_said(one(said, name), order, first)
            old = one(before, name)
            had = _said(old)
            news |= there & ~had
            columns[name] = _pick(old, best, had)
        rows = pa.table(columns).filter(pa.array(news))
        keys = keys[news]
        self._chunks.append((self._next, rows))
        self._links.add(keys, np.arange(self._next, self._next + len(keys)), now)
        self._next += len(keys)
        while len(self._chunks) > 1 and self._next - self._chunks[1][0] > 2 * self._most:
            self._chunks.popleft()
        return keys

    def of(self, keys: np.ndarray) -> pa.Table:
        """The fields of these keys, row for row; null where nothing is known."""
        return self._rows(self._known(keys))

    def _known(self, keys: np.ndarray) -> np.ndarray:
        """The number of each trace's latest row, -1 for none."""
        found = self._links.find(keys).row
        return np.where(found >= (self._chunks[0][0] if self._chunks else 0), found, -1)

    def _rows(self, numbers: np.ndarray) -> pa.Table:
        if not self._chunks:
            return pa.table({name: pa.nulls(len(numbers), type_) for name, type_ in self._fields.items()})
        self._join()
        low = self._chunks[0][0]
        starts = np.array([at for at, _ in self._chunks])
        chunk = np.searchsorted(starts, np.maximum(numbers, low), side="right") - 1
        place = np.zeros(len(numbers), np.int64)
        parts, offset = [], 0
        for index in np.unique(chunk[numbers >= 0]).tolist():
            begin, table = self._chunks[index]
            mine = (chunk == index) & (numbers >= 0)
            wanted, back = np.unique(numbers[mine], return_inverse=True)
            parts.append(table.take(pa.array(wanted - begin)))
            place[mine] = offset + back
            offset += len(wanted)
        if not parts:
            return pa.table({name: pa.nulls(len(numbers), type_) for name, type_ in self._fields.items()})
        return pa.concat_tables(parts).combine_chunks().take(pa.array(place, mask=numbers < 0)).combine_chunks()

    def _join(self) -> None:
        """Few chunks: each holds at least as many rows as the next."""
        while len(self._chunks) > 1 and self._chunks[-2][1].num_rows < 2 * self._chunks[-1][1].num_rows:
            _, last = self._chunks.pop()
            begin, before = self._chunks.pop()
            if before.num_rows + last.num_rows > self._most:
                self._chunks.extend(((begin, before), (begin + before.num_rows, last)))
                return
            self._chunks.append((begin, pa.concat_tables([before, last]).combine_chunks()))


def own(said: pa.Table, places: np.ndarray) -> pa.Table:
    """The identity that the spans at these places say themselves, row for row."""
    if not said.num_rows:
        return pa.table({name: pa.nulls(len(places), type_) for name, type_ in IDENTITY.items()})
    mine = np.asarray(one(said, "place"))
    at = np.minimum(np.searchsorted(mine, places), len(mine) - 1)
    where = pa.array(at, mask=mine[at] != places)
    return pa.table({name: one(said, name).cast(type_).take(where) for name, type_ in IDENTITY.items()})


def completed(rows: pa.Table, more: pa.Table) -> tuple[pa.Table, np.ndarray]:
    """The columns of `more` as `rows` has them, with those of `more` where `rows` says nothing; and which rows changed."""
    changed = np.zeros(rows.num_rows, bool)
    columns = {}
    for name in more.column_names:
        old, new = one(rows, name), one(more, name)
        had = _said(old)
        changed |= ~had & _said(new)
        columns[name] = _pick(old, new, had)
    return pa.table(columns), changed


def lacking(rows: pa.Table) -> np.ndarray:
    """Which rows miss a part of their identity."""
    missing = np.zeros(rows.num_rows, bool)
    for name in IDENTITY:
        missing |= ~_said(one(rows, name))
    return missing


def _said(values: pa.Array) -> np.ndarray:
    """Which values say something: not null, and for a list not empty."""
    valid = np.asarray(values.is_valid())
    if pa.types.is_list(values.type):
        offsets = values.offsets.to_numpy()
        return valid & (offsets[1:] > offsets[:-1])
    return valid


def _first_said(values: pa.Array, order: np.ndarray, first: np.ndarray) -> tuple[pa.Array, np.ndarray]:
    there = _said(values)[order]
    places = np.where(there, np.arange(len(order)), len(order))
    best = np.minimum.reduceat(places, first)
    found = best < len(order)
    return values.take(pa.array(order[np.where(found, best, 0)], mask=~found)), found


def _pick(old: pa.Array, new: pa.Array, keep: np.ndarray) -> pa.Array:
    """`old` where `keep`, else `new`."""
    if keep.all():
        return old
    if pa.types.is_dictionary(old.type):
        old = old.cast(pa.string())
    both = pa.concat_arrays([old, new.cast(old.type)])
    here = np.arange(len(old))
    return both.take(pa.array(np.where(keep, here, here + len(old))))
