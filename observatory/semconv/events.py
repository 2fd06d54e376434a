"""What span events say of a call: when the first token came, that an answer came, what was raised. By the distinct names of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from observatory.semconv.entries import scan
from observatory.semconv.numbers import Numbers
from observatory.semconv.packed import parse
from observatory.semconv.response import finish_of_messages

_CHUNK, _ANSWER, _EXCEPTION, _DETAILS = 1, 2, 3, 4
_NAMES = {
    "First Token Stream Event": _CHUNK,
    "gen_ai.content.completion.chunk": _CHUNK,
    "llm.content.completion.chunk": _CHUNK,
    "ai.stream.firstChunk": _CHUNK,
    "gen_ai.choice": _ANSWER,
    "gen_ai.content.completion": _ANSWER,
    "exception": _EXCEPTION,
    "gen_ai.client.inference.operation.details": _DETAILS,  # one for the input, another for the output
}


@dataclass(frozen=True, slots=True)
class Happened:
    """Of rows of all batches laid end to end. `answered`: an answer was among the events; exceptions and reasons to finish are by row."""

    first_ns: Numbers
    last_ns: Numbers
    answered: np.ndarray
    exceptions: dict[int, str]
    finishes: dict[int, str]

    def of(self, chosen: np.ndarray) -> Happened:
        """The same of some of the rows (sorted numbers), which are numbered anew."""
        return Happened(
            self.first_ns.take(chosen),
            self.last_ns.take(chosen),
            self.answered[chosen],
            {int(np.searchsorted(chosen, row)): text for row, text in self.exceptions.items()},
            {int(np.searchsorted(chosen, row)): text for row, text in self.finishes.items()},
        )


def happened(batches: Sequence[pa.RecordBatch], rows: int, unexplained: np.ndarray, unfinished: np.ndarray) -> Happened:
    """Read the `events` of the batches, `rows` spans in all.

    `unexplained` and `unfinished` (bool, of all rows): the rows whose exceptions and whose reasons to finish are wanted, the first of each.
    """
    first, last = np.full(rows, np.iinfo(np.int64).max), np.full(rows, -1, np.int64)
    answered = np.zeros(rows, bool)
    exceptions: dict[int, str] = {}
    finishes: dict[int, str] = {}
    begin = 0
    for batch in batches:
        events = batch.column("events")
        end = begin + batch.num_rows
        hits, classes = _of_interest(events, bool(unexplained[begin:end].any()))
        if len(hits):
            of_row = np.searchsorted(events.offsets.to_numpy(), hits, side="right") - 1 + begin
            attributes = events.values.field("attributes")
            chunk, choice, details = (classes == class_ for class_ in (_CHUNK, _ANSWER, _DETAILS))
            if chunk.any():
                times = events.values.field("time_ns").to_numpy()[hits[chunk]]
                np.minimum.at(first, of_row[chunk], times)
                np.maximum.at(last, of_row[chunk], times)
            answered[of_row[choice | chunk]] = True
            _texts(attributes, hits, of_row, (classes == _EXCEPTION) & unexplained[of_row], "exception.type", exceptions)
            _texts(attributes, hits, of_row, choice & unfinished[of_row], "finish_reason", finishes)
            messages: dict[int, str] = {}
            _texts(attributes, hits, of_row, details & unfinished[of_row], "gen_ai.output.messages", messages)
            answered[list(messages)] = True
            finishes |= {row: ended for row, text in messages.items() if (ended := finish_of_messages(parse(text)).get("finish_reason"))}
        begin = end
    seen = last >= 0
    return Happened(Numbers(np.where(seen, first, 0), seen), Numbers(np.where(seen, last, 0), seen), answered, exceptions, finishes)


def _of_interest(events: pa.ListArray, explain: bool) -> tuple[np.ndarray, np.ndarray]:
    """Positions of events whose name has a class, and the classes."""
    nothing = np.zeros(0, np.int64), np.zeros(0, np.int8)
    values = events.values
    if not len(values):
        return nothing
    names = values.field("name")
    table = [_NAMES.get(name, 0) for name in names.dictionary.to_pylist()]
    # most events of most applications are exceptions of spans that say themselves what went wrong
    if not any(class_ and (class_ != _EXCEPTION or explain) for class_ in table):
        return nothing
    offsets = events.offsets.to_numpy()
    found = np.array(table, np.int8)[names.indices.to_numpy(zero_copy_only=False)]
    hits = np.flatnonzero(found[: offsets[-1]])
    hits = hits[hits >= offsets[0]]
    return hits, found[hits]


def _texts(attributes: pa.MapArray, events: np.ndarray, rows: np.ndarray, wanted: np.ndarray, key: str, found: dict[int, str]) -> None:
    """Put the text of `key` of the wanted events into `found`, by row; the first of a row stays."""
    if not wanted.any():
        return
    picked = attributes.take(pa.array(events[wanted]))
    assert isinstance(picked, pa.MapArray)
    of_row = rows[wanted].tolist()
    entries = scan([picked], lambda name: int(name == key))
    for event, text in zip(entries.rows.tolist(), entries.texts(), strict=True):
        if text:
            found.setdefault(of_row[event], text)
