"""Who is whose parent: what was said last, of as many spans as there is room for."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from observatory.pipeline.counting.links import Links

SPAN = st.tuples(st.integers(1, 30), st.integers(0, 30), st.integers(-1, 9))


def added(links: Links, spans: list[tuple[int, int, int]], now: int = 0) -> None:
    keys, parents, rows = (np.array([span[i] for span in spans]) for i in range(3))
    links.add(keys.astype(np.uint64), rows.astype(np.int64), now, parents.astype(np.uint64))


def known(links: Links, key: int) -> tuple[int, int] | None:
    found = links.find(np.array([key, key], np.uint64))
    assert found.known[0] == found.known[1]
    return (int(found.parent[1]), int(found.row[1])) if found.known[1] else None


@given(st.lists(st.lists(SPAN, max_size=30), max_size=6))
def test_the_last_that_was_said_of_a_span_is_found(steps: list[list[tuple[int, int, int]]]) -> None:
    links, truth = Links(1000, 1000), dict[int, tuple[int, int]]()
    for spans in steps:
        added(links, spans)
        truth |= {key: (parent, row) for key, parent, row in spans}
    assert all(known(links, key) == truth.get(key) for key in range(35))


def test_it_grows_to_its_room_and_then_forgets_the_oldest() -> None:
    links = Links(5000, 1000)
    for first in range(1, 20_001, 500):
        added(links, [(key, key + 1, key) for key in range(first, first + 500)])
        assert len(links) <= 10_000
    assert links.forgotten + len(links) == 20_000
    assert known(links, 20_000) == (20_001, 20_000)
    assert known(links, 20_000 - len(links) + 1) is not None
    assert known(links, 20_000 - len(links)) is None


def test_what_is_old_is_forgotten_with_its_generation() -> None:
    links = Links(5000, 1000)
    for now, key in ((0, 1), (900, 2), (1001, 3), (2002, 4)):
        added(links, [(key, 0, -1)], now)
    assert [known(links, key) is not None for key in (1, 2, 3, 4)] == [False, False, True, True]


def test_rows_may_grow_for_ever_and_parents_be_left_out() -> None:
    links, many = Links(5000, 1000), 10**12
    links.add(np.array([6], np.uint64), np.array([-1]), 0)
    links.add(np.array([7, 8], np.uint64), np.array([many, -1]), 0)
    links.add(np.array([9], np.uint64), np.array([many - 10**6]), 1)
    assert [known(links, key) for key in (6, 7, 8, 9)] == [(0, -1), (0, many), (0, -1), (0, many - 10**6)]
