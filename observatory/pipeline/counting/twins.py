"""The same call in two spans that are not parent and child: told by the provider's response id, or, of an SDK's own span, by its time."""

from __future__ import annotations

import numpy as np

from observatory.model.clock import Nanos
from observatory.pipeline.counting.family import related
from observatory.pipeline.counting.links import Links
from observatory.pipeline.counting.memory import LLM, Memory

_SLACK: Nanos = 20_000_000  # an SDK's span lies within the one that wraps it but for this
_OVERLAPPING = 16  # calls of one service and model at once that are looked at


def by_response(memory: Memory, ids: Links, rows: np.ndarray, keys: np.ndarray, now: Nanos) -> np.ndarray:
    """Marks which of the rows that share a response id stand back: sets `twin`. `keys` is 0 where there is no id.

    The instrumentation's span wins over the SDK's own, one with usage over one without, the earlier over the later; parent and child are
    left to the rule of wrapping. Returns the rows whose `twin` changed.
    """
    changed: list[np.ndarray] = []
    rows, keys = rows[keys != 0], keys[keys != 0]
    while len(rows):
        # one row of each id at a time, so that each meets the winner so far
        _, first = np.unique(keys, return_index=True)
        mine, mine_keys = rows[first], keys[first]
        found = ids.find(mine_keys)
        fresh = ~found.known | ~memory.known(found.row)
        memory.best[memory.at(mine[fresh])] = mine[fresh]
        ids.add(mine_keys[fresh], mine[fresh], now)
        met = np.flatnonzero(~fresh)
        if len(met):
            changed.append(_decide(memory, found.row[met], mine[met]))
        rest = np.ones(len(rows), bool)
        rest[first] = False
        rows, keys = rows[rest], keys[rest]
    return np.concatenate(changed) if changed else np.zeros(0, np.int64)


def _decide(memory: Memory, anchors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    best = memory.best[memory.at(anchors)]
    best = np.where(memory.known(best), best, anchors)
    kin = related(memory, best, rows)
    b, r = memory.at(best), memory.at(rows)
    better = (memory.native[b] & ~memory.native[r]) | ((memory.native[b] == memory.native[r]) & memory.usage[r] & ~memory.usage[b])
    better &= memory.call[r] & ~memory.never[r]
    winner, loser = np.where(better, rows, best), np.where(better, best, rows)
    apart = ~kin & (winner != loser)
    memory.twin[memory.at(loser[apart])] = winner[apart]
    memory.best[memory.at(anchors)] = np.where(kin, best, winner)
    return loser[apart]


class Lonely:
    """Spans of SDKs that nothing was found for yet, matched by time within one service, provider and model when the other arrives."""

    def __init__(self) -> None:
        self._waiting = np.zeros(0, np.int64)
        self._wrapped: set[int] = set()  # likenesses of which there are instrumentations' spans

    def match(self, memory: Memory, rows: np.ndarray) -> np.ndarray:
        """Look for the pairs that new `rows` make; sets `twin` of the SDK's spans. Returns those."""
        at = memory.at(rows)
        llm = memory.group[at] == LLM
        plain = rows[llm & ~memory.native[at] & memory.call[at] & ~memory.never[at]]
        self._wrapped.update(np.unique(memory.likeness[memory.at(plain)]).tolist())
        alone = llm & memory.native[at] & (memory.outer[at] < 0) & (memory.twin[at] < 0)
        if len(self._waiting):
            there = memory.at(self._waiting)
            still = memory.known(self._waiting) & (memory.outer[there] < 0) & (memory.twin[there] < 0)
            self._waiting = self._waiting[still]
        new = rows[alone]
        self._waiting = np.concatenate((self._waiting, new))
        if not len(self._waiting) or not self._wrapped:
            return np.zeros(0, np.int64)
        likeness = memory.likeness[memory.at(self._waiting)]
        both = [like for like in np.unique(likeness).tolist() if like in self._wrapped]
        found = [_within(memory, self._waiting[likeness == like], like) for like in both]
        return np.concatenate(found) if found else np.zeros(0, np.int64)


def _within(memory: Memory, natives: np.ndarray, like: int) -> np.ndarray:
    """The natives that lie inside the time of another span of the likeness; where both name a model it is the same."""
    rows = memory.remembered()
    at = memory.at(rows)
    usable = (memory.likeness[at] == np.uint64(like)) & ~memory.native[at] & memory.call[at] & ~memory.never[at]
    rows = rows[usable & (memory.group[at] == LLM)]
    if not len(rows):
        return np.zeros(0, np.int64)
    rows = rows[np.argsort(memory.start[memory.at(rows)], kind="stable")]
    starts, ends = memory.start[memory.at(rows)], memory.end[memory.at(rows)]
    n = memory.at(natives)
    last = np.searchsorted(starts, memory.start[n] + _SLACK, side="right") - 1
    matched = np.full(len(natives), -1, np.int64)
    for back in range(_OVERLAPPING):
        at = last - back
        fits = (at >= 0) & (matched < 0)
        fits &= ends[np.maximum(at, 0)] >= memory.end[n] - _SLACK
        model = memory.model[memory.at(rows[np.maximum(at, 0)])]
        fits &= (model == memory.model[n]) | (model == 0) | (memory.model[n] == 0)
        matched[fits] = rows[at[fits]]
    found = matched >= 0
    memory.twin[n[found]] = matched[found]
    return natives[found]
