"""Keep a share of all traces, by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.contracts import Nanos, Settles, State, Votes
from observatory.model.threshold import UNKNOWN, threshold_of
from observatory.policies.reason import Reason, numbers

_FNV_START, _FNV_PRIME, _WORD = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Probabilistic(Reason):
    """A share of 0 … 1 of the traces: those whose randomness reaches a threshold, so that every process that asks keeps the same ones.

    With a `salt` the traces are those that the Collector keeps with this `hash_salt`: FNV-1a of salt and trace id. Their probability is
    then no threshold of OpenTelemetry's, and their adjusted count is unknown.
    """

    share: float
    salt: str = ""
    name: str = "probabilistic"

    @property
    def settles(self) -> Settles:
        """The id says it."""
        return Settles.AT_ONCE

    @property
    def least_threshold(self) -> int:
        """The one threshold."""
        return UNKNOWN if self.salt else threshold_of(self.share)

    @property
    def by_chance(self) -> bool:
        """By nothing else."""
        return True

    def vote(self, traces: pa.RecordBatch, state: State, now: Nanos) -> Votes:
        """SAMPLE for the share."""
        if self.salt:
            bound = np.uint64(min(int(self.share * 2**64), _WORD))
            return Votes.sample_where(salted(self.salt, traces.column("trace_id")) <= bound, UNKNOWN)
        threshold = threshold_of(self.share)
        return Votes.sample_where(numbers(traces, "randomness") >= np.uint64(threshold), threshold)


def salted(salt: str, trace_ids: pa.Array) -> np.ndarray:
    """FNV-1a of 64 bits of the salt followed by the id, of every id (binary of 16)."""
    start = _FNV_START
    for byte in salt.encode():
        start = (start ^ byte) * _FNV_PRIME & _WORD
    letters = np.frombuffer(trace_ids.buffers()[1], np.uint8, 16 * len(trace_ids), 16 * trace_ids.offset).reshape(-1, 16)
    found = np.full(len(trace_ids), start, np.uint64)
    for place in range(16):
        found = (found ^ letters[:, place]) * np.uint64(_FNV_PRIME)
    return found
