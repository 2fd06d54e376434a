"""Law: what is kept in memory of fragments says what looking through all of them would; and it stays within its bytes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, strategies as st

from observatory.contracts import Segment
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.storage.fragmentstarts import COLUMNS, FragmentStarts, MomentStarts, Starts

FRAGMENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9)), max_size=30)


def table(fragments: list[tuple[int, int]]) -> pa.Table:
    columns = pa.schema([schema(Signal.TRACES).field(name) for name in COLUMNS])
    return pa.table([pa.array([n.to_bytes(16, "big") for n, _ in fragments], pa.binary(16)), [start for _, start in fragments]], columns)


@given(
    FRAGMENTS,
    FRAGMENTS,
    st.sets(st.integers(0, 9), min_size=1),
    st.integers(-5, 12),
    st.integers(-5, 12),
    st.integers(1, 40),
    st.booleans(),
)
def test_parts_answer_as_one(left, right, asked, low, high, count, newest):
    known = MomentStarts([Starts(table(left)), Starts(table(right))])
    ids = pa.array([n.to_bytes(16, "big") for n in asked], pa.binary(16))
    assert sorted(known.of(ids).tolist()) == sorted(start for n, start in left + right if n in asked)
    within = sorted(start for _, start in left + right if low <= start < high)
    expected = None if len(within) < count else within[-count] if newest else within[count - 1]
    assert known.nth(low, high, count, newest=newest) == expected


def test_segments_are_read_once_while_they_fit(tmp_path):
    segments = [Segment(n, Signal.TRACES, "hot", "raw", 0, 9, 0, 0, 2, 0, 0, f"{n}.parquet", 1) for n in range(3)]
    for segment in segments:
        pq.write_table(table([(segment.id, 1), (segment.id, 2)]), tmp_path / segment.uri, write_page_checksum=True)
    held = FragmentStarts(limit=100)  # two segments of two fragments of 24 bytes
    assert held.holds(segments[:2]) and not held.holds(segments)
    first = [held.of(segment, tmp_path / segment.uri) for segment in segments[:2]]
    for segment in segments[:2]:
        (tmp_path / segment.uri).unlink()
    assert [held.of(segment, tmp_path / segment.uri) for segment in segments[:2]] == first
    held.of(segments[2], tmp_path / segments[2].uri)
    assert held.of(segments[1], tmp_path / segments[1].uri) is first[1]  # the one asked for longest ago made room
