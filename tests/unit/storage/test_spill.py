"""Rows that wait in mapped files: the same rows, no file left, and a disk that refuses changes nothing."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from observatory.storage import spill
from observatory.storage.spill import WORTH, Spill


def batch(rows: int) -> pa.RecordBatch:
    words = pa.array([f"model {n % 7}" for n in range(rows)]).dictionary_encode()
    lists = pa.array([[str(n)] * (n % 3) for n in range(rows)])
    return pa.RecordBatch.from_arrays(
        [pa.array(range(rows)), words, lists, pa.nulls(rows, pa.float64())], names=["n", "word", "list", "null"]
    )


def test_rows_are_the_same_and_lie_in_no_pool(tmp_path: Path) -> None:
    kept = Spill(tmp_path)
    rows = batch(20_000)
    pool = pa.total_allocated_bytes()
    spilled = kept.rows(rows)
    assert pa.total_allocated_bytes() - pool < WORTH < rows.nbytes
    assert spilled.equals(rows)
    assert spilled.schema == rows.schema
    assert (kept.files, list(tmp_path.iterdir())) == (1, []), "the file has no name"
    assert rows.nbytes <= kept.bytes < 1.1 * rows.nbytes


def test_a_file_goes_with_its_last_row(tmp_path: Path) -> None:
    kept = Spill(tmp_path)
    rows = kept.rows(batch(20_000)).column("n").slice(5, 1)
    gc.collect()
    assert (rows.to_pylist(), kept.files) == ([5], 1)
    del rows
    gc.collect()
    assert (kept.files, kept.bytes) == (0, 0)


def test_arrays_are_the_same(tmp_path: Path) -> None:
    kept = Spill(tmp_path)
    values = np.arange(100_000, dtype=np.uint64)[::3]
    spilled = kept.array(values)
    assert (spilled == values).all()
    assert spilled.dtype == values.dtype
    assert kept.bytes == values.nbytes


def test_what_is_small_stays_where_it_is(tmp_path: Path) -> None:
    kept, few, short = Spill(tmp_path), batch(10), np.arange(10)
    assert kept.rows(few) is few
    assert kept.array(short) is short


@pytest.mark.parametrize("directory", [None, Path("/no such directory")])
def test_without_a_disk_it_is_as_it_was(directory: Path | None) -> None:
    kept, rows, values = Spill(directory), batch(20_000), np.zeros(WORTH)
    assert kept.rows(rows) is rows
    assert kept.array(values) is values


def test_mappings_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "MOST", 2)
    kept, values = Spill(tmp_path), np.zeros(WORTH)
    first, second, third = kept.array(values), kept.array(values), kept.array(values)
    assert (first is values, second is values, third is values) == (False, False, True)
