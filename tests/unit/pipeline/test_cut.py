"""The cut: every open row moves once, and an attempt that fails or is interrupted leaves nothing behind."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry
from rows import NOW, span_rows

from observatory.contracts import OpenRecord
from observatory.model.batch import Batch
from observatory.model.clock import DAY, SECOND
from observatory.model.signal import Signal
from observatory.pipeline.config import CutConfig, JournalConfig
from observatory.pipeline.cpu import CpuSeconds
from observatory.pipeline.cut import Cut
from observatory.pipeline.journal import Entry, Journal
from observatory.pipeline.open_rows import OpenRecords
from observatory.pipeline.sampling.sampler import keep_everything
from observatory.pipeline.sampling.sampling import Sampling
from observatory.storage import records
from observatory.storage.manifest import Manifest
from observatory.storage.traces import summarize


class Store:
    """A journal with open rows, a manifest, and a cut between them that calls `before_swap`."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.rng = directory, random.Random(1)
        self.manifest = Manifest.open(directory, NOW)
        self.journal = Journal(directory / "journal", JournalConfig(file_bytes=4 << 20, reserve_bytes=0))
        self.journal.recover(0)
        self.open_rows = OpenRecords()
        self.before_swap = lambda: None
        config = CutConfig(segment_age_s=30)
        sampling = Sampling(keep_everything(directory), directory, self.open_rows, 0)
        before, release = lambda: self.before_swap(), self.journal.release
        self.cut = Cut(config, directory, self.manifest, self.open_rows, before, release, CpuSeconds(), sampling, CollectorRegistry())

    def put(self, n: int = 50, at: int = NOW) -> None:
        rows = span_rows(n, self.rng, at=at)
        (record,) = self.journal.append([Entry(Signal.SPANS, rows, [])], at)
        self.open_rows.add(record, rows)
        self.open_rows.derived(record.seq, [Batch(Signal.TRACES, summarize(pa.Table.from_batches([rows])))])

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.directory / "segments").glob("*/*"))

    def stored(self) -> int:
        return sum(s.rows for s in self.manifest.live(Signal.SPANS))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.cut.stop()
    made.journal.close()
    made.manifest.close()


def test_a_cut_that_fails_just_before_its_swap_leaves_no_files(store: Store) -> None:
    """On a full disk each attempt would otherwise leave 64 MB, and take the space that the next one needs."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    store.put()
    store.before_swap = full
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            store.cut.cut()
    assert store.files() == []
    store.before_swap = lambda: None
    assert store.cut.cut() == store.stored() == 50


def test_two_cuts_at_once_store_every_row_once(store: Store) -> None:
    store.put()
    first = threading.Event()

    def meet() -> None:
        if not first.is_set():
            first.set()
            other.start()
            other.join(0.5)  # the other waits for us; without a lock it is through by then

    other = threading.Thread(target=store.cut.cut)
    store.before_swap = meet
    store.cut.cut()
    other.join()
    assert store.stored() == 50


def test_rows_received_before_the_clock_was_set_back_are_cut_too(store: Store) -> None:
    store.put(at=NOW + DAY)
    store.cut.ticked(NOW)
    assert store.cut._due.is_set()


def test_rows_that_just_came_wait_whichever_thread_read_the_clock_first(store: Store) -> None:
    store.put(at=NOW + SECOND // 1000)
    store.cut.ticked(NOW)
    assert not store.cut._due.is_set()


def test_stopping_does_not_wait_for_a_long_cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog may take longer to cut than the 10 s a supervisor waits. The rows stay in the journal."""
    for _ in range(5):
        store.put()
    reads: list[int] = []
    read = records.read

    def slow(record: OpenRecord) -> pa.RecordBatch:
        reads.append(record.seq)
        store.cut._stopping = True
        return read(record)

    monkeypatch.setattr(records, "read", slow)
    store.cut.start()
    store.cut.ticked(NOW + 31 * SECOND)
    thread = store.cut._thread
    assert thread is not None
    thread.join(5)
    assert not thread.is_alive()
    assert reads == [1]
    assert (store.files(), store.cut.last_error, store.manifest.checkpoint) == ([], None, 0)
