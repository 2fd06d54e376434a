"""Rows for pipeline tests: any signal, small, with every column filled."""

from __future__ import annotations

import random
from decimal import Decimal

import pyarrow as pa

from observatory.model.schema import schema
from observatory.model.signal import Signal

NOW = 1_795_000_000_000_000_000


def default(type_: pa.DataType) -> object:
    if pa.types.is_fixed_size_binary(type_):
        return bytes(range(1, type_.byte_width + 1))
    if pa.types.is_integer(type_):
        return 7
    if pa.types.is_decimal(type_):
        return Decimal("0.0123")
    if pa.types.is_floating(type_):
        return 0.5
    if pa.types.is_boolean(type_):
        return True
    if pa.types.is_map(type_):
        return [("key", "value")]
    if pa.types.is_list(type_):
        return []
    return "text"


def rows(signal: Signal, overrides: list[dict]) -> pa.RecordBatch:
    columns = schema(signal)
    filled = [{field.name: default(field.type) for field in columns} | override for override in overrides]
    return pa.RecordBatch.from_pylist(filled, columns)


def span_rows(n: int, rng: random.Random, traces: int = 4, at: int = NOW) -> pa.RecordBatch:
    ids = [rng.randbytes(16) for _ in range(traces)]
    return rows(
        Signal.SPANS,
        [
            {
                "trace_id": rng.choice(ids),
                "span_id": rng.randbytes(8),
                "parent_span_id": rng.choice([None, rng.randbytes(8)]),
                "start_ns": at + rng.randrange(10**9),
                "duration_ns": rng.randrange(10**9),
                "status_code": rng.choice([0, 1, 2]),
                "name": rng.choice(["chat", "tool", "agent"]),
                "service_name": rng.choice([None, "a", "b", "c"]),
                "received_at": at,
            }
            for _ in range(n)
        ],
    )
