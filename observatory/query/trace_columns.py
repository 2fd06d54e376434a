"""Spans of a trace as columns in JSON: what `view=tree` says, with no name and no text twice. 30,000 spans are 15 MB as objects, 5 MB so.

A block has `rows`, `columns`, and `calls` and `subtrees`: columns of those rows that `at` numbers. A column is a list with a value for each
row, null where there is none, or `{"of": texts, "at": places among them}`, -1 where there is none. One without any value is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.arrays import hex_text
from observatory.query.answers import SAFE
from observatory.query.filtering.fields import SPAN_KINDS, STATUS
from observatory.query.llm_figures import number, usd_text
from observatory.query.trace_calls import OF_A_CALL, OF_A_SUBTREE, Told

BLOCK_ROWS = 8192
_OF_A_SPAN = (
    "name", "service_name", "observation_kind", "operation", "provider", "request_model", "response_model", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "time_to_first_token_s", "streaming", "error_type", "http_status_code",
    "agent_name", "tool_name",
)  # fmt: skip

Column = list[Any] | np.ndarray | dict[str, Any]


def blocks(batches: Iterable[pa.RecordBatch], told: Told) -> Iterator[bytes]:
    """A JSON object and a comma for each `BLOCK_ROWS` spans or fewer, in order; `told` is of all of them together."""
    first = 0
    for batch in batches:
        for offset in range(0, batch.num_rows, BLOCK_ROWS):
            rows = batch.slice(offset, BLOCK_ROWS)
            low, high = np.searchsorted(told.rows, (first, first + rows.num_rows))
            mine = Told(told.rows[low:high] - first, told.columns.slice(low, high - low))
            first += rows.num_rows
            yield orjson.dumps(_block(rows, mine), option=orjson.OPT_SERIALIZE_NUMPY) + b","


def _block(rows: pa.RecordBatch, told: Told) -> dict[str, Any]:
    columns: dict[str, Column] = {
        "span_id": hex_text(rows.column("span_id")).to_pylist(),
        "parent_span_id": hex_text(rows.column("parent_span_id")).to_pylist(),
        "kind": _words(rows.column("kind"), SPAN_KINDS),
        "status": _words(rows.column("status_code"), STATUS),
        "start_ns": rows.column("start_ns").cast(pa.string()).to_pylist(),
        "duration_ns": rows.column("duration_ns").cast(pa.string()).to_pylist(),
        "event_count": np.asarray(pc.call_function("list_value_length", [rows.column("events")])),
    }
    message = rows.column("status_message")
    if pc.call_function("any", [pc.call_function("not_equal", [message, ""])]).as_py():
        columns["message"] = _texts(message)
    columns |= _valued(rows, dict(zip(_OF_A_SPAN, _OF_A_SPAN, strict=True)))
    return {
        "rows": rows.num_rows,
        "columns": columns,
        "calls": _part(told, dict(zip(OF_A_CALL, OF_A_CALL, strict=True)), np.asarray(told.columns.column("counted").is_valid())),
        "subtrees": _part(told, OF_A_SUBTREE, _says(told, "sub_calls") | _says(told, "sub_errors")),
    }


def _says(told: Told, name: str) -> np.ndarray:
    return np.asarray(told.columns.column(name)) != 0


def _part(told: Told, names: dict[str, str], mine: np.ndarray) -> dict[str, Any]:
    return {"at": told.rows[mine], "columns": _valued(told.columns.filter(pa.array(mine)), names)}


def _valued(rows: pa.RecordBatch, names: dict[str, str]) -> dict[str, Column]:
    """Columns with a value, by what they are called."""
    found = {said: rows.column(name) for name, said in names.items()}
    return {said: _column(values) for said, values in found.items() if values.null_count < len(values)}


def _column(values: pa.Array) -> Column:
    kind = values.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        return _texts(values)
    if pa.types.is_decimal(kind):
        return _coded(values.dictionary_encode(), usd_text)
    if pa.types.is_floating(kind):
        reals = np.asarray(values.fill_null(np.nan))
        return [None if not finite else real for real, finite in zip(reals.tolist(), np.isfinite(reals).tolist(), strict=True)]
    if pa.types.is_integer(kind):
        filled = np.asarray(values.fill_null(0))
        if ((filled > SAFE) | (filled < -SAFE)).any():
            return [number(value) for value in values.to_pylist()]
        if not values.null_count:
            return filled
    return values.to_pylist()


def _texts(values: pa.Array) -> Column:
    return _coded(values.cast(pa.string()).dictionary_encode(), str)


def _words(codes: pa.Array, words: tuple[str, ...]) -> Column:
    return _coded(codes.dictionary_encode(), lambda code: words[code] if 0 <= code < len(words) else str(code))


def _coded(values: pa.Array, said: Callable[[Any], str | None]) -> Column:
    return {"of": [said(value) for value in values.dictionary.to_pylist()], "at": np.asarray(values.indices.fill_null(-1))}
