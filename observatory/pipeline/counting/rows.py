"""Rows of `llm_calls`: made of candidates, changed by revisions, and what traces are told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.arrays import one
from observatory.model.money import picodollars, usd
from observatory.model.schema import COSTS, TEXT, schema
from observatory.model.signal import Signal
from observatory.pipeline.counting.identity import IDENTITY
from observatory.pipeline.counting.rule import REASONS

Price = Callable[[pa.Table], pa.Table]
"""Rows with usage in, row for row out: `COSTS`, `price_source`, `unpriced_reason`."""

PRICED = (*COSTS, "price_source", "unpriced_reason")
USAGE = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cache_write_1h_tokens",
    "input_audio_tokens", "output_audio_tokens", "usage_flags", "has_usage",
)  # fmt: skip
_LACKED = (
    "ttft_ns", "cache_write_1h_tokens", "http_status_code", "response_id", "finish_reason", "service_tier", "streaming", "model_name",
    "request_model", "server_address",
)  # fmt: skip
"""What a call takes from the span that stands for it too, where it says nothing itself."""

IS_CALL, IS_NATIVE, IS_NEVER = 1, 2, 4  # bits of `facts`
CALLS = schema(Signal.LLM_CALLS)


def made(candidates: pa.Table, identity: pa.Table, facts: np.ndarray, price: Price) -> pa.Table:
    """First rows (revision 0, counted) of new candidates with who they belong to, priced."""
    count = candidates.num_rows
    columns = {name: candidates.column(name) for name in candidates.column_names}
    columns |= {name: identity.column(name) for name in IDENTITY}
    columns |= {
        "revision": pa.array(np.zeros(count, np.int32)),
        "counted": pa.array(np.ones(count, bool)),
        "not_counted_reason": candidates.column("never_counts"),
        "total_tokens": _total(candidates),
        "facts": pa.array(facts),
    }
    return _shaped(columns | _priced(pa.table(columns), price))


def enriched(winners: pa.Table, losers: pa.Table, price: Price) -> tuple[pa.Table, np.ndarray]:
    """`winners` with what only `losers`, row for row the same calls, know; and which rows changed."""
    changed = np.zeros(winners.num_rows, bool)
    columns = {name: winners.column(name) for name in winners.column_names}
    # a provider's own SDK repeats what the provider said, where instrumentations add up the parts of a stream, not always rightly
    needs = (_missing_usage(winners) | (np.asarray(one(losers, "facts")) & IS_NATIVE != 0)) & ~_missing_usage(losers)
    for name in {*USAGE, *_LACKED, "total_tokens"} - {"has_usage"}:
        old, new = one(winners, name), one(losers, name)
        takes = np.asarray(new.is_valid()) & (needs if name in USAGE or name == "total_tokens" else False) & _differ(old, new)
        if name in _LACKED:
            takes |= np.asarray(new.is_valid()) & np.asarray(old.is_null())
        if takes.any():
            columns[name] = _chosen(old, new, takes)
            changed |= takes
    if not changed.any():
        return winners, changed
    return _shaped(columns | _priced(pa.table(columns), price)), changed


def repriced(rows: pa.Table, price: Price) -> pa.Table:
    """The same calls at the prices of today's table."""
    columns = {name: rows.column(name) for name in rows.column_names}
    return _shaped(columns | _priced(rows, price))


def replaced(rows: pa.Table, columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    """`rows` with other `columns`."""
    return _shaped({name: rows.column(name) for name in rows.column_names} | dict(columns))


def judged(rows: pa.Table, reasons: np.ndarray, own_reasons: pa.Array) -> pa.Table:
    """`rows` with the verdicts of `rule.judge`; `own_reasons` stand where the verdict is `never`."""
    said = pa.array(list(REASONS), pa.string()).take(pa.array(reasons))
    never = reasons == REASONS.index("never")
    if never.any():
        said = _chosen(said, own_reasons.cast(pa.string()).fill_null("never"), never)
    return replaced(rows, {"counted": pa.array(reasons == 0), "not_counted_reason": said.dictionary_encode()})


def parents(rows: pa.Table, told: np.ndarray) -> pa.Array:
    """`parent_span_id` of `rows` where it is `told`, else null."""
    ids = one(rows, "parent_span_id")
    return _chosen(pa.nulls(len(ids), ids.type), ids, told)


def trace_changes(rows: pa.Table, signs: np.ndarray) -> pa.RecordBatch:
    """`schema(TRACES)` rows that add (+1) or take back (-1) counted calls of traces: no spans, named and dated as the call's span is."""
    count = rows.num_rows

    def signed(name: str) -> np.ndarray:
        return np.asarray(one(rows, name).fill_null(0)).astype(np.int64) * signs

    models = one(rows, "model_name")
    named = models.drop_null().cast(pa.string())
    offsets = np.concatenate(([0], np.cumsum(np.asarray(models.is_valid())))).astype(np.int32)
    start = np.asarray(one(rows, "start_ns"))
    columns = {
        "start_ns": start,
        "end_ns": start + np.asarray(one(rows, "duration_ns")),
        "span_count": np.zeros(count, np.int64),
        "error_count": np.zeros(count, np.int64),
        "has_root": np.zeros(count, bool),
        "root_start_ns": np.full(count, np.iinfo(np.int64).max),  # any span names the trace rather than this
        "root_name": pa.array([""] * count, pa.string()),
        "services": pa.ListArray.from_arrays(np.zeros(count + 1, np.int32), pa.array([], pa.string())),
        "llm_calls": signs.astype(np.int64),
        "input_tokens": signed("input_tokens"),
        "output_tokens": signed("output_tokens"),
        "total_cost_usd": usd(picodollars(one(rows, "total_cost_usd")) * signs),
        "unpriced_calls": np.asarray(one(rows, "unpriced_reason").is_valid()).astype(np.int64) * signs,
        "models": pa.ListArray.from_arrays(offsets, named),
        "adjusted_count": pa.nulls(count, pa.float64()),
        "decided_by": pa.nulls(count, TEXT),
    }
    columns |= {name: one(rows, name) for name in ("trace_id", "project", "service_name", "received_at", "session_id", "user_id")}
    target = schema(Signal.TRACES)
    arrays = {name: pa.array(column) if isinstance(column, np.ndarray) else column for name, column in columns.items()}
    return pa.RecordBatch.from_arrays([_cast(arrays[field.name], field.type) for field in target], schema=target)


def _differ(old: pa.Array, new: pa.Array) -> np.ndarray:
    return ~np.asarray(pc.call_function("equal", [old.cast(pa.string()), new.cast(pa.string())]).fill_null(False))


def _missing_usage(rows: pa.Table) -> np.ndarray:
    return np.asarray(one(rows, "input_tokens").is_null()) & np.asarray(one(rows, "output_tokens").is_null())


def _priced(rows: pa.Table, price: Price) -> dict[str, pa.ChunkedArray]:
    if "has_usage" not in rows.column_names:
        rows = rows.append_column("has_usage", pa.array(~_missing_usage(rows)))
    priced = price(rows)
    return {name: priced.column(name) for name in PRICED}


def _total(candidates: pa.Table) -> pa.Array:
    tokens = pc.call_function("add", [one(candidates, n).fill_null(0) for n in ("input_tokens", "output_tokens")])
    return pc.call_function("if_else", [pa.array(_missing_usage(candidates)), pa.scalar(None, pa.int64()), tokens])


def _shaped(columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    arrays = [_cast(columns[field.name], field.type) for field in CALLS]
    return pa.Table.from_arrays(arrays, schema=CALLS)


def _cast(values: pa.Array | pa.ChunkedArray, type_: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.unify_dictionaries().combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if isinstance(type_, pa.ListType) and values.null_count:
        return _empty_for_null(values, type_)
    if values.type == type_:
        return values
    if type_ == TEXT:
        return values.cast(pa.string()).dictionary_encode()
    return values.cast(type_)


def _empty_for_null(lists: pa.Array, type_: pa.ListType) -> pa.Array:
    """The offsets laid anew: `coalesce` appends list by list, 15 times slower."""
    lengths = np.asarray(lists.value_lengths().fill_null(0))
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), lists.flatten().cast(type_.value_type), type=type_)


def _chosen(old: pa.Array, new: pa.Array, takes: np.ndarray) -> pa.Array:
    """`new` where `takes`, else `old`."""
    if pa.types.is_dictionary(old.type):
        old = old.cast(pa.string())
    return pc.call_function("if_else", [pa.array(takes), new.cast(old.type), old])
