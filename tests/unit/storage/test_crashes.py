"""Stopped before any step of a cut, a merge or an expiry, storage is afterwards as it was before or as it is after: nothing in between."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from storage_makers import NOW, rows, values, write

from observatory.contracts import Job, Swap
from observatory.jobs.compact import Compact
from observatory.jobs.config import JobsConfig
from observatory.jobs.expire import Expire
from observatory.model.clock import DAY, HOUR
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.storage import calls, rollups
from observatory.storage.check import check
from observatory.storage.config import StorageConfig
from observatory.storage.files import Files
from observatory.storage.ledger import Ledger
from observatory.storage.manifest import Manifest


class Crash(BaseException):
    """The machine stops here."""


class Stopping(Files):
    """Stops the world before its `left`-th step; afterwards nothing can be done any more, also not by who cleans up."""

    def __init__(self, left: int) -> None:
        self._left, self.dead, self._writes = left, False, 0

    def step(self) -> None:
        self._left -= 1
        if self.dead or self._left < 0:
            self.dead = True
            raise Crash

    def create(self, path: Path) -> int:
        self.step()
        return super().create(path)

    def write(self, fd: int, data: bytes | memoryview) -> None:
        self._writes += 1
        if self.dead or self._writes % 29 == 1:  # a segment is some 130 writes, and one is like the next
            if not self.dead and self._left == 0:  # torn: half of it is written
                os.write(fd, memoryview(data).cast("B")[: len(data) // 2])
            self.step()
        super().write(fd, data)

    def sync(self, fd: int) -> None:
        self.step()
        super().sync(fd)

    def rename(self, source: Path, target: Path) -> None:
        self.step()
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self.step()
        super().unlink(path)


Seen = tuple[list[str], list[str], list[str], list[str], int]


def seen(manifest: Manifest) -> Seen:
    """Everything a reader could see: spans, traces by their spans, the latest of every call, sums of every key."""
    shown = (Signal.SPANS, Signal.TRACES, Signal.LLM_CALLS, Signal.LLM_ROLLUPS)
    found = {s: [pq.read_table(manifest.data_dir / x.uri) for x in manifest.live(s)] for s in shown}
    traces = [f"{row['trace_id']}" for table in found[Signal.TRACES] for row in table.to_pylist() for _ in range(row["span_count"])]
    latest = [calls.fold(pa.concat_tables(found[Signal.LLM_CALLS]))] if found[Signal.LLM_CALLS] else []
    sums = [rollups.fold(Signal.LLM_ROLLUPS, pa.concat_tables(found[Signal.LLM_ROLLUPS]))] if found[Signal.LLM_ROLLUPS] else []
    return values(found[Signal.SPANS]), sorted(traces), values(latest), values(sums), manifest.checkpoint


def prepare(data_dir: Path) -> None:
    """Five cuts, each of spans and their traces."""
    manifest = Manifest.open(data_dir, NOW)
    rng = random.Random(1)
    ids = [rng.randbytes(16) for _ in range(4)]
    for seq in range(1, 6):
        cut(manifest, rng, ids, seq, Files())
    manifest.close()


def cut(manifest: Manifest, rng: random.Random, ids: list[bytes], seq: int, files: Files) -> None:
    spans = rows(Signal.SPANS, 10, rng, ids)
    # the same three calls in every cut, each time revised: the one before is taken back and the new one added
    first = rows(Signal.LLM_CALLS, 3, random.Random(0)).to_pylist()
    before, made = (
        [row | {"revision": number, "output_tokens": 10 * number, "counted": True} for row in first] for number in (seq - 1, seq)
    )
    changes = [*(before if seq > 1 else []), *made]
    sums = rollups.llm_rollups(pa.Table.from_pylist(changes, schema(Signal.LLM_CALLS)), np.array([-1] * (len(changes) - 3) + [1] * 3))
    added = [
        write(manifest, Signal.SPANS, spans, files=files),
        write(manifest, Signal.LLM_CALLS, pa.RecordBatch.from_pylist(made, schema(Signal.LLM_CALLS)), files=files),
        write(manifest, Signal.LLM_ROLLUPS, sums, files=files),
        write(manifest, Signal.TRACES, rows(Signal.TRACES, 10, rng, ids), files=files),
    ]
    manifest.swap(Swap(add=added, checkpoint=seq), NOW)


def run(manifest: Manifest, job: Job, now: int) -> None:
    for task in job.plan(manifest.live(), now):
        swap = job.run(task, Event())
        if swap is not None:
            manifest.swap(swap, now)


ACTIONS: dict[str, Callable[[Manifest, Files], None]] = {
    "cut": lambda m, f: cut(m, random.Random(2), [b"t" * 16], 6, f),
    "compact": lambda m, f: run(m, Compact(m.data_dir, m, JobsConfig(), f), NOW + HOUR),
    "expire": lambda m, f: run(m, Expire(m.data_dir, m, StorageConfig(reserve_bytes=0), files=f), NOW + 8 * DAY),
    "forget": lambda m, f: run(m, Expire(m.data_dir, m, StorageConfig(reserve_bytes=0, gone_days=0), files=f), NOW + 8 * DAY),
}


@pytest.fixture
def ledger_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A crash may also come right before or right after a transaction of SQLite, which is atomic by itself."""

    def stepping(real: Callable[..., None]) -> Callable[..., None]:
        def around(self: Ledger, *args: Any) -> None:
            step = getattr(self._files, "step", lambda: None)
            step()
            real(self, *args)
            step()

        return around

    for name in ("swap", "put", "forget", "logged"):
        monkeypatch.setattr(Ledger, name, stepping(getattr(Ledger, name)))
    yield


@pytest.mark.parametrize("action", list(ACTIONS))
def test_all_or_nothing(action: str, ledger_steps: None, tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    prepare(prepared)
    manifest = Manifest.open(shutil.copytree(prepared, tmp_path / "whole"), NOW)
    before = seen(manifest)
    ACTIONS[action](manifest, Files())
    after = seen(manifest)
    manifest.close()
    outcomes = set()
    for steps in count():
        data_dir = shutil.copytree(prepared, tmp_path / str(steps))
        files = Stopping(10**6)
        manifest = Manifest.open(data_dir, NOW, files=files)
        files._left = steps
        with suppress(Crash):
            ACTIONS[action](manifest, files)
        manifest._ledger.close()
        os.close(manifest._lock_fd)
        manifest = Manifest.open(data_dir, NOW)
        found = seen(manifest)
        assert found in (before, after), f"after step {steps}"
        outcomes.add((found == after, len(manifest.live())))  # a merge changes only how many files there are
        manifest.close()
        wrong = [finding.what for finding in check(data_dir) if not finding.ok]
        assert not wrong
        manifest = Manifest.open(data_dir, NOW)
        ACTIONS[action](manifest, Files())
        if action != "cut":
            assert seen(manifest) == after, "what was interrupted is done again"
        left = {p for p in (data_dir / "segments").rglob("*.parquet*")} - {data_dir / s.uri for s in manifest.live()}
        assert not left
        manifest.close()
        if not files.dead:
            break
    assert steps > 8, "it was stopped at many different steps"
    assert len(outcomes) > 1 or action == "forget"
