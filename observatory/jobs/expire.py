"""Expiry: what was received longer ago than the retention is deleted, and more than that while the disk is nearly full.

Metrics (calls, sums by minute, feedback) have a retention of their own, and are given up last.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from observatory.contracts import Segment, Swap
from observatory.model.clock import DAY, Nanos
from observatory.model.signal import Signal
from observatory.storage.config import StorageConfig
from observatory.storage.files import DISK, Files
from observatory.storage.manifest import Manifest
from observatory.storage.sweep import empty_trash

METRICS = (Signal.LLM_CALLS, Signal.SPAN_ROLLUPS, Signal.LLM_ROLLUPS, Signal.FEEDBACK)
"""Small, and asked for long after the spans are gone."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """Segments to delete for good, and why; or only what lies about longer than it should."""

    ids: tuple[int, ...]
    bytes: int
    why: str
    now: Nanos

    @property
    def title(self) -> str:
        """For people."""
        return (
            f"delete {len(self.ids)} segments, {self.bytes / 1e6:.1f} MB: {self.why}" if self.ids else "forget old traces, empty the trash"
        )


class Expire:
    """The `Job` that deletes. A segment expires as a whole, when its newest row was received longer ago than its kind is kept."""

    name = "expire"

    def __init__(
        self, data_dir: Path, manifest: Manifest, config: StorageConfig, free: Callable[[], int] | None = None, files: Files = DISK
    ) -> None:
        self._data_dir, self._manifest, self._config, self._files = data_dir, manifest, config, files
        self._free = free or (lambda: shutil.disk_usage(data_dir).free)
        self._tidied: Nanos = 0

    def plan(self, live: Sequence[Segment], now: Nanos) -> Sequence[Deletion]:
        """What is over its time; below the reserve, the oldest until the reserve is free again; and once an hour what is left over."""
        live = [*live, *self._manifest.unreadable()]
        old, tasks = [], []
        for metrics, days in ((False, self._config.retention_days), (True, self._config.metrics_days)):
            over = [s for s in live if (s.signal in METRICS) is metrics and s.received_to < now - days * DAY]
            if over:
                tasks.append(_deletion(over, f"received more than {days:g} days ago", now))
            old += over
        # what a reader still holds is as good as free: else everything would be given up while one long question runs
        missing = self._config.reserve_bytes - self._free() - self._manifest.leaving() - sum(s.bytes for s in old)
        if self._config.reserve_bytes and missing > 0:
            early = _oldest([s for s in live if s not in old], missing)
            if early:
                tasks.append(_deletion(early, "the disk was full, and these were the oldest", now))
        if now - self._tidied > DAY / 24:
            tasks.append(Deletion((), 0, "", now))
        return tasks

    def run(self, task: Deletion, stop: Event) -> Swap | None:
        """The swap that drops them; the files go when no reader uses them any more."""
        if task.ids:
            live = {s.id for s in (*self._manifest.live(), *self._manifest.unreadable())}
            ids = [id for id in task.ids if id in live]
            return Swap(drop=ids, expired=task.why) if ids else None
        self._manifest.forget(task.now - int(self._config.gone_days * DAY))
        empty_trash(self._data_dir, task.now, self._config.trash_days, self._files)
        self._tidied = task.now
        return None


def _deletion(segments: list[Segment], why: str, now: Nanos) -> Deletion:
    return Deletion(tuple(s.id for s in segments), sum(s.bytes for s in segments), why, now)


def _oldest(live: list[Segment], wanted: int) -> list[Segment]:
    """The segments received first, so that a trace goes with its row in the list of traces; metrics when nothing else is left."""
    chosen: list[Segment] = []
    for segment in sorted(live, key=lambda s: (s.signal in METRICS, s.received_to, s.id)):
        if wanted <= 0 and (segment.received_to > chosen[-1].received_to or segment.signal in METRICS):
            break
        chosen.append(segment)
        wanted -= segment.bytes
    return chosen
