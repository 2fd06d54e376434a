"""What comes in finds its open trace, opens one, or learns that its trace was decided before. Columns, never a span at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.clock import MINUTE, SECOND, Nanos
from observatory.model.traceids import Ids, distinct, ids_of
from observatory.pipeline.sampling.decisions import DROPPED, KEPT, NOTHING, Decisions
from observatory.pipeline.sampling.opentraces import OpenTraces
from observatory.pipeline.sampling.tally import Tally
from observatory.pipeline.sampling.verdict import with_verdict
from observatory.semconv.logevents import EVALUATION, follows_trace
from observatory.semconv.sampled import random_values, says_anything, thresholds

NO_SLOTS = np.zeros(0, np.int64)


class Asker(Protocol):
    """Who asks spans the tests and keys of the policies."""

    @property
    def tests(self) -> Sequence[str]:
        """The names of the tests, in the order of their bits."""
        ...

    @property
    def keys(self) -> Sequence[str]:
        """The names of the keys."""
        ...

    def __call__(self, spans: pa.RecordBatch, now: Nanos) -> tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
        """What spans say to every test (bool) and key (uint64), by name, row for row."""
        ...

    def state(self) -> Any:
        """What it remembers, for a checkpoint."""
        ...

    def restore(self, state: Any) -> None:
        """What `state` said."""
        ...


class Unasked:
    """The `Asker` of policies that ask spans nothing."""

    tests: Sequence[str] = ()
    keys: Sequence[str] = ()

    def __call__(self, spans: pa.RecordBatch, now: Nanos) -> tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
        """Nothing."""
        return {}, {}

    def state(self) -> Any:
        """Nothing."""
        return None

    def restore(self, state: Any) -> None:
        """Nothing to restore."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a trace is waited for."""

    quiet: Nanos = 10 * SECOND
    """After its last span, once its root has come; exporters send every five seconds."""
    longest: Nanos = 10 * MINUTE
    """After its first span, whatever is missing."""
    longest_of: Mapping[str, Nanos] = field(default_factory=dict)
    """The same for traces with a span of one of these services, where it is more."""
    open_bytes: int = 4 << 30
    """Of all open traces; beyond, the oldest are decided on what is known."""
    hold: Nanos = 0
    """So long dropped traces of `hold_services` wait for something late that keeps them."""
    hold_services: frozenset[str] = frozenset()


class Intake:
    """Fills `opened`; counts what came too late in `tally`."""

    def __init__(self, opened: OpenTraces, asker: Asker, decisions: Decisions, waits: Waits, tally: Tally) -> None:
        self.open, self._asker, self._decisions, self._waits, self._tally = opened, asker, decisions, waits, tally
        self._asks = bool(asker.tests or asker.keys)
        self.seen_seq = self.first_seq = 0
        """The last record that came, and the first since the last tick (0: none)."""

    def rows(self, rows: pa.RecordBatch, bytes_a_span: float, now: Nanos) -> tuple[np.ndarray, np.ndarray, pa.Table]:
        """(slots of new traces, of known ones, rows of traces that were kept before) of rows of `schema(TRACES)`, one for each trace."""
        ids = ids_of(rows.column("trace_id"))
        counts = np.asarray(rows.column("span_count"))
        came = bool(counts.any())
        slots = self.open.find(ids)
        closed = np.flatnonzero(slots < 0)
        found = self._decisions.find(ids.at(closed))
        late = found.what == KEPT
        kept = with_verdict(rows.take(pa.array(closed[late])), self._decisions, found.threshold[late], found.by[late])
        self._count_late(counts[closed], found.what)
        self._decisions.hide(ids.at(closed[(found.what == DROPPED) & (counts[closed] > 0)]), self.seen_seq)
        fresh = closed[found.what == NOTHING] if came else NO_SLOTS  # news about a trace nobody knows
        slots[fresh] = self.open.add(ids.at(fresh), now, self.first_seq)
        here = np.flatnonzero(slots >= 0)
        known = np.setdiff1d(here, fresh, assume_unique=True)
        self.open.take_in(slots[here], rows if len(here) == rows.num_rows else rows.take(pa.array(here)), came)
        self.open.bytes[slots[here]] += (counts[here] * bytes_a_span).astype(np.int64)
        self._look_at_services(slots[here], rows.column("services"), here)
        return slots[fresh], slots[known], kept

    def words(
        self, said: Sequence[tuple[str, Ids]], calls: Sequence[pa.RecordBatch], now: Nanos
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Log events and feedback, which may come before the spans of their trace: (slots of new traces, of known ones)."""
        for kind, ids in said:
            slots = self.open.find(ids)
            unknown = np.flatnonzero(slots < 0)
            what = self._decisions.find(ids.at(unknown)).what
            self._tally.late[f"{kind} of dropped"] += int((what == DROPPED).sum())
            new = unknown[what == NOTHING]
            slots[new] = self.open.add(ids.at(new), now, self.first_seq)
            here = slots[slots >= 0]
            if kind != "event":
                getattr(self.open, kind)[here] = True
            yield slots[new], here
        for rows in calls:
            slots = self.open.find(ids_of(rows.column("trace_id")))
            ttft = np.asarray(rows.column("ttft_ns").fill_null(0))
            np.maximum.at(self.open.ttft, slots[slots >= 0], ttft[slots >= 0])
            yield NO_SLOTS, slots[slots >= 0]

    def spans(self, spans: pa.RecordBatch, now: Nanos) -> None:
        """What single spans say: answers to tests, keys, and what their trace state says of sampling before."""
        state = spans.column("trace_state")
        told, random = (thresholds(state), random_values(state)) if says_anything(state) else (None, None)
        if not self._asks and told is None:
            return
        tests, keys = self._asker(spans, now)
        says = np.zeros(spans.num_rows, bool)
        for mask in (*tests.values(), *(values != 0 for values in keys.values())):
            says |= mask
        if told is not None and random is not None:
            says |= told.known | random.known
        rows = np.flatnonzero(says)  # few spans say anything, and looking up the trace of one costs more than asking it
        if not len(rows):
            return
        slots = self.open.find(ids_of(spans.column("trace_id")).at(rows))
        rows, slots = rows[slots >= 0], slots[slots >= 0]
        if told is not None and random is not None:
            known = told.known[rows]
            np.maximum.at(self.open.threshold, slots[known], told.values[rows[known]])
            known = random.known[rows]
            self.open.randomness[slots[known]] = random.values[rows[known]]
        for bit, name in enumerate(self.open.test_names):
            self.open.tests[slots[tests[name][rows]]] |= np.uint64(1 << bit)
        for name, values in keys.items():
            mine = np.flatnonzero(values[rows])[::-1]  # the first of a trace is written last
            mine = mine[self.open.keys[name][slots[mine]] == 0]
            self.open.keys[name][slots[mine]] = values[rows[mine]]

    def _look_at_services(self, slots: np.ndarray, services: pa.Array, here: np.ndarray) -> None:
        """Traces of some services are waited for longer than others, or held when they are dropped."""
        waits = self._waits
        if not waits.longest_of and not waits.hold_services:
            return
        services = services.take(pa.array(here))
        names = services.flatten().dictionary_encode()
        owners = np.repeat(slots, services.value_lengths().to_numpy())
        words, codes = names.dictionary.to_pylist(), np.asarray(names.indices)
        longest = np.array([waits.longest_of.get(word, 0) for word in words], np.int64)
        np.maximum.at(self.open.longest, owners, longest[codes])
        holds = np.array([word in waits.hold_services for word in words], bool)
        self.open.may_hold[owners[holds[codes]]] = True

    def _count_late(self, spans: np.ndarray, what: np.ndarray) -> None:
        kept, dropped = int(spans[what == KEPT].sum()), int(spans[what == DROPPED].sum())
        self._tally.kept += kept
        self._tally.late["spans of kept"] += kept
        self._tally.late["spans of dropped"] += dropped
        if dropped:
            self._tally.dropped["late"] += dropped


def events(rows: pa.RecordBatch) -> Iterable[tuple[str, Ids]]:
    """(`event` or `evaluation`, the traces they belong to) of log records that follow their trace."""
    for kind, mask in (("event", follows_trace(rows)), ("evaluation", pc.call_function("equal", [rows.column("event_name"), EVALUATION]))):
        ids = rows.column("trace_id").filter(mask).drop_null()
        if len(ids):
            yield kind, distinct(ids_of(ids))[0]
