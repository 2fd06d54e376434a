"""What span events say of a call: when the first token came, that an answer came, what was raised. By the distinct names of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.semconv.entries import scan
from observatory.semconv.numbers import Numbers

_CHUNK, _ANSWER, _EXCEPTION = 1, 2, 3
_NAMES = {
    "First Token Stream Event": _CHUNK,
    "gen_ai.content.completion.chunk": _CHUNK,
    "llm.content.completion.chunk": _CHUNK,
    "ai.stream.firstChunk": _CHUNK,
    "gen_ai.choice": _ANSWER,
    "gen_ai.content.completion": _ANSWER,
    "gen_ai.assistant.message": 0,  # history, not an answer
    "exception": _EXCEPTION,
}


@dataclass(frozen=True, slots=True)
class Happened:
    """Of rows of all batches laid end to end: times of the first and the last piece of a stream, rows with an answer, exceptions by row."""

    first_ns: Numbers
    last_ns: Numbers
    answered: np.ndarray
    exceptions: dict[int, str]

    def of(self, chosen: np.ndarray) -> Happened:
        """The same of some of the rows (sorted numbers), which are numbered anew."""
        return Happened(
            self.first_ns.take(chosen),
            self.last_ns.take(chosen),
            self.answered[chosen],
            {int(np.searchsorted(chosen, row)): text for row, text in self.exceptions.items()},
        )


def happened(batches: Sequence[pa.RecordBatch], rows: int, unexplained: np.ndarray) -> Happened:
    """Read the `events` of the batches, `rows` spans in all.

    `unexplained` (bool, of all rows): the rows whose exceptions are wanted, the first type of each.
    """
    first, last = np.full(rows, np.iinfo(np.int64).max), np.full(rows, -1, np.int64)
    answered = np.zeros(rows, bool)
    exceptions: dict[int, str] = {}
    begin = 0
    for batch in batches:
        events = batch.column("events")
        values = events.values
        end = begin + batch.num_rows
        if len(values):
            names = values.field("name")
            explain = bool(unexplained[begin:end].any())
            table = [_NAMES.get(name, 0) for name in names.dictionary.to_pylist()]
            # most events of most applications are exceptions of spans that say themselves what went wrong
            if any(class_ in (_CHUNK, _ANSWER) or (explain and class_ == _EXCEPTION) for class_ in table):
                offsets = events.offsets.to_numpy()
                found = np.array(table, np.int8)[names.indices.to_numpy(zero_copy_only=False)]
                hits = np.flatnonzero(found[: offsets[-1]])
                hits = hits[hits >= offsets[0]]
                of_row = np.searchsorted(offsets, hits, side="right") - 1 + begin
                chunk = found[hits] == _CHUNK
                if chunk.any():
                    times = values.field("time_ns").to_numpy()[hits[chunk]]
                    np.minimum.at(first, of_row[chunk], times)
                    np.maximum.at(last, of_row[chunk], times)
                answered[of_row[(found[hits] == _ANSWER) | chunk]] = True
                raised = (found[hits] == _EXCEPTION) & unexplained[of_row]
                if raised.any():
                    _types(values.field("attributes"), hits[raised], of_row[raised], exceptions)
        begin = end
    seen = last >= 0
    return Happened(Numbers(np.where(seen, first, 0), seen), Numbers(np.where(seen, last, 0), seen), answered, exceptions)


def _types(attributes: pa.MapArray, events: np.ndarray, rows: np.ndarray, found: dict[int, str]) -> None:
    picked = attributes.take(pa.array(events))
    assert isinstance(picked, pa.MapArray)
    entries = scan([picked], lambda key: int(key == "exception.type"))
    for event, text in zip(entries.rows.tolist(), entries.texts(), strict=True):
        if text:
            found.setdefault(int(rows[event]), text)
