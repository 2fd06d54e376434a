"""What was decided of traces: the last seconds in memory, up to a day on disk, so that a late span meets the decision its trace met.

Only ever exact: an id that is not found was never decided, or so long ago that it is forgotten, and then its trace is a new one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from observatory.model.clock import DAY, Nanos
from observatory.model.threshold import UNKNOWN
from observatory.model.traceids import IdIndex, Ids, distinct, joined
from observatory.storage import decisions
from observatory.storage.decisions import DamagedDecisions, DecisionFile, Kind
from observatory.storage.files import DISK, Files

log = logging.getLogger(__name__)

NOTHING, KEPT, DROPPED = range(3)
_MOST_FILES = 8  # of a kind; each costs a search for every new trace, and merging them a copy


@dataclass(slots=True)
class Found:
    """Row for row: `what` (NOTHING, KEPT, DROPPED), and of kept ones the threshold and which policies kept them (`Decisions.names`;
    -1: nobody knows)."""

    what: np.ndarray
    threshold: np.ndarray
    by: np.ndarray

    @staticmethod
    def none(rows: int) -> Found:
        """Nothing is known."""
        return Found(np.zeros(rows, np.int8), np.full(rows, UNKNOWN, np.uint64), np.full(rows, -1, np.int64))

    def rows(self, where: np.ndarray | slice) -> Found:
        """Those at these places, or where a mask says so."""
        return Found(self.what[where], self.threshold[where], self.by[where])


class Recent:
    """Decisions that are not in files yet, in the order they were made. One thread uses it."""

    def __init__(self) -> None:
        self._index = IdIndex()
        self._what = np.zeros(1024, np.int8)
        self._threshold, self._by = np.zeros(1024, np.uint64), np.zeros(1024, np.int64)
        self._at = np.zeros(1024, np.int64)
        self.count = 0

    def add(self, ids: Ids, what: np.ndarray, threshold: np.ndarray, by: np.ndarray, at: np.ndarray) -> None:
        """New ones, each id once."""
        rows = np.arange(self.count, self.count + len(ids.key))
        while self.count + len(rows) > len(self._what):
            for name in ("_what", "_threshold", "_by", "_at"):
                setattr(self, name, np.concatenate((getattr(self, name), np.zeros_like(getattr(self, name)))))
        self._index.add(ids, rows)
        self._what[rows], self._threshold[rows], self._by[rows], self._at[rows] = what, threshold, by, at
        self.count += len(rows)

    def find(self, ids: Ids) -> Found:
        """What they say of these."""
        found = Found.none(len(ids.key))
        at = self._index.find(ids)
        hit = at >= 0
        found.what[hit], found.threshold[hit], found.by[hit] = self._what[at[hit]], self._threshold[at[hit]], self._by[at[hit]]
        return found

    def frozen(self) -> Frozen:
        """All of them, for another thread."""
        ids = Ids(self._index.key[: self.count], self._index.low[: self.count])
        order = np.lexsort((ids.low, ids.key))
        return Frozen(ids.at(order), self._what[order], self._threshold[order], self._by[order], self._at[order])

    def since(self, count: int) -> Ids:
        """Of all but the first so many."""
        return Ids(self._index.key[count : self.count], self._index.low[count : self.count])

    def without(self, count: int) -> Recent:
        """All but the first so many."""
        rest, kept = Recent(), np.arange(count, self.count)
        rest.add(Ids(self._index.key[kept], self._index.low[kept]), *(c[kept] for c in (self._what, self._threshold, self._by, self._at)))
        return rest


@dataclass(frozen=True, slots=True)
class Frozen:
    """The recent decisions of one moment, sorted by id."""

    ids: Ids
    what: np.ndarray
    threshold: np.ndarray
    by: np.ndarray
    at: np.ndarray

    def find(self, ids: Ids) -> Found:
        """What they say of these."""
        found = Found.none(len(ids.key))
        at = decisions.search(self.ids.key, self.ids.low, ids.key, ids.low)
        hit = at >= 0
        found.what[hit], found.threshold[hit], found.by[hit] = self.what[at[hit]], self.threshold[at[hit]], self.by[at[hit]]
        return found


class Decisions:
    """`recent` in memory, files in a directory. One thread adds and looks up; another writes, from frozen moments."""

    def __init__(self, directory: Path, most_bytes: int, age: Nanos = DAY, files: Files = DISK) -> None:
        self._directory, self._most_bytes, self._age, self._disk = directory, most_bytes, age, files
        self.recent = Recent()
        self.files: tuple[DecisionFile, ...] = ()
        self.names: list[str] = []
        """What `by` counts: names of policies, parted by commas."""
        self._numbers: dict[str, int] = {}
        self._hidden: list[tuple[int, Ids]] = []

    def number(self, names: str) -> int:
        """The number `by` says for these names."""
        if names not in self._numbers:
            self._numbers[names] = len(self.names)
            self.names.append(names)
        return self._numbers[names]

    def add(self, ids: Ids, what: np.ndarray, threshold: np.ndarray, by: np.ndarray, upto: int, now: Nanos) -> None:
        """Decided now, when records up to `upto` had been seen; each id once, and none that is decided."""
        self.recent.add(ids, what, threshold, by, np.full(len(ids.key), now))
        self.hide(ids.at(what == DROPPED), upto)

    def hide(self, dropped: Ids, upto: int) -> None:
        """Rows of these lie in the journal, in records up to `upto`, and are not for readers."""
        if len(dropped.key):
            self._hidden.append((upto, dropped))

    def hidden(self, checkpoint: int) -> Ids:
        """Dropped traces with rows in records behind the checkpoint, sorted. Any thread may ask."""
        return distinct(joined([ids for upto, ids in list(self._hidden) if upto > checkpoint]))[0]

    def unhide(self, checkpoint: int) -> None:
        """Records up to here are gone."""
        self._hidden = [(upto, ids) for upto, ids in self._hidden if upto > checkpoint]

    def find(self, ids: Ids, recent: Frozen | None = None) -> Found:
        """What is known of these ids; with `recent`, as of that moment."""
        found = (recent or self.recent).find(ids)
        for file in self.files:
            asked = np.flatnonzero(found.what == NOTHING)
            if not len(asked):
                break
            asked = asked[np.argsort(ids.key[asked])]
            at = file.find(ids.key[asked], ids.low[asked])
            hit = at >= 0
            rows = asked[hit]
            found.what[rows] = KEPT if file.kind == "kept" else DROPPED
            if file.kind == "kept":
                found.threshold[rows] = file.columns[2][at[hit]]
                numbers = np.array([self.number(names) for names in file.names] or [0], np.int64)
                found.by[rows] = numbers[file.columns[3][at[hit]].astype(np.int64)]
        return found

    def write(self, recent: Frozen, upto: int) -> list[DecisionFile]:
        """Files of a moment's decisions, made up to the position `upto`; they count once `adopt` is called, or at the next start when a
        swap says that it measured so far. Raises OSError.
        """
        made = []
        kinds: tuple[tuple[Kind, int], ...] = (("kept", KEPT), ("dropped", DROPPED))
        for kind, said in kinds:
            rows = recent.what == said
            if rows.any():
                columns = [recent.ids.key[rows], recent.ids.low[rows]]
                columns += [recent.threshold[rows], recent.by[rows].astype(np.uint64)] if kind == "kept" else []
                times = recent.at[rows]
                names = tuple(self.names) if kind == "kept" else ()
                path = self._directory / f"{upto:020d}-{upto:020d}.{kind}"
                made.append(decisions.write(self._disk, path, kind, np.stack(columns), int(times.min()), int(times.max()), names))
        return made

    def adopt(self, made: list[DecisionFile]) -> None:
        """These files say what they say for good. In the thread that writes."""
        self.files = (*made, *self.files)

    def tidy(self, now: Nanos) -> None:
        """Merge files when there are many, forget the oldest. In the thread that writes."""
        self._merge("kept")
        self._merge("dropped")
        self._forget(now)

    def load(self, measured: int) -> None:
        """Open what is there at start; what no swap made true, and what a merge left behind, is deleted. A damaged file is set aside: its
        traces are undecided again.
        """
        self._disk.make_directory(self._directory)
        ranges = [(*_range(path), path) for path in sorted(self._directory.iterdir()) if path.suffix in (".kept", ".dropped")]
        for path in self._directory.glob("*.tmp"):
            self._disk.unlink(path)
        opened = []
        for low, high, path in ranges:
            merged = any(a <= low and high <= b and other != path and other.suffix == path.suffix for a, b, other in ranges)
            if high > measured or merged:
                self._disk.unlink(path)
                continue
            try:
                opened.append(decisions.open_file(path, verify=True))
            except DamagedDecisions as damage:
                log.error("decisions of sampling are lost, late spans of these traces are new traces: %s", damage)
                path.rename(path.with_name(path.name + ".damaged"))
        self.files = tuple(sorted(opened, key=lambda file: file.last, reverse=True))

    @property
    def reaches(self) -> Nanos | None:
        """When the oldest decision that is still known was made; None when there is none."""
        return min((file.first for file in self.files), default=None)

    @property
    def bytes(self) -> int:
        """On disk."""
        return sum(file.bytes for file in self.files)

    def _merge(self, kind: Kind) -> None:
        of_kind = sorted((file for file in self.files if file.kind == kind), key=lambda file: file.path.name)
        if len(of_kind) <= _MOST_FILES:
            return
        # neighbours in time, so that ranges stay whole: the young ones, while they are smaller than what is before them
        start = len(of_kind) - 2
        while start > 0 and of_kind[start - 1].columns.shape[1] <= 2 * sum(file.columns.shape[1] for file in of_kind[start:]):
            start -= 1
        sources = of_kind[start:]
        names: list[str] = list(dict.fromkeys(name for file in sources for name in file.names))
        parts = []
        for file in sources:
            columns = np.array(file.columns)
            if kind == "kept":
                columns[3] = np.array([names.index(name) for name in file.names] or [0], np.uint64)[columns[3].astype(np.int64)]
            parts.append(columns)
        path = self._directory / f"{_range(sources[0].path)[0]:020d}-{_range(sources[-1].path)[1]:020d}.{kind}"
        times = min(file.first for file in sources), max(file.last for file in sources)
        merged = decisions.write(self._disk, path, kind, np.concatenate(parts, axis=1), *times, tuple(names))
        rest = [file for file in self.files if file not in sources]
        self.files = tuple(sorted([merged, *rest], key=lambda file: file.last, reverse=True))
        for file in sources:
            self._disk.unlink(file.path)

    def _forget(self, now: Nanos) -> None:
        kept: list[DecisionFile] = []
        size = 0
        for file in self.files:  # the latest first
            size += file.bytes
            if now - file.last > self._age or (size > self._most_bytes and kept):
                self._disk.unlink(file.path)
            else:
                kept.append(file)
        self.files = tuple(kept)


def _range(path: Path) -> tuple[int, int]:
    low, _, high = path.stem.partition("-")
    return int(low), int(high)
