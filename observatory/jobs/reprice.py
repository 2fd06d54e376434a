"""Re-pricing: stored calls at today's prices, window by window, as revisions like any other.

A window is done while nothing is derived or cut (`still`), so that no revision of the same call is made elsewhere meanwhile; exports are
taken all the time. What is asked for, and how far it is, stands in the manifest: a restart goes on with the window that was not published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from observatory.contracts import Batch, Segment, Swap
from observatory.model.arrays import one, whole
from observatory.model.clock import MINUTE, Nanos
from observatory.model.money import picodollars
from observatory.model.schema import COSTS, schema
from observatory.model.signal import Signal
from observatory.query.times import rfc3339
from observatory.storage.calls import fold
from observatory.storage.manifest import Manifest
from observatory.storage.segment import SegmentWriter

WINDOW = 10 * MINUTE
"""At 1,000 calls a second 600,000 rows, some 200 MB and two seconds; the pipeline stands still for that long."""

_KEY = "reprice"


@dataclass(frozen=True, slots=True)
class Progress:
    """What was asked for (calls that started in [from_ns, to_ns)), and how far it is. Money in 10^-12 dollars."""

    from_ns: Nanos
    to_ns: Nanos
    done_to_ns: Nanos
    calls: int = 0
    changed: int = 0
    cost_before: int = 0
    cost_after: int = 0

    @property
    def finished(self) -> bool:
        """Every window is done."""
        return self.done_to_ns >= self.to_ns


@dataclass(frozen=True, slots=True)
class Window:
    """One step."""

    from_ns: Nanos
    to_ns: Nanos

    @property
    def title(self) -> str:
        """For people."""
        return f"re-price calls from {rfc3339(self.from_ns)} to {rfc3339(self.to_ns)}"


class Reprice:
    """The `Job`. `reprice` gives rows of calls their costs anew, `changes` what sums and traces are told of rows with their signs, `adopt`
    tells the stage that counts.
    """

    name = "reprice"

    def __init__(
        self,
        data_dir: Path,
        manifest: Manifest,
        still: Callable[[], AbstractContextManager[None]],
        reprice: Callable[[pa.Table], pa.Table],
        changes: Callable[[pa.Table, np.ndarray], Iterable[Batch]],
        adopt: Callable[[pa.Table], None],
    ) -> None:
        self._data_dir, self._manifest = data_dir, manifest
        self._still, self._reprice, self._changes, self._adopt = still, reprice, changes, adopt

    def request(self, from_ns: Nanos, to_ns: Nanos) -> Progress:
        """Ask for a window; what was asked for before and is not finished is given up."""
        return self._keep(Progress(from_ns, to_ns, from_ns))

    def progress(self) -> Progress | None:
        """How far the last request is; None when there never was one."""
        said = self._manifest.get(_KEY)
        return Progress(**json.loads(said)) if said else None

    def plan(self, live: Sequence[Segment], now: Nanos) -> Sequence[Window]:
        """The windows that hold calls, the earliest first."""
        asked = self.progress()
        if asked is None or asked.finished:
            return []
        segments = [s for s in live if s.signal is Signal.LLM_CALLS and s.end_ns >= asked.done_to_ns and s.start_ns < asked.to_ns]
        starts: set[Nanos] = set()
        for segment in segments:
            low, high = max(segment.start_ns, asked.done_to_ns), min(segment.end_ns + 1, asked.to_ns)
            starts.update(range(low // WINDOW * WINDOW, high, WINDOW))
        windows = [Window(max(start, asked.done_to_ns), min(start + WINDOW, asked.to_ns)) for start in sorted(starts)]
        # the last step also finishes what holds nothing, and what is not in segments yet
        return [*windows, Window(windows[-1].to_ns if windows else asked.done_to_ns, asked.to_ns)]

    def run(self, task: Window, stop: Event) -> Swap | None:
        """Re-price the window. Publishes by itself, because nothing may come between reading and publishing."""
        asked = self.progress()
        if asked is None or stop.is_set() or task.from_ns < asked.done_to_ns:
            return None
        with self._still():
            before = self._read(task)
            after = self._reprice(before)
            changed = pa.array(_differ(before, after))
            was, now = before.filter(changed).combine_chunks(), after.filter(changed).combine_chunks()
            if now.num_rows:
                now = now.set_column(now.schema.get_field_index("revision"), now.schema.field("revision"), _next(now)).combine_chunks()
                self._publish(was, now)
                self._adopt(now)
        sums = (_total(before), _total(after))
        said = replace(asked, done_to_ns=task.to_ns, calls=asked.calls + before.num_rows, changed=asked.changed + now.num_rows)
        self._keep(replace(said, cost_before=asked.cost_before + sums[0], cost_after=asked.cost_after + sums[1]))
        return None

    def _read(self, task: Window) -> pa.Table:
        window = [("start_ns", ">=", task.from_ns), ("start_ns", "<", task.to_ns)]
        overlap = [s for s in self._manifest.live(Signal.LLM_CALLS) if s.end_ns >= task.from_ns and s.start_ns < task.to_ns]
        parts = [pq.ParquetFile(self._data_dir / s.uri) for s in overlap]
        rows = [file.read(use_threads=False).filter(pq.filters_to_expression(window)) for file in parts]
        return pa.Table.from_batches([fold(whole([schema(Signal.LLM_CALLS).empty_table(), *rows]))])

    def _publish(self, was: pa.Table, now: pa.Table) -> None:
        counted = [np.asarray(one(rows, "counted")) for rows in (was, now)]
        moved = whole([was.filter(pa.array(counted[0])), now.filter(pa.array(counted[1]))])
        signs = np.concatenate((np.full(int(counted[0].sum()), -1), np.full(int(counted[1].sum()), 1)))
        batches = [Batch(Signal.LLM_CALLS, rows) for rows in now.to_batches()]
        batches += list(self._changes(moved, signs)) if moved.num_rows else []
        writers = [SegmentWriter(self._data_dir, self._manifest.next_id(), batch.signal) for batch in batches]
        try:
            for writer, batch in zip(writers, batches, strict=True):
                writer.write(batch.rows)
            added = [segment for writer in writers if (segment := writer.finish())]
        except BaseException:
            for writer in writers:
                writer.abort()
            raise
        self._manifest.swap(Swap(add=added))

    def _keep(self, progress: Progress) -> Progress:
        self._manifest.set(_KEY, json.dumps(asdict(progress)))
        return progress


def _differ(before: pa.Table, after: pa.Table) -> np.ndarray:
    found = np.zeros(before.num_rows, bool)
    for name in COSTS:
        old, new = one(before, name), one(after, name)
        found |= (picodollars(old) != picodollars(new)) | (np.asarray(old.is_valid()) != np.asarray(new.is_valid()))
    return found


def _next(rows: pa.Table) -> pa.Array:
    return pa.array(np.asarray(one(rows, "revision")) + 1, pa.int32())


def _total(rows: pa.Table) -> int:
    """The cost of the calls that count."""
    cost = picodollars(one(rows, "total_cost_usd"))
    return int(cost[np.asarray(one(rows, "counted"))].sum())
