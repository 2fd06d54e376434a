"""One row for each trace: what a set of spans, or of such rows, knows of its traces. Columns in, columns out, about 0.2 µs a span."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.arrays import distinct, one
from observatory.model.hashtable import together
from observatory.model.money import picodollars, usd
from observatory.model.schema import TEXT, schema
from observatory.model.signal import Signal
from observatory.model.traceids import Ids, grouped, ids_of
from observatory.storage.grouping import in_type, numbers

SPAN_COLUMNS = (
    "trace_id", "parent_span_id", "start_ns", "duration_ns", "status_code", "name", "service_name", "project", "received_at",
    "session_id", "user_id",
)  # fmt: skip
"""What `summarize` reads of spans."""

_ERROR = 2
_SUMS = ("span_count", "error_count", "llm_calls", "input_tokens", "output_tokens", "unpriced_calls")


def summarize(spans: pa.Table) -> pa.RecordBatch:
    """`schema(TRACES)` of spans (at least `SPAN_COLUMNS`): one row for each trace id, in the order of their starts."""
    starts = numbers(spans, "start_ns")
    services = one(spans, "service_name")
    fragments = pa.table(
        {
            "trace_id": one(spans, "trace_id"),
            "project": one(spans, "project"),
            "start_ns": starts,
            "end_ns": starts + numbers(spans, "duration_ns"),  # int64 wraps, as OTLP's uint64 does
            "span_count": np.ones(len(starts), np.int64),
            "error_count": (numbers(spans, "status_code") == _ERROR).astype(np.int64),
            "has_root": one(spans, "parent_span_id").is_null(),
            "root_start_ns": starts,
            "root_name": one(spans, "name"),
            "service_name": services,
            "services": pa.ListArray.from_arrays(_present_offsets(services), services.drop_null()),
            "received_at": numbers(spans, "received_at"),
            **{name: np.zeros(len(starts), np.int64) for name in _SUMS if name not in ("span_count", "error_count")},
            "total_cost_usd": usd(np.zeros(len(starts), np.int64)),
            "models": pa.ListArray.from_arrays(np.zeros(len(starts) + 1, np.int32), pa.array([], pa.string())),
            "session_id": one(spans, "session_id"),
            "user_id": one(spans, "user_id"),
            "adjusted_count": pa.nulls(len(starts), pa.float64()),
            "decided_by": pa.nulls(len(starts), TEXT),
        }
    )
    return fold(fragments)


def sums_of(fragments: pa.Table) -> dict[str, int]:
    """What folding must keep: every sum, over all rows, modulo 2^64: a client may claim any number of tokens."""
    sums = {name: numbers(fragments, name) for name in _SUMS} | {"total_cost_usd": picodollars(one(fragments, "total_cost_usd"))}
    return {name: int(values.sum()) for name, values in sums.items()}  # int64 wraps, as it does when traces are folded


def fold(fragments: pa.Table) -> pa.RecordBatch:
    """Rows of `schema(TRACES)` with the rows of one trace added together, in the order of their starts, by which a list of traces prunes.

    Associative, and independent of order; only traces that start at the same nanosecond lie as they came.
    """
    trace_ids = one(fragments, "trace_id")
    rootless = ~np.asarray(one(fragments, "has_root"))
    root_start = numbers(fragments, "root_start_ns")
    group, order, first = in_order(ids_of(trace_ids), rootless, root_start)
    head = pa.array(order[first])

    def reduced(column: str, how: np.ufunc) -> np.ndarray:
        return how.reduceat(numbers(fragments, column)[order], first) if len(first) else np.zeros(0, np.int64)

    columns = {
        "trace_id": trace_ids.take(head),
        "project": one(fragments, "project").take(head),
        "start_ns": reduced("start_ns", np.minimum),
        "end_ns": reduced("end_ns", np.maximum),
        **{name: reduced(name, np.add) for name in _SUMS},
        "total_cost_usd": usd(_added(picodollars(one(fragments, "total_cost_usd"))[order], first)),
        "has_root": pa.array(~rootless[order[first]]),
        "root_start_ns": root_start[order[first]],
        "root_name": one(fragments, "root_name").take(head),
        "service_name": one(fragments, "service_name").take(head),
        "services": _distinct(fragments, "services", group, len(first)),
        "received_at": reduced("received_at", np.maximum),
        "models": _distinct(fragments, "models", group, len(first)),
        "session_id": _first_named(one(fragments, "session_id"), order, first),
        "user_id": _first_named(one(fragments, "user_id"), order, first),
        "adjusted_count": _highest(one(fragments, "adjusted_count"), order, first),
        "decided_by": _first_named(one(fragments, "decided_by"), order, first),
    }
    target = schema(Signal.TRACES)
    by_start = pa.array(np.argsort(columns["start_ns"], kind="stable"))
    return pa.RecordBatch.from_arrays([in_type(columns[f.name], f.type) for f in target], schema=target).take(by_start)


def in_order(ids: Ids, rootless: np.ndarray, root_start: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(the group of every row; the rows of each trace together, and the row that names it before the others: a root before none, then the
    earliest; where each group begins there).
    """
    group, count = grouped(ids)
    sizes = np.bincount(group, minlength=count)
    first = np.cumsum(sizes) - sizes
    places = np.argsort(root_start, kind="stable")
    places = np.concatenate((places[~rootless[places]], places[rootless[places]]))
    order = np.empty(len(places), np.int64)
    together(group, places, first.copy(), order)
    return group, order, first


def _added(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, first) if len(first) else np.zeros(0, np.int64)


def _first_named(values: pa.Array, order: np.ndarray, first: np.ndarray) -> pa.Array:
    """Of each group, the first value in `order` that is not null."""
    named = np.asarray(values.is_valid())[order]
    if not named.any():
        return pa.nulls(len(first), values.type)
    places = np.where(named, np.arange(len(order)), len(order))
    best = np.minimum.reduceat(places, first)
    found = best < len(order)
    return values.take(pa.array(order[np.where(found, best, 0)], mask=~found))


def _highest(values: pa.Array, order: np.ndarray, first: np.ndarray) -> pa.Array:
    """Of each group the highest number; null where there is none."""
    if not len(first):
        return pa.nulls(0, values.type)
    highest = np.maximum.reduceat(np.asarray(values.fill_null(-np.inf))[order], first)
    return pa.array(highest, mask=np.isneginf(highest))


def _distinct(fragments: pa.Table, column: str, group: np.ndarray, groups: int) -> pa.Array:
    """The distinct texts in the lists of every group, sorted."""
    lists = one(fragments, column)
    values = lists.flatten()
    coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    names = coded.dictionary
    order = np.asarray(pc.call_function("array_sort_indices", [names])).astype(np.int64)
    rank = np.empty(max(len(names), 1), np.int64)
    rank[order] = np.arange(len(order))
    sorted_names = names.take(pa.array(order))
    owner = np.repeat(group, np.diff(lists.offsets.to_numpy()).astype(np.int64))
    pairs = distinct(owner * len(rank) + rank[np.asarray(coded.indices)])
    offsets = np.searchsorted(pairs // len(rank), np.arange(groups + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), sorted_names.take(pa.array(pairs % len(rank))).cast(pa.string()))


def _present_offsets(values: pa.Array) -> pa.Array:
    present = np.asarray(values.is_valid()).astype(np.int32)
    return pa.array(np.concatenate(([0], np.cumsum(present))).astype(np.int32))
