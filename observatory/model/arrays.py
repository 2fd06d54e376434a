"""Columns of tables as single Arrow arrays."""

from __future__ import annotations

import pyarrow as pa


def one(table: pa.Table, column: str) -> pa.Array:
    """A column as one array, its dictionaries unified."""
    chunked = table.column(column)
    if chunked.num_chunks == 1:
        return chunked.chunk(0)
    if chunked.num_chunks == 0:
        return pa.array([], chunked.type)
    return chunked.unify_dictionaries().combine_chunks()


def whole(tables: list[pa.Table]) -> pa.Table:
    """Tables of one schema under each other, as one chunk."""
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()
