"""The stage that decides which traces are kept. Spans only pass by: it remembers a row for each open trace, and decides; the cut gathers.

What it takes: spans, logs and feedback as they come, and what the stages before it made of them (rows of traces, calls). What it gives:
rows of traces that are kept, for the list of traces. Its times are those of the records, so that a replay decides as the first run did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.contracts import StageCounts
from observatory.model.batch import Batch
from observatory.model.clock import MINUTE, SECOND, Nanos
from observatory.model.schema import TEXT, schema
from observatory.model.signal import Signal
from observatory.model.threshold import adjusted_counts
from observatory.model.traceids import Ids, distinct, ids_of
from observatory.pipeline.sampling.deciding import Plan
from observatory.pipeline.sampling.decisions import DROPPED, KEPT, NOTHING, Decisions
from observatory.pipeline.sampling.keepall import standing
from observatory.pipeline.sampling.opentraces import OpenTraces
from observatory.policies.combine import Verdicts
from observatory.semconv.logevents import EVALUATION, follows_trace
from observatory.semconv.sampled import random_values, says_anything, thresholds
from observatory.storage.spill import Spill


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


@dataclass(slots=True)
class Told:
    """Traces and spans by the policies that kept them, or dropped them; several may have, so their sum is more."""

    traces: Counter[str] = field(default_factory=Counter)
    spans: Counter[str] = field(default_factory=Counter)


class Sampler:
    """Without policies everything is kept at once. `process` and `tick` in one thread."""

    def __init__(self, plan: Plan, asker: Asker, decisions: Decisions, waits: Waits, spill: Spill | None = None) -> None:
        self.plan, self.asker, self.decisions, self._waits = plan, asker, decisions, waits
        self._asks = bool(asker.tests or asker.keys)
        self.open = OpenTraces(asker.tests, asker.keys, spill or Spill())
        self.now: Nanos = 0
        """The time of the last tick."""
        self._spans: list[pa.RecordBatch] = []
        self._rows: list[pa.RecordBatch] = []
        self._calls: list[pa.RecordBatch] = []
        self._said: list[tuple[str, Ids]] = []
        self._first_seq = 0
        self.upto = 0
        """The last record that is in the open traces."""
        self._seen_seq = 0
        self.held_decided = 0
        """Decided traces of which rows lie in `held` segments."""
        self.taken = self.kept = 0
        self.ticked = 0
        """Of what was taken, what the last tick looked at: the rest is replayed after a crash."""
        self.dropped: Counter[str] = Counter()
        self.kept_by, self.dropped_by, self.late, self.evicted = Told(), Told(), Counter[str](), 0
        self.kept_traces = self.dropped_traces = 0

    @property
    def keeps_all(self) -> bool:
        """Nothing is ever dropped, and nothing needs to be remembered."""
        return not self.plan.policies

    def process(self, batch: Batch, now: Nanos) -> Iterable[Batch]:
        """Take what the tick will look at."""
        if batch.seq:
            self._seen_seq = batch.seq
            self._first_seq = self._first_seq or batch.seq
        rows = batch.rows
        if batch.signal is Signal.SPANS:
            self.taken += rows.num_rows
            self._spans.append(rows)
        elif batch.signal is Signal.TRACES:
            self._rows.append(rows)
        elif self.keeps_all:
            return ()
        elif batch.signal is Signal.LLM_CALLS:
            self._calls.append(rows)
        elif batch.signal is Signal.LOGS:
            self._said += [(kind, ids) for kind, ids in _events(rows)]
        elif batch.signal is Signal.FEEDBACK:
            ids = rows.column("trace_id").drop_null()
            self._said.append(("feedback", distinct(ids_of(ids))[0]))
        return ()

    def tick(self, now: Nanos) -> Iterable[Batch]:
        """Decide what can be decided; give the rows of kept traces."""
        self.now = now
        rows, self._rows = self._rows, []
        spans, self._spans = self._spans, []
        self.ticked = self.taken
        if self.keeps_all:
            self.kept = self.taken
            self.upto, self._first_seq = self._seen_seq, 0
            return [Batch(Signal.TRACES, standing(some, spans)) for some in rows]
        given: list[pa.Table] = []
        fresh, touched = [], []
        arrived = sum(batch.num_rows for batch in spans)
        self.plan.arrived(arrived, now)
        bytes_a_span = sum(batch.get_total_buffer_size() for batch in spans) / max(arrived, 1)
        for some in rows:
            new, known, late = self._take_in(some, bytes_a_span, now)
            fresh.append(new)
            touched.append(known)
            given.append(late)
        for new, known in self._take_in_words(now):
            fresh.append(new)
            touched.append(known)
        for batch in spans:
            self._look_at(batch, now)
        new = np.concatenate([*fresh, _NO_SLOTS])
        self._at_first_sight(new, now)
        given.append(self._early(np.union1d(new, np.concatenate([*touched, _NO_SLOTS])), now))
        given.append(self._at_end(self._due(now), now))
        given.append(self._at_end(self._too_much(), now))
        self.upto, self._first_seq = self._seen_seq, 0
        return [Batch(Signal.TRACES, table.combine_chunks().to_batches()[0]) for table in given if table.num_rows]

    def drain(self, now: Nanos) -> Iterable[Batch]:
        """Decide everything on what is known."""
        given = list(self.tick(now))
        rows = self._at_end(self.open.slots(), now) if not self.keeps_all else _NO_ROWS
        return [*given, *(Batch(Signal.TRACES, batch) for batch in rows.combine_chunks().to_batches())]

    def counts(self) -> StageCounts:
        """Rows are spans: given when their trace is kept, held while it is open."""
        return StageCounts(self.taken, self.kept, dict(self.dropped), self.taken - self.kept - self.dropped.total())

    def stored(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Of news about traces that are in segments (repriced calls), those whose trace was not dropped and is not open."""
        if self.keeps_all or not rows.num_rows:
            return rows
        ids = ids_of(rows.column("trace_id"))
        return rows.filter(pa.array((self.decisions.find(ids).what != DROPPED) & (self.open.find(ids) < 0)))

    def ask_anew(self) -> None:
        """The policies changed while the server was down: what others voted on open traces at first sight is not theirs."""
        self._at_first_sight(self.open.slots(), self.now)

    # --- taking in ---

    def _take_in(self, rows: pa.RecordBatch, bytes_a_span: float, now: Nanos) -> tuple[np.ndarray, np.ndarray, pa.Table]:
        """(slots of new traces, of known ones, rows of traces that were kept before) of rows of `schema(TRACES)`, one for each trace."""
        ids = ids_of(rows.column("trace_id"))
        counts = np.asarray(rows.column("span_count"))
        came = bool(counts.any())
        slots = self.open.find(ids)
        closed = np.flatnonzero(slots < 0)
        found = self.decisions.find(ids.at(closed))
        late = found.what == KEPT
        kept = _with_verdict(rows.take(pa.array(closed[late])), self.decisions, found.threshold[late], found.by[late])
        self._count_late(counts[closed], found.what)
        self.decisions.hide(ids.at(closed[(found.what == DROPPED) & (counts[closed] > 0)]), self._seen_seq)
        fresh = closed[found.what == NOTHING] if came else _NO_SLOTS  # news about a trace nobody knows
        slots[fresh] = self.open.add(ids.at(fresh), now, self._first_seq)
        here = np.flatnonzero(slots >= 0)
        known = np.setdiff1d(here, fresh, assume_unique=True)
        self.open.take_in(slots[here], rows if len(here) == rows.num_rows else rows.take(pa.array(here)), came)
        self.open.bytes[slots[here]] += (counts[here] * bytes_a_span).astype(np.int64)
        self._look_at_services(slots[here], rows.column("services"), here)
        return slots[fresh], slots[known], kept

    def _take_in_words(self, now: Nanos) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Log events and feedback, which may come before the spans of their trace: (slots of new traces, of known ones)."""
        said, self._said = self._said, []
        calls, self._calls = self._calls, []
        for kind, ids in said:
            slots = self.open.find(ids)
            unknown = np.flatnonzero(slots < 0)
            what = self.decisions.find(ids.at(unknown)).what
            self.late[f"{kind} of dropped"] += int((what == DROPPED).sum())
            new = unknown[what == NOTHING]
            slots[new] = self.open.add(ids.at(new), now, self._first_seq)
            here = slots[slots >= 0]
            if kind != "event":
                getattr(self.open, kind)[here] = True
            yield slots[new], here
        for rows in calls:
            slots = self.open.find(ids_of(rows.column("trace_id")))
            ttft = np.asarray(rows.column("ttft_ns").fill_null(0))
            np.maximum.at(self.open.ttft, slots[slots >= 0], ttft[slots >= 0])
            yield _NO_SLOTS, slots[slots >= 0]

    def _look_at(self, spans: pa.RecordBatch, now: Nanos) -> None:
        """What single spans say: answers to tests, keys, and what their trace state says of sampling before."""
        state = spans.column("trace_state")
        told, random = (thresholds(state), random_values(state)) if says_anything(state) else (None, None)
        if not self._asks and told is None:
            return
        tests, keys = self.asker(spans, now)
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
        self.kept += kept
        self.late["spans of kept"] += kept
        self.late["spans of dropped"] += dropped
        if dropped:
            self.dropped["late"] += dropped

    # --- deciding ---

    def _at_first_sight(self, slots: np.ndarray, now: Nanos) -> None:
        if len(slots):
            traces = self.open
            once = self.plan.at_first_sight(traces.table(slots, complete=False), now)
            traces.once_sampled[slots], traces.once_dropped[slots], traces.once_threshold[slots] = once

    def _once(self, slots: np.ndarray) -> Verdicts:
        traces = self.open
        return Verdicts(traces.once_sampled[slots], traces.once_dropped[slots], traces.once_threshold[slots])

    def _early(self, slots: np.ndarray, now: Nanos) -> pa.Table:
        """Decide what no later span can change."""
        if not len(slots):
            return _NO_ROWS
        verdicts, final = self.plan.early(self.open.table(slots, complete=False), self._once(slots), now)
        slots, verdicts = slots[final], verdicts.rows(final)
        if self.plan.counts and len(slots):
            asked = np.flatnonzero(self.open.on_hold[slots] == 0)  # the others were counted at their end
            counted = self.plan.counted(self.open.table(slots[asked], complete=True), verdicts.rows(asked), now)
            for column, values in zip(verdicts, counted, strict=True):
                column[asked] = values
        return self._decide(slots, verdicts, now)

    def _at_end(self, slots: np.ndarray, now: Nanos) -> pa.Table:
        """Decide these on what is known. Those that were on hold were asked before: nothing came that would keep them."""
        if not len(slots):
            return _NO_ROWS
        held = self.open.on_hold[slots] != 0
        slots, over = slots[~held], slots[held]
        verdicts = self.plan.at_end(self.open.table(slots, complete=True), self._once(slots), now)
        slots, verdicts = self._without_hold(slots, verdicts, now)
        return pa.concat_tables([self._decide(slots, verdicts, now), self._decide(over, Verdicts.none(len(over)), now)])

    def _without_hold(self, slots: np.ndarray, verdicts: Verdicts, now: Nanos) -> tuple[np.ndarray, Verdicts]:
        """Put traces on hold that would be dropped and are of services that hold; the others."""
        if not self._waits.hold_services:
            return slots, verdicts
        waits = (verdicts.sampled == 0) & (verdicts.dropped == 0) & self.open.may_hold[slots]
        self.open.on_hold[slots[waits]] = now + self._waits.hold
        return slots[~waits], verdicts.rows(~waits)

    def _due(self, now: Nanos) -> np.ndarray:
        traces = self.open
        quiet = traces.has_root & (now - traces.last_received >= self._waits.quiet)
        waited = quiet | (now - traces.first_received >= np.maximum(traces.longest, self._waits.longest))
        return np.flatnonzero(traces.live & np.where(traces.on_hold != 0, now >= traces.on_hold, waited))

    def _too_much(self) -> np.ndarray:
        """The oldest open traces, as many as are beyond the limit on bytes."""
        over = int(self.open.bytes[self.open.live].sum()) - self._waits.open_bytes
        if over <= 0:
            return _NO_SLOTS
        slots = self.open.slots()
        slots = slots[np.argsort(self.open.first_received[slots], kind="stable")]
        count = int(np.searchsorted(np.cumsum(self.open.bytes[slots]), over)) + 1
        self.evicted += count
        return slots[:count]

    def _decide(self, slots: np.ndarray, verdicts: Verdicts, now: Nanos) -> pa.Table:
        if not len(slots):
            return _NO_ROWS
        traces = self.open
        decided = verdicts.decided(traces.randomness[slots], traces.threshold[slots])
        keep = decided.kept
        masks, which = np.unique(decided.decided_by, return_inverse=True)
        names = [self.plan.names(int(mask)) for mask in masks]
        by = np.array([self.decisions.number(",".join(some)) for some in names])[which]
        self._account(keep, which, names, traces.spans[slots], verdicts.dropped != 0)
        self.decisions.add(traces.ids(slots), np.where(keep, KEPT, DROPPED), decided.threshold, by, self._seen_seq, now)
        self.held_decided += int(traces.held[slots].sum())
        rows, place = traces.close(slots, keep)
        return _with_verdict(rows, self.decisions, decided.threshold[place], by[place]) if rows.num_rows else _NO_ROWS

    def _account(self, keep: np.ndarray, which: np.ndarray, names: list[list[str]], spans: np.ndarray, vetoed: np.ndarray) -> None:
        for number, policies in enumerate(names):
            for told, mine in ((self.kept_by, keep & (which == number)), (self.dropped_by, ~keep & (which == number))):
                for policy in policies:
                    told.traces[policy] += int(mine.sum())
                    told.spans[policy] += int(spans[mine].sum())
        self.kept_traces += int(keep.sum())
        self.kept += int(spans[keep].sum())
        self.dropped["vetoed"] += int(spans[~keep & vetoed].sum())
        self.dropped["not_kept"] += int(spans[~keep & ~vetoed].sum())
        self.dropped_traces += int((~keep).sum())


def keep_everything(directory: Path) -> Sampler:
    """The sampler without policies; it writes nothing into the directory."""
    return Sampler(Plan(()), Unasked(), Decisions(directory, 0), Waits())


def _events(rows: pa.RecordBatch) -> Iterable[tuple[str, Ids]]:
    """(`event` or `evaluation`, the traces they belong to) of log records that follow their trace."""
    for kind, mask in (("event", follows_trace(rows)), ("evaluation", pc.call_function("equal", [rows.column("event_name"), EVALUATION]))):
        ids = rows.column("trace_id").filter(mask).drop_null()
        if len(ids):
            yield kind, distinct(ids_of(ids))[0]


def _with_verdict(rows: pa.RecordBatch | pa.Table, decisions: Decisions, threshold: np.ndarray, by: np.ndarray) -> pa.Table:
    """Rows with `adjusted_count` and `decided_by`."""
    return pa.Table.from_arrays(
        [*(rows.column(name) for name in rows.schema.names[:-2]), *verdict_columns(decisions, threshold, by)], schema=rows.schema
    )


def verdict_columns(decisions: Decisions, threshold: np.ndarray, by: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """`adjusted_count` and `decided_by` of rows."""
    counts, known = adjusted_counts(threshold)
    names = pa.DictionaryArray.from_arrays(pa.array(by.astype(np.int32), mask=by < 0), pa.array(decisions.names or [""], pa.string()))
    return pa.array(counts, mask=~known), names.cast(TEXT)


_NO_SLOTS = np.zeros(0, np.int64)
_NO_ROWS = schema(Signal.TRACES).empty_table()
