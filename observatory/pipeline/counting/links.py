"""Who is whose parent, for the spans of the last minutes: two generations of a hash table, so that memory has a bound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from observatory.model import hashtable
from observatory.model.clock import Nanos

_PLAIN = np.iinfo(np.int32).min  # for a row of -1


class Found(NamedTuple):
    """What is known of some keys, row for row. `known` is False for spans that did not arrive, or are forgotten."""

    known: np.ndarray
    parent: np.ndarray  # key of the parent, 0 for a root
    row: np.ndarray  # the number of the candidate it is, -1 for a plain span


class Links:
    """At most `2 × spans` of them: when one generation is full or `age` old, the one before it is forgotten. 28 bytes each."""

    def __init__(self, spans: int, age: Nanos) -> None:
        self._spans, self._age = spans, age
        self._now, self._before = _Generation(0, spans), _Generation(0, spans)
        self._since: Nanos | None = None
        self.forgotten = 0

    def __len__(self) -> int:
        return self._now.size + self._before.size

    def add(self, keys: np.ndarray, rows: np.ndarray, now: Nanos, parents: np.ndarray | None = None) -> None:
        """Remember spans, all of them with their parents or none; `rows` and `parents` as in `Found`. What is said of one last is true."""
        if not len(keys):
            return
        if self._since is None:
            self._since = now
        if self._now.size + len(keys) > self._spans or now - self._since > self._age:
            self.forgotten += self._before.size
            self._before, self._now, self._since = self._now, _Generation(self._now.size, self._spans), now
        self._now.add(keys, rows, parents)

    def find(self, keys: np.ndarray) -> Found:
        """What is known of these spans."""
        found = Found(np.zeros(len(keys), bool), np.zeros(len(keys), np.uint64), np.full(len(keys), -1, np.int64))
        asked = np.arange(len(keys))
        for generation in (self._now, self._before):
            slots = generation.find(keys[asked])
            hit = slots >= 0
            generation.read(found, asked[hit], slots[hit])
            asked = asked[~hit]
        return found


class _Generation:
    """A table with room for `expected` keys, which doubles when it must, but not beyond `most`."""

    def __init__(self, expected: int, most: int) -> None:
        room = max(expected, 1024)
        self.size, self._most = 0, most
        self._places, self._key = hashtable.table(room), np.empty(room, np.uint64)
        self._row, self._base = np.empty(room, np.int32), -1  # rows are told from the first that was
        self._parent: np.ndarray | None = None

    def add(self, keys: np.ndarray, rows: np.ndarray, parents: np.ndarray | None) -> None:
        if not self.size:
            self._parent = None if parents is None else np.empty(len(self._key), np.uint64)
        if self._base < 0:
            self._base = int(rows.max())
        self._make_room(self.size + len(keys))
        slots = np.empty(len(keys), np.int64)
        self.size = hashtable.put(self._places, self._key, self._key, self.size, keys, keys, slots)
        # of one key that is there twice the last stays; a generation ends long before row numbers are 2^31 apart
        self._row[slots] = np.where(rows < 0, _PLAIN, rows - self._base)
        if self._parent is not None:
            self._parent[slots] = parents

    def find(self, keys: np.ndarray) -> np.ndarray:
        slots = np.empty(len(keys), np.int64)
        hashtable.find(self._places, self._key, self._key, keys, keys, slots)
        return slots

    def read(self, found: Found, where: np.ndarray, slots: np.ndarray) -> None:
        rows = self._row[slots].astype(np.int64)
        found.known[where] = True
        found.row[where] = np.where(rows == _PLAIN, -1, rows + self._base)
        if self._parent is not None:
            found.parent[where] = self._parent[slots]

    def _make_room(self, size: int) -> None:
        if size <= len(self._key):
            return
        room = max(min(2 * len(self._key), self._most), size)
        self._key, self._row = self._grown(self._key, room), self._grown(self._row, room)
        self._parent = None if self._parent is None else self._grown(self._parent, room)
        self._places = hashtable.table(room)
        hashtable.insert(self._places, self._key, np.arange(self.size))

    def _grown(self, values: np.ndarray, room: int) -> np.ndarray:
        grown = np.empty(room, values.dtype)
        grown[: self.size] = values[: self.size]
        return grown
