# cython: boundscheck=False, wraparound=False, annotation_typing=False
"""Hash tables in arrays: open addressing, no object for any key. Plain Python that `hashtable.pxd` lets Cython compile: 30 to 60 ns a key.

`places` are int32, a power of two of them, at most half full: each the slot of a key, -1 where there is none, -2 where one was. What
belongs to a slot lies in arrays of whoever owns the table; of these `key` (uint64, spread like a hash) says where to look,
`low` (uint64) what else must be equal. Where the key is all, it is given as `low` too. `slots` are int64. `hash_texts` makes keys of text.
"""

from __future__ import annotations

import numpy as np


def table(slots: int) -> np.ndarray:
    """Places for that many slots."""
    return np.full(1 << max(2 * slots - 1, 1).bit_length(), -1, np.int32)


def find(places: np.ndarray, key: np.ndarray, low: np.ndarray, keys: np.ndarray, lows: np.ndarray, slots: np.ndarray) -> None:
    """Fill `slots` with those of keys that are asked for, -1 for none."""
    mask = len(places) - 1
    for i in range(len(keys)):  # a pass of its own: loads that wait for nothing else come in side by side
        slots[i] = places[keys[i] & mask]
    for i in range(len(keys)):
        asked = keys[i]
        at = asked & mask
        slot = slots[i]
        while slot != -1 and (slot < 0 or key[slot] != asked or low[slot] != lows[i]):
            at = (at + 1) & mask
            slot = places[at]
        slots[i] = slot


def insert(places: np.ndarray, key: np.ndarray, slots: np.ndarray) -> None:
    """Let keys be found at these slots, where `key` has them already. None of them is there."""
    mask = len(places) - 1
    for i in range(len(slots)):
        at = key[slots[i]] & mask
        while places[at] >= 0:
            at = (at + 1) & mask
        places[at] = slots[i]


def remove(places: np.ndarray, key: np.ndarray, slots: np.ndarray) -> None:
    """Let these slots be found no more."""
    mask = len(places) - 1
    for i in range(len(slots)):
        at = key[slots[i]] & mask
        while places[at] != slots[i] and places[at] != -1:
            at = (at + 1) & mask
        if places[at] != -1:
            places[at] = -2


def put(places: np.ndarray, key: np.ndarray, low: np.ndarray, count: int, keys: np.ndarray, lows: np.ndarray, slots: np.ndarray) -> int:
    """Fill `slots` with those of `keys`; one that is not there gets the next slot, from `count` on. Returns how many are used then."""
    mask = len(places) - 1
    for i in range(len(keys)):
        asked = keys[i]
        at = asked & mask
        slot = places[at]
        while slot != -1 and (key[slot] != asked or low[slot] != lows[i]):
            at = (at + 1) & mask
            slot = places[at]
        if slot < 0:
            slot = count
            places[at] = slot
            key[slot] = asked
            low[slot] = lows[i]
            count += 1
        slots[i] = slot
    return count


def together(groups: np.ndarray, rows: np.ndarray, ends: np.ndarray, order: np.ndarray) -> None:
    """Fill `order` (int64) with `rows`, those of one group together, each group's as they come. `groups` says the group of a row, `ends`
    where each begins and, after this, where it ends.
    """
    for i in range(len(rows)):
        group = groups[rows[i]]
        order[ends[group]] = rows[i]
        ends[group] += 1


def hash_texts(letters: memoryview, offsets: np.ndarray, keys: np.ndarray) -> None:
    """Fill `keys` (uint64) with FNV-1a of texts: text i has the bytes from `offsets[i]` up to `offsets[i + 1]` (int32)."""
    begin, prime, most = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF  # named: in a term, compiled, they would be Python's numbers
    for i in range(len(keys)):
        state = begin
        for at in range(offsets[i], offsets[i + 1]):
            state = ((state ^ letters[at]) * prime) & most
        keys[i] = state
