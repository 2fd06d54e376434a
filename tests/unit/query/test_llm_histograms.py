"""Law: histograms of minutes added up by group are those of all their values, in a table or sorted; what is taken back leaves nothing."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from calling import bucket_of
from hypothesis import given, settings, strategies as st

from observatory.query import llm_histograms
from observatory.query.llm_histograms import Histograms

SHARES = (0.0, 0.5, 0.95, 0.99, 1.0)


def lists(rows: list[list[int]], type_: pa.DataType) -> pa.ListArray:
    return pa.array(rows, pa.list_(type_))


def added(groups: int, rows: list[tuple[int, float, int]], pieces: int) -> Histograms:
    found = Histograms(groups)
    for piece in range(pieces):
        mine = rows[piece::pieces]
        buckets = lists([[bucket_of(value)] for _, value, _ in mine], pa.int32())
        counts = lists([[sign] for _, _, sign in mine], pa.int64())
        found.add(np.array([group for group, _, _ in mine], np.int64), buckets, counts)
    return found


@pytest.mark.parametrize("table", [llm_histograms._TABLE, 0])
@given(st.integers(1, 6), st.integers(0, 200), st.integers(1, 4), st.integers())
@settings(max_examples=40)
def test_quantiles_are_within_a_bucket_of_exact(table, groups, count, pieces, seed):
    random = Random(seed)
    values = [
        (random.randrange(groups), random.choice([random.lognormvariate(18, 2), random.paretovariate(0.5), 1.0])) for _ in range(count)
    ]
    gone = [(random.randrange(groups), random.lognormvariate(18, 2)) for _ in range(count // 3)]
    rows = [(g, v, 1) for g, v in values] + [(g, v, sign) for g, v in gone for sign in (1, -1)]
    random.shuffle(rows)
    before, llm_histograms._TABLE = llm_histograms._TABLE, table
    try:
        found = added(groups, rows, pieces)
    finally:
        llm_histograms._TABLE = before
    said = found.quantiles(SHARES)
    for group in range(groups):
        mine = sorted(value for owner, value in values if owner == group)
        assert (group in said) == bool(mine)
        for share, value in zip(SHARES, said.get(group, ()), strict=False):
            assert value == pytest.approx(mine[max(math.ceil(share * len(mine)), 1) - 1], rel=0.0055)
    together = sorted(value for _, value in values)
    middle = [pytest.approx(together[math.ceil(len(together) / 2) - 1], rel=0.0055)] if together else []
    assert found.whole().quantiles((0.5,)).get(0, []) == middle


def test_a_bucket_beyond_all_bounds_is_the_last():
    found = Histograms(2)
    found.add(np.array([1]), lists([[-1, 2**31 - 1]], pa.int32()), lists([[1, 1]], pa.int64()))
    assert found.quantiles((0.5, 1.0))[1] == [pytest.approx(1, rel=0.006), pytest.approx(2.0 ** (8190.5 / 64))]
