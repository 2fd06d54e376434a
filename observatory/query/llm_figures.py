"""The figures of calls as the API says them, from rows of sums and quantiles or of sums and histograms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from observatory.query.answers import SAFE
from observatory.query.llm_histograms import Histograms

Figures = dict[tuple[int, int], dict[str, Any]]
"""By (series, nth): the place of the group and the number of the bucket of time."""

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens")
COSTS = ("input_cost_usd", "cache_read_cost_usd", "cache_write_cost_usd", "output_cost_usd", "other_cost_usd", "total_cost_usd")
_HISTOGRAMS = {"duration_ns": ("duration_ns", 1e-6), "ttft_ns": ("ttft_ns", 1e-6), "tokens_per_1000_s": ("tokens_per_second", 1e-3)}
_TIMES = {"latency_ms": "duration_ns", "ttft_ms": "ttft_ns"}
_Quantiles = Mapping[str, Mapping[tuple[int, int], list[float | None]]]


def of_calls(sums: pa.Table) -> Figures:
    """Of `llm_sums_calls.sql`: the quantiles are columns."""
    rows = sums.to_pylist()
    found: dict[str, dict[tuple[int, int], list[float | None]]] = {}
    for column, scale in (("duration_ns", 1e-6), ("ttft_ns", 1e-6), ("tokens_per_second", 1.0)):
        found[column] = {_place(row): [value * scale for value in row[column]] for row in rows if row[column] is not None}
    return {_place(row): _figures(row, found) for row in rows}


def of_rollups(sums: pa.Table, histograms: Iterable[pa.RecordBatch], series: int, spans: int) -> tuple[Figures, dict[str, Any]]:
    """Of `llm_sums_rollups.sql` and `llm_histograms.sql`, and of everything together. There are `series`
    groups, null one that is not told, and `spans` buckets of time."""
    added = {name: Histograms((series + 1) * spans) for name in _HISTOGRAMS}
    for batch in histograms:
        place = np.asarray(batch.column("series").fill_null(-1)).astype(np.int64)
        group = (place + 1) * spans + np.asarray(batch.column("nth")).astype(np.int64)
        for name, histogram in added.items():
            histogram.add(group, batch.column(f"{name}_buckets"), batch.column(f"{name}_counts"))
    shares = tuple(QUANTILES.values())
    found: dict[str, dict[tuple[int, int], list[float | None]]] = {}
    whole: dict[str, dict[tuple[int, int], list[float | None]]] = {}
    for name, (column, scale) in _HISTOGRAMS.items():
        said = added[name].quantiles(shares)
        found[column] = {(group // spans - 1, group % spans): [value * scale for value in values] for group, values in said.items()}
        together = added[name].whole().quantiles(shares).get(0)
        whole[column] = {} if together is None else {(0, 0): [value * scale for value in together]}
    rows = sums.to_pylist()
    totals = _figures(_added(rows), whole) if rows else no_calls()
    return {_place(row): _figures(row, found) for row in rows if row["series"] is not None}, totals


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
    return value if value is None or -SAFE <= value <= SAFE else str(value)


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


def _added(rows: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("calls", "errors", "unpriced_calls", *TOKENS, *COSTS)
    sums = {name: sum((row[name] for row in rows), 0 * rows[0][name]) for name in names}
    return {name: min(value, 2**63 - 1) if name in TOKENS else value for name, value in sums.items()}
