"""Law: what is kept in memory of failed spans is what the view of all spans says of them."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from storage_makers import Store, rows

from observatory.contracts import Segment
from observatory.model.signal import Signal
from observatory.storage.config import StorageConfig
from observatory.storage.failures import COLUMNS
from observatory.storage.held import Held


@pytest.mark.parametrize("limit", [0, 48 << 20])
def test_failed_spans_are_those_of_the_view(tmp_path, limit):
    rng, store = random.Random(3), Store(tmp_path, StorageConfig(failure_cache_bytes=limit))
    try:
        for cut in (True, True, False):
            batch = rows(Signal.SPANS, 60, rng)
            place = batch.schema.get_field_index("status_message")
            long = pa.array([text * 5 for text in batch.column(place).to_pylist()])  # more than is kept of a message
            store.put(Signal.SPANS, batch.set_column(place, batch.schema.field(place), long))
            if cut:
                store.cut()
        for _ in range(2):  # read, and then from memory
            with store.engine.view() as view:
                with view.cursor() as con:
                    asked = ", ".join(f"left({name}, 1000)" if name == "status_message" else name for name in COLUMNS)
                    expected = con.sql(f"SELECT {asked}, status_code FROM spans WHERE status_code = 2").fetchall()
                with view.failures() as con:
                    found = con.sql(f"SELECT {', '.join(COLUMNS)}, status_code FROM failed_spans").fetchall()
            assert sorted(map(repr, found)) == sorted(map(repr, expected)) and 10 < len(found) < 60
    finally:
        store.close()


def test_what_is_held_stays_within_its_bytes_and_is_read_once():
    class Part:
        nbytes = 40

    held, read = Held[Part](100), []
    segments = [Segment(n, Signal.SPANS, "hot", "raw", 0, 9, 0, 0, 2, 0, 0, f"{n}.parquet", 1) for n in range(3)]
    for segment in [*segments[:2], *segments[:2]]:
        held.of(segment, lambda segment=segment: read.append(segment.id) or Part())
    assert read == [0, 1]
    assert held.holds(segments[:2], 50) and not held.holds(segments, 50)
    held.of(segments[2], Part)
    held.of(segments[1], Part)
    held.of(segments[0], lambda: read.append(0) or Part())  # it made room for the third
    assert read == [0, 1, 0]
