"""Counts of what sampling did since the first start with these policies; they are in the checkpoint."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Told:
    """Traces and spans by the policies that kept them, or dropped them; several may have, so their sum is more."""

    traces: Counter[str] = field(default_factory=Counter)
    spans: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """Spans, where nothing else is said."""

    taken: int = 0
    ticked: int = 0
    """Of what was taken, what the last tick looked at: the rest is replayed after a crash."""
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """By reason."""
    late: Counter[str] = field(default_factory=Counter)
    """What came for traces that were decided, by what it was."""
    kept_by: Told = field(default_factory=Told)
    dropped_by: Told = field(default_factory=Told)
    kept_traces: int = 0
    dropped_traces: int = 0
    evicted: int = 0
    """Traces that were decided early, because the open ones were too large."""
    held_decided: int = 0
    """Decided traces of which rows lie in `held` segments."""
