"""The figures of calls as the API says them, from rows of sums and quantiles or of sums and histograms."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

Figures = dict[tuple[int, int], dict[str, Any]]
"""By (series, nth): the place of the group and the number of the bucket of time."""

SCALE = 64  # buckets of a histogram for each doubling: bucket i holds (2^(i/64), 2^((i+1)/64)]
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens")
COSTS = ("input_cost_usd", "cache_read_cost_usd", "cache_write_cost_usd", "output_cost_usd", "other_cost_usd", "total_cost_usd")
_SAFE = 2**53 - 1
_TIMES = {"latency_ms": "duration_ns", "ttft_ms": "ttft_ns"}
_Quantiles = Mapping[str, Mapping[tuple[int, int], list[float | None]]]


def of_calls(sums: pa.Table) -> Figures:
    """Of `llm_sums_calls.sql`: the quantiles are columns."""
    rows = sums.to_pylist()
    found: dict[str, dict[tuple[int, int], list[float | None]]] = {}
    for column, scale in (("duration_ns", 1e-6), ("ttft_ns", 1e-6), ("tokens_per_second", 1.0)):
        found[column] = {_place(row): [value * scale for value in row[column]] for row in rows if row[column] is not None}
    return {_place(row): _figures(row, found) for row in rows}


def of_rollups(sums: pa.Table, histograms: Mapping[str, pa.Table]) -> Figures:
    """Of `llm_sums_rollups.sql`, and of `llm_histogram.sql` for each histogram."""
    found = {
        "duration_ns": _quantiles(histograms["duration_ns"], 1e-6),
        "ttft_ns": _quantiles(histograms["ttft_ns"], 1e-6),
        "tokens_per_second": _quantiles(histograms["tokens_per_1000_s"], 1e-3),
    }
    return {_place(row): _figures(row, found) for row in sums.to_pylist()}


def no_calls() -> dict[str, Any]:
    """The figures where nothing was called."""
    zero = Decimal(0)
    return _figures({"calls": 0, "errors": 0, "unpriced_calls": 0, **dict.fromkeys(TOKENS, 0), **dict.fromkeys(COSTS, zero)}, {})


def usd_text(value: Decimal | None) -> str | None:
    """Dollars as exact text without trailing zeros: `0.0125`, `3`."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: int | None) -> int | str | None:
    """An integer as JSON says it: beyond 2^53 as text."""
    return value if value is None or -_SAFE <= value <= _SAFE else str(value)


def _figures(row: Mapping[str, Any], quantiles: _Quantiles) -> dict[str, Any]:
    """No dollar is told where none is known: of a group whose calls cost nothing that we know and some have no price."""
    unknown = row["unpriced_calls"] > 0 and not row["total_cost_usd"]
    place = (row.get("series", 0), row.get("nth", 0))
    speed = quantiles.get("tokens_per_second", {}).get(place)
    return {
        "calls": row["calls"],
        "errors": row["errors"],
        "error_rate": row["errors"] / row["calls"] if row["calls"] else None,
        **{name: number(row[name]) for name in TOKENS},
        **{name: None if unknown else usd_text(row[name]) for name in COSTS},
        "unpriced_calls": row["unpriced_calls"],
        **{name: _named(quantiles.get(column, {}).get(place)) for name, column in _TIMES.items()},
        "tokens_per_second": {"p50": None if speed is None else speed[0]},
    }


def _named(values: list[float | None] | None) -> dict[str, float | None]:
    return dict(zip(QUANTILES, values or [None] * len(QUANTILES), strict=True))


def _place(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["series"], row["nth"]


def _quantiles(cells: pa.Table, scale: float) -> dict[tuple[int, int], list[float | None]]:
    """The quantiles of every histogram, whose cells (series, nth, bucket, n) are sorted: the middle of the bucket that holds rank ceil(q * n)."""
    if not cells.num_rows:
        return {}
    series, nth, bucket, n = (np.asarray(cells.column(name)).astype(np.int64) for name in ("series", "nth", "bucket", "n"))
    changes = np.flatnonzero((series[1:] != series[:-1]) | (nth[1:] != nth[:-1])) + 1
    first = np.concatenate(([0], changes))
    upto = np.cumsum(n)
    before = upto[first] - n[first]
    total = np.add.reduceat(n, first)
    ranks = [np.maximum(np.ceil(q * total), 1).astype(np.int64) for q in QUANTILES.values()]
    values = [2.0 ** ((bucket[np.searchsorted(upto, before + rank)] + 0.5) / SCALE) * scale for rank in ranks]
    told = np.column_stack(values).tolist()
    return dict(zip(zip(series[first].tolist(), nth[first].tolist(), strict=True), told, strict=True))
