"""Compaction: small segments of one hour become one, so that a query opens few files. Nothing is changed but where rows lie."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from observatory.contracts import Segment, Swap
from observatory.jobs.config import JobsConfig
from observatory.model.clock import HOUR, MINUTE, Nanos
from observatory.model.signal import Signal
from observatory.storage.files import DISK, Files
from observatory.storage.manifest import Manifest
from observatory.storage.segment import SegmentWriter
from observatory.storage.traces import fold

TRACE_ROWS = 400_000
"""Rows of `traces` segments that one task may hold: they are folded in memory, about 250 bytes a row."""

_OVER = 5 * MINUTE  # an hour is over when this much has passed since: cuts lag behind arrival


@dataclass(frozen=True, slots=True)
class Merge:
    """Segments of one signal, tier, grain and hour of arrival."""

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
        """Rewrite, a row group at a time. A source that cannot be read is set aside, and the others are merged another time."""
        with self._manifest.pin() as pin:
            live = {s.id for s in pin.segments}
            if not all(s.id in live for s in task.sources):
                return None
            first, ids = task.sources[0], tuple(s.id for s in task.sources)
            writer = SegmentWriter(
                self._data_dir, self._manifest.next_id(), first.signal, first.tier, first.grain, replaces=ids, files=self._files
            )
            try:
                rows = self._folded(task) if first.signal is Signal.TRACES else self._read(task.sources)
                for table in rows:
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
        """As many as fit the target, the smallest first; none larger than the others together while their hour lasts."""
        small.sort(key=lambda s: (s.bytes, s.id))
        over = now > (small[0].received_from // HOUR + 1) * HOUR + _OVER
        best, size, rows = 0, 0, 0
        for count, segment in enumerate(small, 1):
            if size + segment.bytes > self._config.target_bytes or (segment.signal is Signal.TRACES and rows + segment.rows > TRACE_ROWS):
                break
            if count >= (2 if over else self._config.min_files) and (over or segment.bytes <= size):
                best = count
            size, rows = size + segment.bytes, rows + segment.rows
        return small[:best]

    def _read(self, sources: Sequence[Segment]) -> Iterator[pa.Table]:
        for segment in sources:
            try:
                with pq.ParquetFile(self._data_dir / segment.uri, page_checksum_verification=True) as file:
                    for group in range(file.num_row_groups):
                        yield file.read_row_group(group, use_threads=False)
            except (OSError, pa.ArrowException) as error:
                raise _Unreadable(segment, f"{segment.uri}: {error}") from error

    def _folded(self, task: Merge) -> Iterator[pa.Table]:
        """All fragments, those of one trace added together."""
        fragments = pa.concat_tables(self._read(task.sources))
        folded = pa.Table.from_batches([fold(fragments)])
        before, after = (int(pc.call_function("sum", [rows.column("span_count")]).as_py()) for rows in (fragments, folded))
        if before != after:
            raise RuntimeError(f"{task.title}: fragments of {before} spans went in and of {after} came out; nothing was changed")
        yield folded


class _Unreadable(Exception):
    def __init__(self, segment: Segment, why: str) -> None:
        super().__init__(why)
        self.segment = segment


def _group(segment: Segment) -> tuple[str, str, str, int]:
    return segment.signal, segment.tier, segment.grain, segment.received_from // HOUR


def _check(task: Merge, merged: Segment | None, writer: SegmentWriter) -> None:
    """What came in went out; a merge that loses rows must never be published. (`_folded` looks after traces.)"""
    if task.sources[0].signal is Signal.TRACES:
        return
    before, after = sum(s.rows for s in task.sources), merged.rows if merged else 0
    if before != after:
        writer.abort()
        raise RuntimeError(f"{task.title}: {before} rows went in and {after} came out; nothing was changed")
