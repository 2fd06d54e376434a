"""What fragments of traces add up to, found without grouping all of them in SQL: the costliest and the slowest of a million traces.

DuckDB groups 650,000 fragments by their ids and looks for the largest sums in 0.7 s of processor. Here the numbers lie in memory beside
the ids, sorted by them in every segment, so that all segments are one merge of sorted runs: 70 ms, for 52 bytes a fragment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from observatory.contracts import Segment
from observatory.model.arrays import one
from observatory.model.clock import Nanos
from observatory.model.money import picodollars
from observatory.model.schema import USD
from observatory.model.traceids import Ids, binary, ids_of
from observatory.storage.fragmentstarts import fragments_of
from observatory.storage.grouping import numbers
from observatory.storage.held import Held

COLUMNS = ("trace_id", "start_ns", "end_ns", "llm_calls", "unpriced_calls", "input_tokens", "output_tokens", "total_cost_usd")
_ENTRY_BYTES = 52
_MOST_ALIKE = 4096  # traces of one value, beyond which SQL, which orders them by id as well, is as quick
_SAFE = 2**62  # beyond, sums could wrap: SQL has wider ones
Each = Callable[[str], np.ndarray]
_LEAST, _MOST = -(2**63), 2**63 - 1


class Sums:
    """The numbers of fragments, by their traces' ids."""

    def __init__(self, fragments: pa.Table) -> None:
        ids = ids_of(one(fragments, "trace_id"))
        order = np.argsort(ids.key, kind="stable")
        self.key, self.low = ids.at(order)
        self.start, self.end = numbers(fragments, "start_ns")[order], numbers(fragments, "end_ns")[order]
        self.priced = (numbers(fragments, "llm_calls") - numbers(fragments, "unpriced_calls"))[order].astype(np.int32)
        self.cost = picodollars(one(fragments, "total_cost_usd").cast(USD))[order]
        tokens = [numbers(fragments, name)[order] for name in ("input_tokens", "output_tokens")]
        self.tokens = tokens[0] + tokens[1]
        self.largest = max((float(np.abs(values.astype(np.float64)).sum()) for values in (self.cost, *tokens)), default=0.0)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return sum(part.nbytes for part in (self.key, self.low, self.start, self.end, self.priced, self.cost, self.tokens))


class MomentSums:
    """`Sums` of several segments and of what is in no segment yet, as one."""

    def __init__(self, parts: Sequence[Sums]) -> None:
        self._parts = parts

    def first(
        self, column: str, window: tuple[Nanos, Nanos], count: int, *, largest: bool, behind: tuple[int, bytes] | None
    ) -> pa.Array | None:
        """The ids of the `count` traces that start in [from, to) and are first by `cost_rank`, `duration_ns` or `token_rank` (as
        `trace_columns.sql` has them) and then by id; of a page that continues, strictly behind a value and an id. None when that is not
        known here.
        """
        if column not in _VALUES or sum(part.largest for part in self._parts) > _SAFE:
            return None
        keys = np.concatenate([part.key for part in self._parts])
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        group = np.flatnonzero(np.diff(keys, prepend=~keys[:1]) != 0)
        if not len(group):
            return pa.array([], pa.binary(16))

        def each(name: str) -> np.ndarray:
            return np.concatenate([getattr(part, name) for part in self._parts])[order]

        start = np.minimum.reduceat(each("start"), group)
        value = _VALUES[column](each, group, start)
        if largest:
            value = ~value  # falls where it rose, and never wraps
        within = (start >= window[0]) & (start < window[1])
        edge = None if behind is None else ~behind[0] if largest else behind[0]
        if edge is not None:
            within &= value >= edge
        found = np.flatnonzero(within)
        alike = 0 if edge is None else int((value[found] == edge).sum())
        if len(found) > count + alike:
            found = found[value[found] <= np.partition(value[found], count + alike - 1)[count + alike - 1]]
        if len(found) > _MOST_ALIKE + count:
            return None
        places = group[found]
        ids = binary(Ids(keys[places], each("low")[places]))
        return _ranked(ids, value[found], count, largest, None if behind is None or edge is None else (edge, behind[1]))


def _ranked(ids: pa.Array, values: np.ndarray, count: int, largest: bool, behind: tuple[int, bytes] | None) -> pa.Array:
    """The first by value and id, an id that is larger before or behind as its order has it."""
    texts = ids.to_pylist()
    by_id = sorted(range(len(texts)), key=texts.__getitem__, reverse=largest)
    ranked = sorted(by_id, key=values.__getitem__)
    if behind is not None:
        edge, last = behind
        ranked = [i for i in ranked if values[i] > edge or (texts[i] < last if largest else texts[i] > last)]
    return ids.take(pa.array(ranked[:count], pa.int64()))


def _cost(each: Each, group: np.ndarray, _: np.ndarray) -> np.ndarray:
    cost = np.minimum(np.add.reduceat(each("cost"), group), 9_000_000 * 10**12)
    return np.where(np.add.reduceat(each("priced").astype(np.int64), group) > 0, cost, -1)


def _duration(each: Each, group: np.ndarray, start: np.ndarray) -> np.ndarray:
    end = np.maximum.reduceat(each("end"), group)
    found = end - start
    return np.where((end >= start) & (found < 0), _MOST, np.where((end < start) & (found >= 0), _LEAST, found))


def _tokens(each: Each, group: np.ndarray, _: np.ndarray) -> np.ndarray:
    return np.add.reduceat(each("tokens"), group)


_VALUES = {"cost_rank": _cost, "duration_ns": _duration, "token_rank": _tokens}


class FragmentSums:
    """`Sums` of the segments asked for last, within `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._held = Held[Sums](limit)

    def holds(self, segments: list[Segment]) -> bool:
        """Whether all of these fit at once."""
        return self._held.holds(segments, _ENTRY_BYTES)

    def of(self, segment: Segment, path: Path) -> Sums:
        """Those of one segment of traces. Raises OSError or ArrowException when it cannot be read."""
        return self._held.of(segment, lambda: Sums(fragments_of(path, COLUMNS)))
