"""Trace ids as two words, and a hash table of them: a million open traces are looked up without an object for any."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from observatory.model import hashtable


class Ids(NamedTuple):
    """Trace ids, exactly: `low` is the second half of the id, `key` the first half mixed with it, so that it spreads like a hash even where
    tracers put a time into the first half. uint64, in the byte order of this machine.
    """

    key: np.ndarray
    low: np.ndarray

    def at(self, where: np.ndarray) -> Ids:
        """Those at these places, or where a mask says so."""
        return Ids(self.key[where], self.low[where])


def ids_of(trace_ids: pa.Array) -> Ids:
    """Of a column of 16 bytes; a null gives whatever lies there."""
    if not len(trace_ids):
        return NO_IDS
    words = np.frombuffer(trace_ids.buffers()[1], np.uint64, offset=trace_ids.offset * 16, count=2 * len(trace_ids))
    return Ids(words[::2] ^ _mixed(words[1::2]), words[1::2].copy())


def binary(ids: Ids) -> pa.Array:
    """The ids as they came, 16 bytes each."""
    words = np.empty(2 * len(ids.key), np.uint64)
    words[::2], words[1::2] = ids.key ^ _mixed(ids.low), ids.low
    return pa.Array.from_buffers(pa.binary(16), len(ids.key), [None, pa.py_buffer(words)])


def joined(parts: list[Ids]) -> Ids:
    """One after the other."""
    return Ids(np.concatenate([part.key for part in parts]), np.concatenate([part.low for part in parts])) if parts else NO_IDS


def distinct(ids: Ids) -> tuple[Ids, np.ndarray]:
    """(each id once, sorted; for every given one its place there)."""
    order = np.lexsort((ids.low, ids.key))
    found, ordered = runs(ids.at(order))
    place = np.empty(len(order), np.int64)
    place[order] = ordered
    return found, place


def runs(ids: Ids) -> tuple[Ids, np.ndarray]:
    """(the first of each run of equal ids, in order; for every given one the place of its run). The spans of a trace mostly lie together,
    and this sorts nothing.
    """
    new = np.ones(len(ids.key), bool)
    new[1:] = (ids.key[1:] != ids.key[:-1]) | (ids.low[1:] != ids.low[:-1])
    return ids.at(new), np.cumsum(new) - 1


def grouped(ids: Ids) -> tuple[np.ndarray, int]:
    """(the group of every id: equal ones share a number, in the order they come first; how many groups there are)."""
    group = np.empty(len(ids.key), np.int64)
    key, low = np.empty(len(ids.key), np.uint64), np.empty(len(ids.key), np.uint64)
    return group, hashtable.put(hashtable.table(len(ids.key)), key, low, 0, ids.key, ids.low, group)


class IdIndex:
    """id -> slot. Slots are numbered by whoever owns the rows; both arrays are indexed by slot."""

    def __init__(self, capacity: int = 1024) -> None:
        self.key, self.low = np.zeros(capacity, np.uint64), np.zeros(capacity, np.uint64)
        self._places = hashtable.table(2 * capacity)
        self._used = 0  # live and gone ones
        self.count = 0

    def find(self, ids: Ids) -> np.ndarray:
        """The slot of each id, -1 for none."""
        found = np.empty(len(ids.key), np.int64)
        hashtable.find(self._places, self.key, self.low, ids.key, ids.low, found)
        return found

    def add(self, ids: Ids, slots: np.ndarray) -> None:
        """Ids that are not there, each once, at these slots."""
        highest = int(slots.max()) + 1 if len(slots) else 0
        if highest > len(self.key):
            self._grow(highest)
        self.key[slots], self.low[slots] = ids.key, ids.low
        if 2 * (self._used + len(slots)) > len(self._places):
            self._rebuild(self.count + len(slots))
        hashtable.insert(self._places, self.key, slots)
        self.count += len(slots)
        self._used += len(slots)

    def remove(self, slots: np.ndarray) -> None:
        """Forget these."""
        hashtable.remove(self._places, self.key, slots)
        self.count -= len(slots)

    def _rebuild(self, count: int) -> None:
        live = self._places[self._places >= 0].astype(np.int64)
        self._places = hashtable.table(max(2 * count, len(self._places) // 2))
        self._used = len(live)
        hashtable.insert(self._places, self.key, live)

    def _grow(self, slots: int) -> None:
        size = max(len(self.key) * 2, slots)
        self.key, self.low = np.resize(self.key, size), np.resize(self.low, size)


def _mixed(words: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


NO_IDS = Ids(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
