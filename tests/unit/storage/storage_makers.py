"""Rows of any signal with every column filled at random, and a store made of the real parts: journal, cut, manifest, engine."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from prometheus_client import CollectorRegistry

from observatory.contracts import OpenRecord, Segment, Swap
from observatory.model.batch import Batch
from observatory.model.clock import SECOND
from observatory.model.schema import schema, time_column
from observatory.model.signal import RECEIVED, Signal
from observatory.pipeline.config import CutConfig, JournalConfig
from observatory.pipeline.cpu import CpuSeconds
from observatory.pipeline.cut import Cut
from observatory.pipeline.journal import Entry, Journal
from observatory.pipeline.open_rows import OpenRecords
from observatory.pipeline.sampling.sampler import keep_everything
from observatory.pipeline.sampling.sampling import Sampling
from observatory.storage import records
from observatory.storage.config import StorageConfig
from observatory.storage.engine import Engine
from observatory.storage.files import DISK, Files
from observatory.storage.manifest import Manifest
from observatory.storage.rollups import llm_rollups, span_rollups
from observatory.storage.segment import SegmentWriter
from observatory.storage.traces import SPAN_COLUMNS, summarize

NOW = 1_795_000_000 * SECOND
WORDS = ["chat", "tool", "agent", "retrieve", "", "naïve ☂", "a" * 300]


def value(type_: pa.DataType, rng: random.Random) -> Any:
    """A random value of an Arrow type, as Python has it."""
    if pa.types.is_dictionary(type_):
        return rng.choice(WORDS)
    if pa.types.is_fixed_size_binary(type_):
        return rng.randbytes(type_.byte_width)
    if pa.types.is_binary(type_):
        return rng.randbytes(rng.choice([0, 8, 16]))
    if pa.types.is_map(type_):
        return [(f"key.{i}", value(type_.item_type, rng)) for i in range(rng.randrange(3))]
    if pa.types.is_list(type_):
        return [value(type_.value_type, rng) for _ in range(rng.randrange(3))]
    if pa.types.is_struct(type_):
        return {field.name: _maybe(field, rng) for field in type_}
    if pa.types.is_boolean(type_):
        return rng.random() < 0.5
    if pa.types.is_floating(type_):
        return rng.uniform(-1e6, 1e6)
    if pa.types.is_integer(type_):
        return rng.randrange(7)
    if pa.types.is_decimal(type_):
        return Decimal(rng.randrange(10**9)).scaleb(-type_.scale)
    return rng.choice(WORDS)


def _maybe(field: pa.Field, rng: random.Random) -> Any:
    return None if field.nullable and rng.random() < 0.3 else value(field.type, rng)


def rows(signal: Signal, n: int, rng: random.Random, traces: Sequence[bytes] = (), at: int = NOW) -> pa.RecordBatch:
    """`n` rows within a second of `at`, of the traces given when the signal has traces."""
    made = []
    for _ in range(n):
        row = {field.name: _maybe(field, rng) for field in schema(signal)}
        row |= {time_column(signal): at + rng.randrange(SECOND), "received_at": at + SECOND, "resource": rng.choice(["", '{"a":1}'])}
        if signal is Signal.LLM_CALLS:
            row |= {"revision": 0, "duration_ns": rng.randrange(SECOND), "ttft_ns": rng.choice([None, rng.randrange(SECOND)])}
        if signal is Signal.SPANS:
            row |= {"duration_ns": rng.randrange(SECOND), "scope_attributes": rng.choice(["", '{"b":"c"}']), "decided_by": None}
            row |= {"trace_state": "", "adjusted_count": 1.0}  # as a cut leaves them where nothing is dropped
        if "trace_id" in row and traces:
            row["trace_id"] = rng.choice(traces)
        made.append(row)
    if signal in MADE_OF:
        of, make = MADE_OF[signal]
        return make(pa.Table.from_batches([rows(of, n, rng, traces, at)]))
    return pa.RecordBatch.from_pylist(made, schema(signal))


MADE_OF = {
    Signal.TRACES: (Signal.SPANS, summarize),
    Signal.SPAN_ROLLUPS: (Signal.SPANS, span_rollups),
    Signal.LLM_ROLLUPS: (Signal.LLM_CALLS, lambda calls: llm_rollups(calls, np.ones(calls.num_rows, np.int64))),
}


def fragments(spans: pa.RecordBatch) -> pa.RecordBatch:
    """What `spans` know of their traces."""
    return summarize(pa.Table.from_batches([spans.select(SPAN_COLUMNS)]))


def values(batches: Sequence[pa.RecordBatch | pa.Table]) -> list[str]:
    """Rows as comparable values, in no order."""
    return sorted(repr(row) for batch in batches for row in batch.to_pylist())


def write(manifest: Manifest, signal: Signal, *batches: pa.RecordBatch, files: Files = DISK, **about: Any) -> Segment:
    """A finished segment that is not published yet."""
    writer = SegmentWriter(manifest.data_dir, manifest.next_id(), signal, files=files, **about)
    for batch in batches:
        writer.write(batch)
    finished = writer.finish()
    assert finished is not None
    return finished


def publish(manifest: Manifest, signal: Signal, *batches: pa.RecordBatch, **about: Any) -> Segment:
    """A live segment."""
    segment = write(manifest, signal, *batches, **about)
    manifest.swap(Swap(add=[segment]), NOW)
    return manifest.live(signal)[-1]


class Store:
    """Journal, open rows, cut, manifest and engine as the appliance has them, without threads or doors."""

    def __init__(self, data_dir: Path, config: StorageConfig | None = None) -> None:
        self.data_dir, self.registry = data_dir, CollectorRegistry()
        self.manifest = Manifest.open(data_dir, NOW)
        self.journal = Journal(data_dir / "journal", JournalConfig(file_bytes=4 << 20, reserve_bytes=0))
        self.open_rows = OpenRecords()
        self.kept: dict[Signal, list[pa.RecordBatch]] = {signal: [] for signal in RECEIVED}
        for record in self.journal.recover(self.manifest.checkpoint).open:
            self._show(record, records.read(record))
        self.engine = Engine(self.manifest, self.open_rows, data_dir, config or StorageConfig())
        release, cpu = self.journal.release, CpuSeconds()
        sampling = Sampling(keep_everything(data_dir), data_dir, self.open_rows, 0)
        self._cut = Cut(CutConfig(), data_dir, self.manifest, self.open_rows, lambda: None, release, cpu, sampling, self.registry)

    def put(self, signal: Signal, batch: pa.RecordBatch, at: int = NOW) -> None:
        """Journal rows; they are durable and visible afterwards."""
        (record,) = self.journal.append([Entry(signal, batch, [])], at)
        self._show(record, batch)
        self.kept[signal].append(batch)

    def _show(self, record: OpenRecord, batch: pa.RecordBatch) -> None:
        self.open_rows.add(record, batch)
        self.open_rows.derived(record.seq, [Batch(Signal.TRACES, fragments(batch))] if record.signal is Signal.SPANS else [])

    def measure(self, *batches: Batch, at: int = NOW) -> None:
        """What a stage derived of a span that came."""
        (record,) = self.journal.append([Entry(Signal.SPANS, span := rows(Signal.SPANS, 1, random.Random(0), at=at), [])], at)
        self.open_rows.add(record, span)
        self.kept[Signal.SPANS].append(span)
        self.open_rows.derived(record.seq, [Batch(Signal.TRACES, fragments(span)), *batches])

    def cut(self) -> int:
        """Move everything to segments."""
        return self._cut.cut()

    def close(self) -> None:
        self.engine.close()
        self.journal.close()
        self.manifest.close()
