"""What a column held that was never seen before, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.clock import SECOND, Nanos

MOST = 20_000
"""Values remembered of a column. When they are full, those not seen for `FORGOTTEN_S` make room; if none does, further values are not new:
a column of ids would otherwise keep everything."""

FORGOTTEN_S = 30 * 86_400.0


class Fresh:
    """The values of one column with the times they were first and last seen."""

    def __init__(self) -> None:
        self._seen: dict[str, list[Nanos]] = {}  # value: [first, last]
        self._full_until: Nanos = 0  # not looked for what can be forgotten before

    def ages(self, column: pa.Array, now: Nanos) -> np.ndarray:
        """Seconds since each row's value was first seen, 0 when now; infinity for null, empty, and what is not remembered."""
        coded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
        missing = len(coded.dictionary)
        codes = np.asarray(coded.indices.fill_null(missing))
        ages = np.full(missing + 1, np.inf)
        used = np.flatnonzero(np.bincount(codes, minlength=missing + 1)[:missing])
        for code, value in zip(used.tolist(), pc.call_function("take", [coded.dictionary, pa.array(used)]).to_pylist(), strict=True):
            if value:
                ages[code] = self._age(value, now)
        return ages[codes]

    def state(self) -> dict[str, list[Nanos]]:
        """What is remembered, as JSON values."""
        return {value: list(times) for value, times in self._seen.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Remember what `state` gave, and nothing else."""
        self._seen = {value: list(times) for value, times in state.items()}

    def _age(self, value: str, now: Nanos) -> float:
        times = self._seen.get(value)
        if times is None:
            if len(self._seen) >= MOST and now >= self._full_until:
                self._forget(now)
            if len(self._seen) >= MOST:
                return np.inf
            times = self._seen[value] = [now, now]
        times[1] = now
        return (now - times[0]) / SECOND

    def _forget(self, now: Nanos) -> None:
        self._full_until = now + 60 * SECOND
        since = now - round(FORGOTTEN_S * SECOND)
        self._seen = {value: times for value, times in self._seen.items() if times[1] >= since}
