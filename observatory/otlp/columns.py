"""Python lists to Arrow arrays of the types of `model/schema.py`, for decoders that hold rows as Python values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa


def batch(schema: pa.Schema, rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """Rows in the schema's order of columns. A map is a list of (key, text) pairs, a list of structs a list of tuples."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.RecordBatch.from_arrays([array(field.type, column) for field, column in zip(schema, columns, strict=True)], schema=schema)


def array(type_: pa.DataType, values: Sequence[Any]) -> pa.Array:
    """An array of exactly `type_`; None is null."""
    if pa.types.is_dictionary(type_):
        return _dictionary(type_, values)
    if pa.types.is_map(type_):
        items = list(chain.from_iterable(values))
        children = [_struct(pa.struct([type_.key_field, type_.item_field]), items)]
        return pa.Array.from_buffers(type_, len(values), [None, _offsets(values)], children=children)
    if pa.types.is_list(type_):
        children = [array(type_.value_type, list(chain.from_iterable(values)))]
        return pa.Array.from_buffers(type_, len(values), [None, _offsets(values)], children=children)
    if pa.types.is_struct(type_):
        return _struct(type_, values)
    return pa.array(values, type=type_)


def _dictionary(type_: pa.DictionaryType, values: Sequence[Any]) -> pa.Array:
    numbers: dict[Any, int] = {}
    indices = [None if value is None else numbers.setdefault(value, len(numbers)) for value in values]
    return pa.DictionaryArray.from_arrays(pa.array(indices, type=type_.index_type), pa.array(list(numbers), type=type_.value_type))


def _struct(type_: pa.StructType, values: Sequence[Any]) -> pa.Array:
    columns = list(zip(*values, strict=True)) if values else [()] * type_.num_fields
    children = [array(type_.field(i).type, column) for i, column in enumerate(columns)]
    return pa.Array.from_buffers(type_, len(values), [None], children=children)


def _offsets(values: Sequence[Any]) -> pa.Buffer:
    buffer = pa.array(list(accumulate(map(len, values), initial=0)), type=pa.int32()).buffers()[1]
    assert buffer is not None
    return buffer
