"""Policies made of policies: all of several, not one, and the veto."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.contracts import ABSTAIN, DROP, SAMPLE, Nanos, Paced, Settles, SpanTest, State, Votes
from observatory.model.threshold import UNKNOWN
from observatory.policies.reason import Reason

_ORDER = (Settles.AT_ONCE, Settles.GROWS, Settles.AT_END)


@dataclass(frozen=True, slots=True)
class Several(Reason):
    """What those made of policies have in common."""

    parts: tuple[Reason, ...]

    @property
    def settles(self) -> Settles:
        """When the last of its parts does. One that remembers must not be asked again and again while the others grow."""
        last = max((part.settles for part in self.parts), key=_ORDER.index)
        return Settles.AT_END if last is Settles.GROWS and self.remembers else last

    @property
    def vetoes(self) -> bool:
        """When a part does."""
        return any(part.vetoes for part in self.parts)

    @property
    def by_chance(self) -> bool:
        """When a part is."""
        return any(part.by_chance for part in self.parts)

    @property
    def remembers(self) -> bool:
        """When a part does."""
        return any(part.remembers for part in self.parts)

    @property
    def tests(self) -> Mapping[str, SpanTest]:
        """Those of its parts."""
        return {column: test for part in self.parts for column, test in part.tests.items()}

    @property
    def keys(self) -> Mapping[str, str]:
        """Those of its parts."""
        return {column: key for part in self.parts for column, key in part.keys.items()}

    def arrived(self, spans: int, state: State, now: Nanos) -> None:
        """Tell the parts that are steered by it."""
        for number, part in enumerate(self.parts):
            if isinstance(part, Paced):
                part.arrived(spans, self.state_of(number, state), now)

    def votes(self, traces: pa.RecordBatch, state: State, now: Nanos) -> list[Votes]:
        """What each of its parts says of all."""
        return [part.vote(traces, self.state_of(number, state), now) for number, part in enumerate(self.parts)]

    def state_of(self, number: int, state: State) -> State:
        """A part's own state, within the policy's."""
        return state.setdefault(f"{number}", {}) if self.parts[number].remembers else {}


@dataclass(frozen=True, slots=True)
class And(Several):
    """Traces that every part keeps, under the highest threshold; a DROP of a part is one of the whole.

    A part that remembers hears only of what the parts before it keep: a limit behind `status` is one of errors, as in the Collector.
    """

    name: str = "and"

    @property
    def least_threshold(self) -> int:
        """None is below the highest."""
        return max(part.least_threshold for part in self.parts)

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE where all do."""
        choice, threshold = np.full(traces.num_rows, SAMPLE, np.int8), np.zeros(traces.num_rows, np.uint64)
        for number, part in enumerate(self.parts):
            rows = np.flatnonzero(choice == SAMPLE) if part.remembers else np.arange(traces.num_rows)
            asked = traces.take(pa.array(rows, pa.int64())) if len(rows) < traces.num_rows else traces
            said = part.vote(asked, self.state_of(number, state), now)
            choice[rows[(said.choice == ABSTAIN) & (choice[rows] == SAMPLE)]] = ABSTAIN
            choice[rows[said.choice == DROP]] = DROP
            threshold[rows] = np.maximum(threshold[rows], said.threshold)
        return Votes(choice, threshold)


@dataclass(frozen=True, slots=True)
class Not(Several):
    """Traces that its one part does not keep; a DROP stays one. The opposite of chance has no threshold: its count is unknown."""

    name: str = "not"

    @property
    def settles(self) -> Settles:
        """What is not there yet may come."""
        return Settles.AT_ONCE if self.parts[0].settles is Settles.AT_ONCE else Settles.AT_END

    @property
    def least_threshold(self) -> int:
        """As its part is certain or not."""
        return UNKNOWN if self.by_chance else 0

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE and ABSTAIN change places."""
        choice = self.votes(traces, state, now)[0].choice
        swapped = Votes.sample_where(choice == ABSTAIN, self.least_threshold)
        return Votes(np.where(choice == DROP, np.int8(DROP), swapped.choice), swapped.threshold)


@dataclass(frozen=True, slots=True)
class Drop(Several):
    """A veto: traces that every part would keep are dropped, whoever else wants them. It keeps nothing."""

    name: str = "drop"

    @property
    def vetoes(self) -> bool:
        """That is what it is for."""
        return True

    @property
    def least_threshold(self) -> int:
        """It never says SAMPLE."""
        return UNKNOWN

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """DROP where all parts say SAMPLE, or one of them DROP."""
        choice = And(self.parts).vote(traces, state, now).choice
        return Votes(np.where(choice == ABSTAIN, ABSTAIN, DROP).astype(np.int8), np.zeros(len(choice), np.uint64))
