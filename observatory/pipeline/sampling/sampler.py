"""The stage that decides which traces are kept. Spans only pass by: it remembers a row for each open trace, and decides; the cut gathers.

What it takes: spans, logs and feedback as they come, and what the stages before it made of them (rows of traces, calls). What it gives:
rows of traces that are kept, for the list of traces. Its times are those of the records, so that a replay decides as the first run did.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from observatory.contracts import StageCounts
from observatory.model.batch import Batch
from observatory.model.clock import Nanos
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.model.traceids import Ids, distinct, ids_of
from observatory.pipeline.sampling.deciding import Plan
from observatory.pipeline.sampling.decisions import DROPPED, KEPT, Decisions
from observatory.pipeline.sampling.intake import NO_SLOTS, Asker, Intake, Unasked, Waits, events
from observatory.pipeline.sampling.keepall import standing
from observatory.pipeline.sampling.opentraces import OpenTraces
from observatory.pipeline.sampling.tally import Tally
from observatory.pipeline.sampling.verdict import with_verdict
from observatory.policies.combine import Verdicts
from observatory.storage.spill import Spill


class Sampler:
    """Without policies everything is kept at once. `process` and `tick` in one thread."""

    def __init__(self, plan: Plan, asker: Asker, decisions: Decisions, waits: Waits, spill: Spill | None = None) -> None:
        self.plan, self.asker, self.decisions, self._waits = plan, asker, decisions, waits
        self.open = OpenTraces(asker.tests, asker.keys, spill or Spill())
        self.tally = Tally()
        self._intake = Intake(self.open, asker, decisions, waits, self.tally)
        self.now: Nanos = 0
        """The time of the last tick."""
        self.upto = 0
        """The last record that is in the open traces."""
        self._spans: list[pa.RecordBatch] = []
        self._rows: list[pa.RecordBatch] = []
        self._calls: list[pa.RecordBatch] = []
        self._said: list[tuple[str, Ids]] = []

    @property
    def keeps_all(self) -> bool:
        """Nothing is ever dropped, and nothing needs to be remembered."""
        return not self.plan.policies

    def process(self, batch: Batch, now: Nanos) -> Iterable[Batch]:
        """Take what the tick will look at."""
        if batch.seq:
            self._intake.seen_seq = batch.seq
            self._intake.first_seq = self._intake.first_seq or batch.seq
        rows = batch.rows
        if batch.signal is Signal.SPANS:
            self.tally.taken += rows.num_rows
            self._spans.append(rows)
        elif batch.signal is Signal.TRACES:
            self._rows.append(rows)
        elif self.keeps_all:
            return ()
        elif batch.signal is Signal.LLM_CALLS:
            self._calls.append(rows)
        elif batch.signal is Signal.LOGS:
            self._said += [(kind, ids) for kind, ids in events(rows)]
        elif batch.signal is Signal.FEEDBACK:
            ids = rows.column("trace_id").drop_null()
            self._said.append(("feedback", distinct(ids_of(ids))[0]))
        return ()

    def tick(self, now: Nanos) -> Iterable[Batch]:
        """Decide what can be decided; give the rows of kept traces."""
        self.now = now
        rows, self._rows = self._rows, []
        spans, self._spans = self._spans, []
        self.tally.ticked = self.tally.taken
        if self.keeps_all:
            self.tally.kept = self.tally.taken
            self.upto, self._intake.first_seq = self._intake.seen_seq, 0
            return [Batch(Signal.TRACES, standing(some, spans)) for some in rows]
        given: list[pa.Table] = []
        fresh, touched = [], []
        arrived = sum(batch.num_rows for batch in spans)
        self.plan.arrived(arrived, now)
        bytes_a_span = sum(batch.get_total_buffer_size() for batch in spans) / max(arrived, 1)
        for some in rows:
            new, known, late = self._intake.rows(some, bytes_a_span, now)
            fresh.append(new)
            touched.append(known)
            given.append(late)
        said, self._said = self._said, []
        calls, self._calls = self._calls, []
        for new, known in self._intake.words(said, calls, now):
            fresh.append(new)
            touched.append(known)
        for batch in spans:
            self._intake.spans(batch, now)
        new = np.concatenate([*fresh, NO_SLOTS])
        self._at_first_sight(new, now)
        given.append(self._early(np.union1d(new, np.concatenate([*touched, NO_SLOTS])), now))
        given.append(self._at_end(self._due(now), now))
        given.append(self._at_end(self._too_much(), now))
        self.upto, self._intake.first_seq = self._intake.seen_seq, 0
        return [Batch(Signal.TRACES, table.combine_chunks().to_batches()[0]) for table in given if table.num_rows]

    def drain(self, now: Nanos) -> Iterable[Batch]:
        """Decide everything on what is known."""
        given = list(self.tick(now))
        rows = self._at_end(self.open.slots(), now) if not self.keeps_all else _NO_ROWS
        return [*given, *(Batch(Signal.TRACES, batch) for batch in rows.combine_chunks().to_batches())]

    def counts(self) -> StageCounts:
        """Rows are spans: given when their trace is kept, held while it is open."""
        return StageCounts(
            self.tally.taken, self.tally.kept, dict(self.tally.dropped), self.tally.taken - self.tally.kept - self.tally.dropped.total()
        )

    def stored(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Of news about traces that are in segments (repriced calls), those whose trace was not dropped and is not open."""
        if self.keeps_all or not rows.num_rows:
            return rows
        ids = ids_of(rows.column("trace_id"))
        return rows.filter(pa.array((self.decisions.find(ids).what != DROPPED) & (self.open.find(ids) < 0)))

    def ask_anew(self) -> None:
        """The policies changed while the server was down: what others voted on open traces at first sight is not theirs."""
        self._at_first_sight(self.open.slots(), self.now)

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
            return NO_SLOTS
        slots = self.open.slots()
        slots = slots[np.argsort(self.open.first_received[slots], kind="stable")]
        count = int(np.searchsorted(np.cumsum(self.open.bytes[slots]), over)) + 1
        self.tally.evicted += count
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
        self.decisions.add(traces.ids(slots), np.where(keep, KEPT, DROPPED), decided.threshold, by, self._intake.seen_seq, now)
        self.tally.held_decided += int(traces.held[slots].sum())
        rows, place = traces.close(slots, keep)
        return with_verdict(rows, self.decisions, decided.threshold[place], by[place]) if rows.num_rows else _NO_ROWS

    def _account(self, keep: np.ndarray, which: np.ndarray, names: list[list[str]], spans: np.ndarray, vetoed: np.ndarray) -> None:
        for number, policies in enumerate(names):
            for told, mine in ((self.tally.kept_by, keep & (which == number)), (self.tally.dropped_by, ~keep & (which == number))):
                for policy in policies:
                    told.traces[policy] += int(mine.sum())
                    told.spans[policy] += int(spans[mine].sum())
        self.tally.kept_traces += int(keep.sum())
        self.tally.kept += int(spans[keep].sum())
        self.tally.dropped["vetoed"] += int(spans[~keep & vetoed].sum())
        self.tally.dropped["not_kept"] += int(spans[~keep & ~vetoed].sum())
        self.tally.dropped_traces += int((~keep).sum())


def keep_everything(directory: Path) -> Sampler:
    """The sampler without policies; it writes nothing into the directory."""
    return Sampler(Plan(()), Unasked(), Decisions(directory, 0), Waits())


_NO_ROWS = schema(Signal.TRACES).empty_table()
