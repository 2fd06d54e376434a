"""Many votes, one decision."""

from __future__ import annotations

import numpy as np
import pytest

from observatory.contracts import ABSTAIN, DROP, SAMPLE, Votes
from observatory.model.threshold import UNKNOWN
from observatory.policies.combine import combine, names_of
from observatory.testing.tracetable import trace_table

K, L, D, NO = SAMPLE, ABSTAIN, DROP, UNKNOWN
HALF, QUARTER = 0x80 << 48, 0xC0 << 48  # thresholds that keep a half, a quarter

CASES = [
    # what the policies say (choice, threshold) · randomness · the client's threshold -> kept, threshold, by which
    ([(L, 0)], QUARTER, 0, (False, NO, 0b0), "nobody wants it"),
    ([(K, 0)], 0, 0, (True, 0, 0b1), "one wants it for certain"),
    ([(L, 0), (K, 0)], 0, 0, (True, 0, 0b10), "one of two wants it"),
    ([(K, 0), (K, 0)], 0, 0, (True, 0, 0b11), "both decided"),
    ([(K, HALF), (K, QUARTER)], QUARTER, 0, (True, HALF, 0b11), "or is the lowest threshold"),
    ([(K, QUARTER), (K, HALF)], QUARTER, 0, (True, HALF, 0b11), "in any order"),
    ([(K, QUARTER), (L, HALF)], QUARTER, 0, (True, QUARTER, 0b01), "who abstains has no threshold"),
    ([(K, 0), (K, QUARTER)], QUARTER, 0, (True, 0, 0b11), "certain beats chance: it stands for itself"),
    ([(K, 0), (D, 0)], QUARTER, 0, (False, NO, 0b10), "a veto wins, and is who decided"),
    ([(D, 0), (K, 0), (D, 0)], QUARTER, 0, (False, NO, 0b101), "several vetoes"),
    ([(D, 0), (L, 0)], QUARTER, 0, (False, NO, 0b01), "a veto of what nobody wanted"),
    ([(K, UNKNOWN)], QUARTER, 0, (True, NO, 0b1), "an unknown count stays unknown"),
    ([(K, UNKNOWN), (K, QUARTER)], QUARTER, 0, (True, QUARTER, 0b11), "what a known one would have kept stands for what it says"),
    ([(K, UNKNOWN), (K, 0)], 0, 0, (True, 0, 0b11), "certain beats unknown"),
    ([(K, 0)], QUARTER, HALF, (True, HALF, 0b1), "the client's threshold is a floor"),
    ([(K, QUARTER)], QUARTER, HALF, (True, QUARTER, 0b1), "the higher of both"),
    ([(K, HALF)], QUARTER, QUARTER, (True, QUARTER, 0b1), "the higher of both, the client's"),
    ([(L, 0)], QUARTER, HALF, (False, NO, 0b0), "a client's threshold keeps nothing"),
    ([(K, 0)], 1, HALF, (True, NO, 0b1), "a client that would have rejected it: erased"),
    ([(D, 0)], QUARTER, HALF, (False, NO, 0b1), "a veto of what the client sampled"),
]


@pytest.mark.parametrize(("said", "randomness", "incoming", "decided", "rule"), CASES, ids=[case[-1] for case in CASES])
def test_one_decision(said: list[tuple[int, int]], randomness: int, incoming: int, decided: tuple[bool, int, int], rule: str) -> None:
    table = trace_table([{"randomness": randomness, "threshold": incoming}])
    votes = [Votes(np.array([choice], np.int8), np.array([threshold], np.uint64)) for choice, threshold in said]
    found = combine(votes, table)
    assert (bool(found.kept[0]), int(found.threshold[0]), int(found.decided_by[0])) == decided, rule


def test_rows_are_decided_by_themselves() -> None:
    table = trace_table([{"randomness": 5}, {"randomness": QUARTER}, {"randomness": 7}])
    one = Votes(np.array([K, L, K], np.int8), np.array([0, 0, 0], np.uint64))
    two = Votes(np.array([D, K, L], np.int8), np.array([0, HALF, 0], np.uint64))
    found = combine([one, two], table)
    assert found.kept.tolist() == [False, True, True]
    assert found.threshold.tolist() == [UNKNOWN, HALF, 0]
    assert [names_of(int(bits), ["one", "two"]) for bits in found.decided_by] == [["two"], ["two"], ["one"]]


def test_without_policies_nothing_is_kept() -> None:
    assert combine([], trace_table([{}])).kept.tolist() == [False]


def test_the_last_of_64_policies_has_a_bit_too() -> None:
    nobody, last = (Votes(np.array([choice], np.int8), np.zeros(1, np.uint64)) for choice in (L, K))
    found = combine([nobody] * 63 + [last], trace_table([{}]))
    assert names_of(int(found.decided_by[0]), [f"p{number}" for number in range(64)]) == ["p63"]
