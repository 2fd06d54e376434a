"""Compaction: small segments of one hour, and of one day for metrics, become one, so that a query opens few files.

Rows that were received only change their place. Derived ones are added together: fragments of one trace, sums of one key; of the revisions
of one call the highest stays. What they add up to is compared before anything is published.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

import pyarrow as pa
import pyarrow.parquet as pq

from observatory.contracts import Segment, Swap
from observatory.jobs.config import JobsConfig
from observatory.jobs.expire import METRICS
from observatory.model.clock import DAY, HOUR, MINUTE, Nanos
from observatory.model.signal import Signal
from observatory.storage import calls, rollups, traces
from observatory.storage.files import DISK, Files
from observatory.storage.manifest import Manifest
from observatory.storage.segment import SegmentWriter

MOST_ROWS = {Signal.TRACES: 400_000, Signal.SPAN_ROLLUPS: 100_000, Signal.LLM_ROLLUPS: 100_000, Signal.LLM_CALLS: 1_000_000}
"""Rows that one task may take. They are folded in memory: traces take 250 bytes a row, rollups up to 1 kB, calls 24 bytes."""

_Fold = Callable[[pa.Table], pa.RecordBatch]
_Sums = Callable[[pa.Table], dict[str, int]]
FOLDED: dict[Signal, tuple[_Fold, _Sums]] = {
    Signal.TRACES: (traces.fold, traces.sums_of),
    Signal.SPAN_ROLLUPS: (partial(rollups.fold, Signal.SPAN_ROLLUPS), partial(rollups.sums_of, Signal.SPAN_ROLLUPS)),
    Signal.LLM_ROLLUPS: (partial(rollups.fold, Signal.LLM_ROLLUPS), partial(rollups.sums_of, Signal.LLM_ROLLUPS)),
}
"""How rows are added together, and what must be the same before and after."""

_AT_ONCE = 8192  # rows read: a row group of calls is 65,536, and 28 MB
_OVER = 5 * MINUTE  # an hour is over when this much has passed since: cuts lag behind arrival


def period(signal: Signal) -> Nanos:
    """The time of arrival that a merged segment spans: metrics are kept for 400 days, which would be 9,600 files a signal by the hour."""
    return DAY if signal in METRICS else HOUR


@dataclass(frozen=True, slots=True)
class Merge:
    """Segments of one signal, tier, grain and hour (metrics: day) of arrival."""

    sources: tuple[Segment, ...]

    @property
    def title(self) -> str:
        """For people."""
        size = sum(s.bytes for s in self.sources)
        return f"merge {len(self.sources)} segments of {self.sources[0].signal}, {size / 1e6:.1f} MB"


class Compact:
    """The `Job` that merges."""

    name = "compact"

    def __init__(self, data_dir: Path, manifest: Manifest, config: JobsConfig, files: Files = DISK) -> None:
        self._data_dir, self._manifest, self._config, self._files = data_dir, manifest, config, files

    def plan(self, live: Sequence[Segment], now: Nanos) -> Sequence[Merge]:
        """One merge for each group that is worth one, the oldest first."""
        if not self._config.compact:
            return []
        small = sorted((s for s in live if s.bytes < self._config.small_bytes), key=_group)
        chosen = [self._choose(list(group), now) for _, group in itertools.groupby(small, key=_group)]
        merges = [Merge(tuple(sorted(sources, key=lambda s: s.id))) for sources in chosen if sources]
        return sorted(merges, key=lambda merge: merge.sources[0].received_from)

    def run(self, task: Merge, stop: Event) -> Swap | None:
        """Rewrite, a part at a time. A source that cannot be read is set aside, and the others are merged another time."""
        with self._manifest.pin() as pin:
            live = {s.id for s in pin.segments}
            if not all(s.id in live for s in task.sources):
                return None
            first, ids = task.sources[0], tuple(s.id for s in task.sources)
            writer = SegmentWriter(
                self._data_dir, self._manifest.next_id(), first.signal, first.tier, first.grain, replaces=ids, files=self._files
            )
            try:
                for table in self._rows(task):
                    if stop.is_set():
                        writer.abort()
                        return None
                    writer.write(table)
                merged = writer.finish()
            except _Unreadable as error:
                writer.abort()
                self._manifest.set_aside(error.segment.id, str(error))
                return None
            except BaseException:
                writer.abort()
                raise
        _check(task, merged, writer)
        return Swap(add=(merged,) if merged else (), drop=ids)

    def _choose(self, small: list[Segment], now: Nanos) -> list[Segment]:
        """As many as fit the target, the smallest first; none larger than the others together while their hour or day lasts."""
        small.sort(key=lambda s: (s.bytes, s.id))
        span = period(small[0].signal)
        over = now > (small[0].received_from // span + 1) * span + _OVER
        best, size, rows = 0, 0, 0
        for count, segment in enumerate(small, 1):
            if size + segment.bytes > self._config.target_bytes or rows + segment.rows > MOST_ROWS.get(segment.signal, rows + segment.rows):
                break
            if count >= (2 if over else self._config.min_files) and (over or segment.bytes <= size):
                best = count
            size, rows = size + segment.bytes, rows + segment.rows
        return small[:best]

    def _rows(self, task: Merge) -> Iterator[pa.Table]:
        """The rows of the merged segment."""
        signal = task.sources[0].signal
        if signal is Signal.LLM_CALLS:
            return self._latest(task)
        return self._folded(task, *FOLDED[signal]) if signal in FOLDED else self._read(task.sources)

    def _read(self, sources: Sequence[Segment], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        for segment in sources:
            try:
                with pq.ParquetFile(self._data_dir / segment.uri, page_checksum_verification=True) as file:
                    for group in range(file.num_row_groups):  # one by one: a batch of nested columns cannot come from two
                        for rows in file.iter_batches(_AT_ONCE, row_groups=[group], columns=columns, use_threads=False):
                            yield pa.Table.from_batches([rows])
            except (OSError, pa.ArrowException) as error:
                raise _Unreadable(segment, f"{segment.uri}: {error}") from error

    def _folded(self, task: Merge, fold: _Fold, sums_of: _Sums) -> Iterator[pa.Table]:
        """All rows, those that belong together added up."""
        rows = pa.concat_tables(self._read(task.sources))
        folded = pa.Table.from_batches([fold(rows)])
        _same(task, sums_of(rows), sums_of(folded))
        yield folded

    def _latest(self, task: Merge) -> Iterator[pa.Table]:
        """The latest revision of every call, in the order of arrival: keys are read first, then all of each, a part at a time."""
        kept, before = calls.latest_of(lambda: self._read(task.sources, [*calls.KEY, *calls.SUMMED]))
        after, offset = dict.fromkeys(before, 0), 0
        for table in self._read(task.sources):
            stays = kept[offset : offset + table.num_rows]
            rows = table if stays.all() else table.filter(pa.array(stays))
            offset += table.num_rows
            after = {name: after[name] + value for name, value in calls.sums_of(rows).items()}
            yield rows
        _same(task, before, after)


class _Unreadable(Exception):
    def __init__(self, segment: Segment, why: str) -> None:
        super().__init__(why)
        self.segment = segment


def _group(segment: Segment) -> tuple[str, str, str, int]:
    return segment.signal, segment.tier, segment.grain, segment.received_from // period(segment.signal)


def _same(task: Merge, before: dict[str, int], after: dict[str, int]) -> None:
    if before != after:
        wrong = ", ".join(f"{name} {before[name]} went in and {after[name]} came out" for name in before if before[name] != after[name])
        raise RuntimeError(f"{task.title}: {wrong}; nothing was changed")


def _check(task: Merge, merged: Segment | None, writer: SegmentWriter) -> None:
    """What came in went out; a merge that loses rows must never be published. (`_same` looks after what is folded.)"""
    if task.sources[0].signal in MOST_ROWS:
        return
    before, after = sum(s.rows for s in task.sources), merged.rows if merged else 0
    if before != after:
        writer.abort()
        raise RuntimeError(f"{task.title}: {before} rows went in and {after} came out; nothing was changed")
