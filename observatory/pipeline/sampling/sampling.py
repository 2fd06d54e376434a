"""Sampling as the pipeline has it: the stage, its decisions, and moments of both for the thread that cuts."""

from __future__ import annotations

import copy
import logging
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from observatory.contracts import OpenRecord
from observatory.model.clock import SECOND, Nanos
from observatory.model.signal import Signal
from observatory.model.traceids import NO_IDS, Ids, distinct, ids_of, runs
from observatory.pipeline.open_rows import OpenRecords
from observatory.pipeline.sampling import checkpoint
from observatory.pipeline.sampling.checkpoint import Checkpoint, DamagedCheckpoint
from observatory.pipeline.sampling.decisions import DROPPED, Decisions, Found, Frozen
from observatory.pipeline.sampling.sampler import Sampler
from observatory.pipeline.sampling.tally import Told
from observatory.storage.decisions import DecisionFile, search
from observatory.storage.files import DISK

log = logging.getLogger(__name__)

SAMPLED = (Signal.SPANS, Signal.LOGS)
"""What follows the fate of its trace."""

_COUNTS = ("kept", "kept_traces", "dropped_traces", "evicted", "held_decided")
_TOLD = ("kept_by", "dropped_by")


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything as of one tick, whose rows were filed at `position`.

    The journal may forget rows up to `checkpoint` when those of `waiting` were moved to `held` segments.
    """

    position: int
    checkpoint: int
    now: Nanos
    decisions: Decisions | None = None  # None: everything is kept
    recent: Frozen | None = None
    waiting: Ids = NO_IDS  # open traces with rows up to the checkpoint or in held segments, sorted
    held_decided: int = 0
    saved: Checkpoint | None = None

    def fates(self, trace_ids: pa.Array) -> tuple[np.ndarray, Found]:
        """(which rows wait, what is decided of the others) of a column of trace ids. What nobody knows is kept: nothing is lost."""
        ids, place = runs(ids_of(trace_ids))
        waits = search(self.waiting.key, self.waiting.low, ids.key, ids.low) >= 0
        assert self.decisions is not None
        found = self.decisions.find(ids, self.recent)
        return waits[place], found.rows(place)


class Sampling:
    """`sampler` runs in the thread of stages, under `filing`; the rest is for the thread that cuts."""

    def __init__(self, sampler: Sampler, directory: Path, open_rows: OpenRecords, hold_after: Nanos) -> None:
        self.sampler, self._directory, self._open_rows, self._hold_after = sampler, directory, open_rows, hold_after
        self.filing = threading.RLock()
        """Held while stages give and what they gave is filed: whoever takes it finds nothing on its way."""
        self._made: list[DecisionFile] = []
        self._settled: tuple[Moment, bool] | None = None

    def start(self, measured: int) -> None:
        """Before the first record is processed: decisions, and the open traces as of the position `measured`."""
        if self.sampler.keeps_all:
            return
        self.sampler.decisions.load(measured)
        path = self._path(measured)
        self.sampler.tally.held_decided = 1  # what waited under other policies is gathered
        if path.exists():
            try:
                self._restore(checkpoint.load(path))
            except DamagedCheckpoint as damage:
                log.error("traces that were open are kept, because what was known of them is lost: %s", damage)
        for other in self._directory.glob("open-*.state*"):
            if other != path:
                DISK.unlink(other)

    def hide(self, record: OpenRecord, rows: pa.RecordBatch) -> None:
        """At start, of a record that was measured: its rows of traces that were dropped are not for readers, as before the restart."""
        if self.sampler.keeps_all or record.signal not in SAMPLED:
            return
        ids = distinct(ids_of(rows.column("trace_id")))[0]
        decisions = self.sampler.decisions
        decisions.hide(ids.at(decisions.find(ids).what == DROPPED), record.seq)

    def moment(self, after: int) -> Moment:
        """Now. `after`: the journal is forgotten up to there."""
        with self.filing:
            self.catch_up()
            sampler, opened = self.sampler, self.sampler.open
            if sampler.keeps_all:
                return Moment(self._open_rows.position, self._open_rows.cuttable, sampler.now)
            young = opened.live & (opened.first_received > sampler.now - self._hold_after)
            least = int(opened.first_seq[young].min()) - 1 if young.any() else sampler.upto
            upto = max(min(least, sampler.upto), after)
            arrays, fragments = opened.state()
            moving = arrays["first_seq"] <= upto
            arrays["held"] = arrays["held"] | moving
            arrays["first_seq"] = np.maximum(arrays["first_seq"], upto + 1)
            held = arrays["held"]
            waiting = distinct(Ids(arrays["key"][held], arrays["low"][held]))[0]
            saved = Checkpoint(self._about(), arrays, fragments)
            recent = sampler.decisions.recent.frozen()
            return Moment(
                self._open_rows.position, upto, sampler.now, sampler.decisions, recent, waiting, sampler.tally.held_decided, saved
            )

    def save(self, moment: Moment) -> None:
        """Make durable what a swap to this moment stands on. Raises OSError."""
        if moment.decisions is not None and moment.recent is not None and moment.saved is not None:
            self._made = moment.decisions.write(moment.recent, moment.position)
            checkpoint.save(DISK, self._path(moment.position), moment.saved)

    def settle(self, moment: Moment, gathered: bool) -> None:
        """The swap stands: rows that wait are in held segments, and, when `gathered`, those that were decided no longer.

        The open traces learn it at the next tick: this thread has a low priority and must not hold up that one.
        """
        if moment.decisions is not None:
            moment.decisions.adopt(self._made)
            moment.decisions.tidy(moment.now)
            self._made = []
            self._settled = (moment, gathered)
            for path in self._directory.glob("open-*.state"):
                if path != self._path(moment.position):
                    DISK.unlink(path)

    def catch_up(self) -> None:
        """What the last cut settled. Under `filing`."""
        settled, self._settled = self._settled, None
        if settled is None:
            return
        (moment, gathered), sampler = settled, self.sampler
        assert moment.recent is not None
        count = len(moment.recent.what)
        moved = sampler.open.live & (sampler.open.first_seq <= moment.checkpoint)
        sampler.open.held[moved] = True
        sampler.open.first_seq[moved] = moment.checkpoint + 1
        later = sampler.decisions.recent.since(count)  # decided while the cut put their rows into held segments
        sampler.tally.held_decided = int((search(moment.waiting.key, moment.waiting.low, later.key, later.low) >= 0).sum())
        sampler.tally.held_decided += 0 if gathered else moment.held_decided
        sampler.decisions.recent = sampler.decisions.recent.without(count)

    def forget(self, checkpoint: int) -> None:
        """No reader looks at records up to here any more. In the thread of stages."""
        self.sampler.decisions.unhide(checkpoint)

    def hidden(self, checkpoint: int) -> Ids:
        """Dropped traces with rows in the journal behind the checkpoint, sorted. Any thread may ask."""
        return self.sampler.decisions.hidden(checkpoint)

    def _about(self) -> dict[str, Any]:
        sampler, tally = self.sampler, self.sampler.tally
        counters = {"dropped": dict(tally.dropped), "late": dict(tally.late)}
        told = {name: {"traces": dict(getattr(tally, name).traces), "spans": dict(getattr(tally, name).spans)} for name in _TOLD}
        numbers = {name: getattr(tally, name) for name in _COUNTS} | {"taken": tally.ticked}
        plan = {"policies": sampler.plan.fingerprint, "states": copy.deepcopy(sampler.plan.states)}
        plan |= {"tests": sampler.open.test_names, "asker": sampler.asker.state()}
        return {"now": sampler.now, "upto": sampler.upto, "numbers": numbers, "counters": counters, "told": told, **plan}

    def _restore(self, saved: Checkpoint) -> None:
        sampler, tally, about = self.sampler, self.sampler.tally, checkpoint.restored(saved.about)
        arrays = dict(saved.arrays)
        arrays["tests"] = _renumbered(arrays["tests"], about["tests"], sampler.open.test_names)
        sampler.open.restore(arrays, saved.fragments)
        sampler.now, sampler.upto = about["now"], about["upto"]
        for name, value in about["numbers"].items():
            setattr(tally, name, value)
        tally.ticked = tally.taken
        for name, counts in about["counters"].items():
            getattr(tally, name).update(counts)
        for name, counts in about["told"].items():
            setattr(tally, name, Told(Counter(counts["traces"]), Counter(counts["spans"])))
        sampler.plan.states |= {name: state for name, state in about["states"].items() if name in sampler.plan.states}
        sampler.asker.restore(about["asker"])
        if about.get("policies") != sampler.plan.fingerprint:
            sampler.ask_anew()

    def _path(self, position: int) -> Path:
        return self._directory / f"open-{position:020d}.state"


def wake(sampler: Sampler, now: Nanos) -> None:
    """After a time in which nothing could arrive: every open trace gets a fresh quiet period."""
    if now - sampler.now > SECOND:
        sampler.open.last_received[sampler.open.live] = now
        sampler.now = now


def _renumbered(bits: np.ndarray, were: list[str], are: tuple[str, ...]) -> np.ndarray:
    """The bits of tests under their new numbers; a test that is no longer asked is forgotten."""
    made = np.zeros(len(bits), np.uint64)
    for old, name in enumerate(were):
        if name in are:
            made |= (bits >> np.uint64(old) & np.uint64(1)) << np.uint64(are.index(name))
    return made
