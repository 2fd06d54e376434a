"""Stored traces as policies see them: rows of the trace list, and what their spans say, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.contracts import Nanos, Policy
from observatory.model.threshold import NEVER, randomness
from observatory.pipeline.counting.keys import trace_keys
from observatory.pipeline.sampling.spantests import SpanTests

_RV = r"(?:^|,)[ \t]*ot=(?:[^,]*;)?rv:(?P<rv>[0-9a-f]{14})[ \t]*(?:;|,|$)"


class Gathered:
    """The trace table of stored traces. Spans may come in any order and batches; those of other traces are passed over."""

    def __init__(self, traces: pa.RecordBatch, policies: Sequence[Policy]) -> None:
        """`traces`: trace_id binary(16), every figure of the trace table but `bytes` as int64, `feedback` and `evaluation` as bool, and
        `adjusted_count` float64, null where it is unknown."""
        self._traces, self._asked = traces, SpanTests.of(policies)
        keys = trace_keys(traces.column("trace_id"))
        self._order = np.argsort(keys)
        self._sorted = keys[self._order]
        rows = traces.num_rows
        self._bytes, self._randomness = np.zeros(rows, np.int64), randomness(traces.column("trace_id"))
        self._tests = {column: np.zeros(rows, bool) for column in self._asked.tests}
        self._keys = {column: np.zeros(rows, np.uint64) for column in self._asked.keys}

    def spans(self, spans: pa.RecordBatch, sizes: np.ndarray, now: Nanos) -> None:
        """Spans with the columns that are asked for, as they are stored, and the bytes of each."""
        keys = trace_keys(spans.column("trace_id"))
        place = np.minimum(np.searchsorted(self._sorted, keys), max(len(self._sorted) - 1, 0))
        mine = np.flatnonzero(self._sorted[place] == keys) if len(self._sorted) else np.zeros(0, np.int64)
        if not len(mine):
            return
        row = self._order[place[mine]]
        np.add.at(self._bytes, row, sizes[mine])
        self._listen(spans.column("trace_state"), mine, row)
        answers = self._asked(spans, now)
        for column, said in answers.tests.items():
            self._tests[column][row[said[mine]]] = True
        for column, hashes in answers.keys.items():
            said = np.flatnonzero(hashes[mine])[::-1]  # the first of a trace is written last
            said = said[self._keys[column][row[said]] == 0]
            self._keys[column][row[said]] = hashes[mine][said]

    def table(self) -> pa.RecordBatch:
        """What is known of each trace, in the order they were given."""
        counts = self.counts()
        columns: dict[str, pa.Array | np.ndarray] = {name: self._traces.column(name) for name in self._traces.schema.names}
        del columns["adjusted_count"]
        columns["randomness"] = self._randomness
        columns["threshold"] = np.minimum(np.round((1 - 1 / counts) * NEVER), NEVER - 1).astype(np.uint64)
        columns["bytes"] = self._bytes
        columns["complete"] = np.ones(self._traces.num_rows, bool)
        columns |= {**self._tests, **self._keys}
        return pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()})

    def counts(self) -> np.ndarray:
        """How many traces each stands for; of what is unknown 1."""
        counts = np.asarray(self._traces.column("adjusted_count").fill_null(1.0))
        return np.maximum(counts, 1.0)

    def _listen(self, states: pa.Array, mine: np.ndarray, row: np.ndarray) -> None:
        if not pc.call_function("any", [pc.call_function("not_equal", [states, pa.scalar("")])]).as_py():
            return
        found = pc.call_function("extract_regex", [states.take(pa.array(mine))], pc.ExtractRegexOptions(_RV)).flatten()[0]
        said = np.flatnonzero(np.asarray(found.is_valid()))
        self._randomness[row[said]] = [int(text, 16) for text in found.take(pa.array(said)).to_pylist()]
