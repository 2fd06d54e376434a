"""What the calls of a trace say of its spans: which call a span is, and what every subtree adds up to. Columns in, columns out.

30,000 spans of which every second is a call: 45 ms, of which text is the most.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

import duckdb
import numpy as np
import pyarrow as pa

from observatory.model.clock import Nanos
from observatory.model.money import picodollars, usd
from observatory.model.schema import USD
from observatory.query.llm_figures import number, usd_text
from observatory.query.named import named
from observatory.query.render import Renderer

_ERROR = 2
OF_A_CALL = (
    "counted", "not_counted_reason", "provider", "model_name", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "reasoning_tokens", "total_tokens", "total_cost_usd", "reported_cost_usd", "price_source", "unpriced_reason",
)  # fmt: skip
_ADDED = ("input_tokens", "output_tokens", "total_tokens")
OF_A_SUBTREE = {
    "sub_calls": "llm_calls",
    "sub_errors": "error_count",
    **{f"sub_{name}": name for name in _ADDED},
    "sub_cost_usd": "total_cost_usd",
    "sub_unpriced": "unpriced_calls",
}
"""What the columns of `Told` are called in JSON."""


class Told(NamedTuple):
    """What calls say of some spans. `rows`: which, ascending. `columns`: `OF_A_CALL` (null where the span is none) and `OF_A_SUBTREE`."""

    rows: np.ndarray
    columns: pa.RecordBatch


class CallSource(Protocol):
    """Where calls are asked for: `storage.engine.View` is one."""

    def calls_of_trace(self, trace_id: bytes, start_ns: Nanos, end_ns: Nanos) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection that has `llm_calls` of a trace, at least those that start in [start_ns, end_ns)."""
        ...


def calls_of_trace(source: CallSource, trace_id: bytes, starts: np.ndarray) -> pa.Table:
    """The rows of `trace_calls.sql`, given the starts of the trace's spans."""
    low, high = int(starts.min()), int(starts.max())
    with source.calls_of_trace(trace_id, low, min(high + 1, 2**63 - 1)) as con:
        return con.sql(named("trace_calls"), params={"low": low, "high": high, "trace_id": trace_id.hex()}).to_arrow_table()


def head_facts(calls: pa.Table) -> dict[str, Any]:
    """What the trace's head says of its calls: of those that count, whether their spans are stored or not."""
    counting = calls.filter(_column(calls, "counted"))
    tokens = {name: sum(_column(counting, name).drop_null().to_pylist()) for name in _ADDED}  # Python's integers do not overflow
    unpriced = len(_column(counting, "unpriced_reason").drop_null())
    cost = sum(_column(counting, "total_cost_usd").drop_null().to_pylist(), Decimal(0))
    return {
        "llm_calls": counting.num_rows,
        **{name: number(value) for name, value in tokens.items()},
        "total_cost_usd": None if unpriced and not cost else usd_text(cost),
        "unpriced_calls": unpriced,
        "models": sorted(_column(counting, "model_name").drop_null().unique().to_pylist()),
    }


def said_of_calls(spans: pa.Table, told: Told, renderer: Renderer) -> pa.Array:
    """One text for each span (null: nothing to say) that goes into its JSON object."""
    if not len(told.rows):
        return pa.nulls(spans.num_rows, pa.string())
    where = np.full(spans.num_rows, -1, np.int64)
    where[told.rows] = np.arange(len(told.rows))
    return renderer.texts(told.columns, "span_calls").take(pa.array(where, mask=where < 0))


def told_of_calls(spans: pa.Table, calls: pa.Table, *, subtrees: bool = True) -> Told:
    """`spans` has each span once, with `span_id`, `parent_span_id` and `status_code`. A subtree is told of spans with others below them;
    without `subtrees` only the call is.
    """
    ids = _ids(spans, "span_id")
    mine = _place(_call_ids(calls), ids)  # of each span's call
    sums = _subtree_columns(spans, ids, calls, mine) if subtrees else _no_subtrees(len(ids))
    tells = np.flatnonzero((mine >= 0) | (sums["sub_calls"] != 0) | (sums["sub_errors"] != 0))
    picked = pa.array(mine[tells], mask=mine[tells] < 0)
    columns = {name: _column(calls, name).take(picked) for name in OF_A_CALL}
    cost = sums.pop("sub_cost_usd")
    unknown = (sums["sub_unpriced"] > 0) & (cost == 0)
    columns |= {name: pa.array(values[tells]) for name, values in sums.items()}
    columns["sub_cost_usd"] = usd(cost[tells], ~unknown[tells])
    return Told(tells, pa.RecordBatch.from_pydict(columns))


def subtree_sums(parents: np.ndarray, values: list[np.ndarray]) -> list[np.ndarray]:
    """For every node the sum of int64 values over itself and all below it; `parents` are row numbers, -1 for a root.

    By doubling: after round k each node has the sum of what is less than 2^k below it, so a chain of 30,000 takes 15 rounds and no
    loop over nodes. A node that is its own ancestor counts as a root: malformed, and shown all the same.
    """
    count = len(parents)
    ancestor = np.append(np.where(parents < 0, count, parents), count)
    far = ancestor
    for _ in range(max(count, 1).bit_length()):
        far = far[far]
    ancestor[far[far < count]] = count  # only cycles lead nowhere, and every node of one is reached so
    sums = [np.append(column, 0) for column in values]
    while len(below := np.flatnonzero(ancestor[:count] < count)):
        for column in sums:
            np.add.at(column, ancestor[below], column[below])
        ancestor = ancestor[ancestor]
    return [column[:count] for column in sums]


def _subtree_columns(spans: pa.Table, ids: np.ndarray, calls: pa.Table, mine: np.ndarray) -> dict[str, np.ndarray]:
    counted = np.asarray(_column(calls, "counted").fill_null(False)).astype(bool)
    unpriced = np.asarray(_column(calls, "unpriced_reason").is_valid())
    of_calls = {
        "sub_calls": counted.astype(np.int64),
        "sub_unpriced": (counted & unpriced).astype(np.int64),
        "sub_cost_usd": np.where(counted, picodollars(_column(calls, "total_cost_usd").cast(USD)), 0),
        **{f"sub_{name}": np.where(counted, np.asarray(_column(calls, name).fill_null(0)).astype(np.int64), 0) for name in _ADDED},
    }
    # an absent call reads the zero behind the last
    own = {name: np.append(values, 0)[mine] for name, values in of_calls.items()}
    own["sub_errors"] = (np.asarray(spans.column("status_code")).astype(np.int64) == _ERROR).astype(np.int64)
    parents = _column(spans, "parent_span_id")
    places = np.where(np.asarray(parents.is_valid()), _place(ids, _ids(spans, "parent_span_id")), -1)
    parted = np.zeros(len(ids), bool)  # a span with nothing below it adds up to its own call, which is told already
    parted[places[places >= 0]] = True
    return {name: np.where(parted, sums, 0) for name, sums in zip(own, subtree_sums(places, list(own.values())), strict=True)}


def _no_subtrees(count: int) -> dict[str, np.ndarray]:
    names = ("sub_calls", "sub_unpriced", "sub_cost_usd", "sub_errors", *(f"sub_{name}" for name in _ADDED))
    return {name: np.zeros(count, np.int64) for name in names}


def _place(among: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """The row number of each id among others, the first where it repeats; -1 where it is not."""
    if not len(among):
        return np.full(len(ids), -1, np.int64)
    order = np.argsort(among, kind="stable")
    at = np.minimum(np.searchsorted(among[order], ids), len(among) - 1)
    return np.where(among[order][at] == ids, order[at], -1)


def _ids(rows: pa.Table, column: str) -> np.ndarray:
    values = _column(rows, column)
    data = values.buffers()[1]  # none where every value is null
    return np.zeros(len(values), np.uint64) if data is None else np.frombuffer(data, np.uint64, offset=values.offset * 8, count=len(values))


def _call_ids(calls: pa.Table) -> np.ndarray:
    texts = _column(calls, "span_id").to_pylist()
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint64)


def _column(rows: pa.Table, name: str) -> pa.Array:
    chunked = rows.column(name)
    if chunked.num_chunks == 1:
        return chunked.chunk(0)
    return chunked.combine_chunks() if chunked.num_chunks else pa.array([], chunked.type)
