"""Who wraps whom: from every candidate up through its ancestors to the nearest one of its own group, as far as they have arrived."""

from __future__ import annotations

import numpy as np

from observatory.pipeline.counting.links import Links
from observatory.pipeline.counting.memory import NONE, Memory

_HIGHEST = 512  # generations; deeper trees than this, or circles, are no trees


def climb(memory: Memory, links: Links, rows: np.ndarray) -> np.ndarray:
    """Go up from each row's `frontier` until an ancestor of its group is met, a root, or one that is not there. Fills `outer`, `frontier`.

    Returns the rows for which an ancestor was found.
    """
    found: list[np.ndarray] = []
    active = rows[memory.frontier[memory.at(rows)] != 0]
    for _ in range(_HIGHEST):
        if not len(active):
            break
        at = memory.at(active)
        link = links.find(memory.frontier[at])
        row = np.where(link.known & memory.known(link.row), link.row, NONE)
        there = memory.at(np.maximum(row, 0))
        mine = (row >= 0) & (memory.group[there] == memory.group[at]) & ~memory.native[there] & ~memory.never[there] & (row != active)
        memory.outer[at[mine]] = row[mine]
        found.append(active[mine])
        memory.frontier[at] = np.where(mine, 0, np.where(link.known, link.parent, memory.frontier[at]))
        active = active[link.known & ~mine & (link.parent != 0)]
    else:
        memory.frontier[memory.at(active)] = 0
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def tell_ancestors(memory: Memory, rows: np.ndarray) -> np.ndarray:
    """Let the ancestors of `rows` know what is inside them. Returns the rows whose `inner_call` or `inner_usage` changed."""
    changed: list[np.ndarray] = []
    for _ in range(_HIGHEST):
        rows = rows[~memory.native[memory.at(rows)]]
        at = memory.at(rows)
        outer = memory.outer[at]
        rows, at, outer = (each[memory.known(outer) & (outer >= 0)] for each in (rows, at, outer))
        call = (memory.call[at] & ~memory.never[at]) | memory.inner_call[at]
        usage = (memory.usage[at] & ~memory.never[at]) | memory.inner_usage[at]
        above = memory.at(outer)
        news = (call & ~memory.inner_call[above]) | (usage & ~memory.inner_usage[above])
        if not news.any():
            break
        memory.inner_call[above[call]] = True
        memory.inner_usage[above[usage]] = True
        rows = np.unique(outer[news])
        changed.append(rows)
    return np.unique(np.concatenate(changed)) if changed else np.zeros(0, np.int64)


def related(memory: Memory, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Which pairs are ancestor and descendant, as far as it is known."""
    return _above(memory, one, two) | _above(memory, two, one)


def _above(memory: Memory, rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where `wanted` is an ancestor, within its group, of `rows`."""
    met = np.zeros(len(rows), bool)
    current = rows.copy()
    for _ in range(_HIGHEST):
        valid = memory.known(current) & (current >= 0)
        current = np.where(valid, memory.outer[memory.at(np.maximum(current, 0))], NONE)
        if not (current >= 0).any():
            break
        met |= current == wanted
    return met
