"""What rooms promise each other. Read this first.

Data flows one way: receivers -> (Sink) pipeline -> storage -> query -> api. Only one thing flows back: taken, or not taken and why
(`errors.py`). A room knows these protocols and the rooms below it; `app.py` introduces rooms to each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from threading import Event
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import pyarrow as pa

from observatory.model.batch import Batch, Decoded, Export, Reply
from observatory.model.clock import Nanos
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.model.traceids import Ids


class Sink(Protocol):
    """Where exports go. The pipeline's ingest loop is one; a test's list is another."""

    async def put(self, export: Export) -> Reply:
        """Returns: durable, ours. Raises `Retryable(after)` or `Rejected`: still yours."""
        ...


class Decoder(Protocol):
    """OTLP bytes of one signal to columns. The native kernel and the reference decoder are two of them, with identical answers."""

    def __call__(self, bodies: Sequence[bytes], received_at: Nanos, projects: Sequence[str | None]) -> Decoded:
        """Decode many request bodies into one batch. Never raises for content: a malformed body is an `Outcome` with its error."""
        ...


class Stage(Protocol):
    """Columns in, columns out. No clock, task or I/O inside; time is handed in.

    Law, checked by `testing.contracts`: rows in == rows out + dropped + held, at every moment. A stage that derives rows (a summary, a
    measurement) counts the input rows that what it gave accounts for.
    """

    def process(self, batch: Batch, now: Nanos) -> Iterable[Batch]:
        """Take a batch; give what is ready."""
        ...

    def tick(self, now: Nanos) -> Iterable[Batch]:
        """Called about four times a second; give what has become ready by time."""
        ...

    def drain(self, now: Nanos) -> Iterable[Batch]:
        """The end: give everything that is held."""
        ...

    def counts(self) -> StageCounts:
        """What the law is checked on, and `/metrics` shows."""
        ...


@dataclass(frozen=True, slots=True)
class StageCounts:
    """Rows a stage took, gave, dropped (by reason) and still holds."""

    taken: int = 0
    given: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    held: int = 0


State = dict[str, Any]
"""What a policy remembers between votes: JSON values and numpy arrays. It belongs to the sampler, which checkpoints it."""

ABSTAIN, SAMPLE, DROP = range(3)


@dataclass(frozen=True, slots=True)
class Votes:
    """One row a trace. `choice`: int8, ABSTAIN, SAMPLE or DROP, which is a veto. `threshold`: uint64, the rejection threshold under which
    SAMPLE was said (`model.threshold`), `UNKNOWN` where no probability can be told; of no meaning elsewhere.
    """

    choice: np.ndarray
    threshold: np.ndarray

    @staticmethod
    def sample_where(wanted: np.ndarray, threshold: int | np.ndarray = 0) -> Votes:
        """SAMPLE where `wanted` (bool), under one threshold or one a row; ABSTAIN elsewhere."""
        return Votes(np.where(wanted, SAMPLE, ABSTAIN).astype(np.int8), np.broadcast_to(np.asarray(threshold, np.uint64), wanted.shape))


class Settles(StrEnum):
    """When a policy's vote on a trace is final."""

    AT_ONCE = "at once"
    """At the first sight of the trace: it depends on its id, or on what was known before it."""
    GROWS = "grows"
    """SAMPLE is final, ABSTAIN may still become SAMPLE: what it looks for is never unseen again."""
    AT_END = "at end"
    """Only when the trace is complete; before, it must not be asked."""


@dataclass(frozen=True, slots=True)
class SpanTest:
    """A question to every span and, with its resource, answered once when the span arrives. A trace remembers whether any said yes.

    One of: `filter` (the filter language, docs/FILTER.md), `attribute` (a key of the span or its resource; with `values` exact texts,
    `patterns` RE2 for a part of the text, or `low`/`high` inclusive numbers), `trace_state` (a member's key, with `values`), `sampled` (the
    W3C flag), `statuses` (OTLP codes), `fresh` (a value of this column that was first seen within the last `seconds`).
    """

    filter: str | None = None
    attribute: str | None = None
    trace_state: str | None = None
    sampled: bool = False
    statuses: tuple[int, ...] = ()
    fresh: str | None = None
    seconds: float = 0.0
    values: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def column(self) -> str:
        """Its name in the trace table: what it asks. The same question has the same name in every policy, and after a restart."""
        asked = [(item.name, getattr(self, item.name), item.default) for item in fields(self)]
        return " ".join(f"{name}={value!r}" for name, value, absent in asked if value != absent)


class Policy(Protocol):
    """One reason to keep traces, or to drop them. Pure: the same table, state and time give the same votes.

    `traces` has a row for each trace asked about, with these columns and one for each of `tests` (bool: some span said yes) and `keys`
    (uint64: hash of the first value seen of that column or attribute, 0 for none), by their names:

    trace_id binary(16), randomness uint64 (of its trace state's `rv`, else its id; 56 bits), threshold uint64 (the highest `ot=th` of its
    spans; 0 none), start_ns, end_ns int64 (all spans), first_received, last_received int64, span_count, error_count int64, bytes int64
    (of its spans in memory), has_root bool, llm_calls, input_tokens, output_tokens int64 and cost int64 (10^-12 dollars; of the calls that
    count), ttft_ns int64 (the longest time to first token, 0 for none), feedback bool, evaluation bool, complete bool (decided now).
    """

    @property
    def name(self) -> str:
        """What people call it; unique among the policies of one sampler."""
        ...

    @property
    def settles(self) -> Settles:
        """When its vote is final."""
        ...

    @property
    def vetoes(self) -> bool:
        """It may say DROP: nothing is kept before it has settled."""
        ...

    @property
    def least_threshold(self) -> int:
        """It never says SAMPLE under a lower threshold than this."""
        ...

    @property
    def remembers(self) -> bool:
        """Its votes change its state: it is asked exactly once about every trace, also about one that is kept before its end."""
        ...

    @property
    def tests(self) -> Mapping[str, SpanTest]:
        """The questions it asks of spans, by the names of their columns."""
        ...

    @property
    def keys(self) -> Mapping[str, str]:
        """The columns or attributes whose hashes it needs, by the names of the hashes' columns. `model` is the response's, else the
        request's."""
        ...

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """One vote a row. Only one that remembers changes `state`."""
        ...


@runtime_checkable
class Paced(Policy, Protocol):
    """A policy that is steered by how much arrives, not only by the traces it is asked about."""

    def arrived(self, spans: int, state: State, now: Nanos) -> None:
        """So many spans arrived since it was last told, of whatever trace and whatever becomes of them; at every tick, before the votes."""
        ...


@dataclass(frozen=True, slots=True)
class Segment:
    """One immutable Parquet file. Ids grow and are never used again; the window is of row times, both ends included."""

    id: int
    signal: Signal
    tier: str  # "hot"; later "warm", "cold", "held", "skewed"
    grain: str  # "raw"; later "1m", "1h", "1d"
    start_ns: Nanos
    end_ns: Nanos
    received_from: Nanos
    received_to: Nanos
    rows: int
    bytes: int
    crc32: int  # of the whole file
    uri: str  # relative to the data directory
    schema_version: int
    publish: int = 0  # the swap that made it live
    replaces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Swap:
    """The one way storage changes. Fails if a dropped id is not live. `expired` segments leave a tombstone that can answer 410."""

    add: Sequence[Segment] = ()
    drop: Sequence[int] = ()
    expired: str | None = None  # why the dropped ones are gone for good; None when `add` replaces them
    checkpoint: int | None = None  # every journal record up to this seq is now in segments, or was dropped
    measured: int | None = None  # everything derived up to this position (`model.position`) is in segments


class Task(Protocol):
    """One unit of a job's work, small enough to be done again from the start."""

    @property
    def title(self) -> str:
        """For the status page and logs: `merge 7 segments of spans, 12.4 MB`."""
        ...


T = TypeVar("T", bound=Task)


class Job(Protocol[T]):
    """Plan looks, run acts; both restartable at any instruction. The runner publishes the swap."""

    name: str

    def plan(self, live: Sequence[Segment], now: Nanos) -> Sequence[T]:
        """What should be done to the live segments. Looks only at its arguments."""
        ...

    def run(self, task: T, stop: Event) -> Swap | None:
        """Do it: write new files, return the swap. None when `stop` was set or nothing is left to do."""
        ...


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """A durable journal record that is not yet in a segment; `storage.records.read` gives its rows."""

    seq: int
    signal: Signal
    path: str
    offset: int  # of the record's header in the file
    length: int  # header and payload, without padding
    rows: int
    start_ns: Nanos
    end_ns: Nanos
    received_at: Nanos


@dataclass(frozen=True, slots=True)
class DerivedRows:
    """Rows that stages derived of open records, all of one moment: of the records up to seq `upto`, which lags half a second behind."""

    upto: int = 0
    batches: Sequence[Batch] = ()

    def of(self, signal: Signal) -> pa.Table:
        """The rows of one signal, with its schema; nothing is copied."""
        return pa.Table.from_batches([batch.rows for batch in self.batches if batch.signal is signal], schema(signal))


class OpenRows(Protocol):
    """The read side of the journal, as the engine sees it: what is durable and newer than a checkpoint."""

    def records(self, after: int) -> Sequence[OpenRecord]:
        """All open records with seq > after, in order."""
        ...

    def derived_rows(self, after: int) -> DerivedRows:
        """What was derived after a position, `Swap.measured`: traces, calls, rollups."""
        ...

    def hidden(self, after: int) -> Ids:
        """Traces, sorted, whose rows in open records with seq > after are not for readers: sampling dropped them."""
        ...

    def find(self, trace_id: bytes, after: int) -> Sequence[OpenRecord]:
        """The open records of spans and logs that may hold rows of this trace."""
        ...


__all__ = [
    "ABSTAIN",
    "DROP",
    "SAMPLE",
    "Batch",
    "Decoded",
    "Decoder",
    "DerivedRows",
    "Export",
    "Job",
    "Nanos",
    "OpenRecord",
    "OpenRows",
    "Paced",
    "Policy",
    "Reply",
    "Segment",
    "Settles",
    "Signal",
    "Sink",
    "SpanTest",
    "Stage",
    "StageCounts",
    "State",
    "Swap",
    "Task",
    "Votes",
]
