"""Ids as words: nothing is lost on the way there and back, and the table of them is a dict."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
from hypothesis import given, settings, strategies as st

from observatory.model.threshold import randomness
from observatory.model.traceids import IdIndex, binary, distinct, ids_of, joined, runs

IDS = st.lists(st.one_of(st.binary(min_size=16, max_size=16), st.integers(0, 20).map(lambda n: n.to_bytes(16, "big"))), max_size=60)


def column(ids: list[bytes]) -> pa.Array:
    return pa.array(ids, pa.binary(16))


@given(IDS, st.integers(0, 5))
def test_ids_come_back_as_they_were(ids: list[bytes], skipped: int) -> None:
    assert binary(ids_of(column(ids).slice(skipped))).to_pylist() == ids[skipped:]


@given(IDS, IDS)
def test_distinct_ids_and_where_each_is(one: list[bytes], two: list[bytes]) -> None:
    found, place = distinct(joined([ids_of(column(one)), ids_of(column(two))]))
    there = binary(found).to_pylist()
    assert len(set(there)) == len(there) and set(there) == {*one, *two}
    assert [there[i] for i in place] == [*one, *two]
    assert found.key.tolist() == sorted(found.key.tolist())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(IDS, IDS), max_size=8))
def test_the_table_is_a_dict(steps: list[tuple[list[bytes], list[bytes]]]) -> None:
    table, known, free = IdIndex(2), {}, list(range(1000, -1, -1))
    for came, went in steps:
        ids, _ = distinct(ids_of(column(came)))
        new = ids.at(table.find(ids) < 0)
        slots = [free.pop() for _ in new.key]
        table.add(new, np.array(slots, np.int64))
        known |= dict(zip(binary(new).to_pylist(), slots, strict=True))
        gone = [known.pop(id) for id in set(went) & set(known)]
        table.remove(np.array(gone, np.int64))
        free += gone
        asked = [*came, *went]
        assert table.find(ids_of(column(asked))).tolist() == [known.get(id, -1) for id in asked]
        assert table.count == len(known)


def test_randomness_is_the_low_56_bits() -> None:
    assert randomness(column([b"\xff" * 9 + (5).to_bytes(7, "big"), bytes(16)]).slice(0)).tolist() == [5, 0]


@given(st.lists(st.sampled_from([b"a" * 16, b"b" * 16, b"a" * 15 + b"b", b"\0" * 16]), max_size=20))
def test_runs_are_the_neighbours_that_are_equal(ids: list[bytes]) -> None:
    found, place = runs(ids_of(pa.array(ids, pa.binary(16))))
    assert binary(found).to_pylist() == [key for key, _ in itertools.groupby(ids)]
    assert binary(found.at(place)).to_pylist() == ids
