"""Histograms add up whatever the order, what is taken back is gone, and their quantiles are within 1.1 % of exact ones."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from observatory.model.histogram import Histograms, added, bucket_of, counted, none, quantile

OBSERVED = st.lists(st.tuples(st.integers(0, 4), st.integers(-10, 2**63 - 1), st.sampled_from([1, -1, 3])), max_size=60)


def made(observed: list[tuple[int, int, int]], groups: int = 5) -> Histograms:
    group, value, count = (np.array(column, np.int64) for column in (zip(*observed, strict=True) if observed else ((), (), ())))
    return counted(group, bucket_of(value), count, groups)


def said(found: Histograms) -> tuple[list, list]:
    return found.buckets.to_pylist(), found.counts.to_pylist()


def both(a: Histograms, b: Histograms, groups: int = 5) -> Histograms:
    rows = Histograms(pa.concat_arrays([a.buckets, b.buckets]), pa.concat_arrays([a.counts, b.counts]))
    return added(np.tile(np.arange(groups), 2), rows, groups)


@given(OBSERVED, OBSERVED, OBSERVED)
def test_adding_is_associative_and_commutative_and_the_same_as_counting_all(a, b, c) -> None:
    whole = said(made(a + b + c))
    assert said(both(both(made(a), made(b)), made(c))) == said(both(made(a), both(made(b), made(c)))) == whole
    assert said(both(made(c), both(made(b), made(a)))) == whole
    assert said(made((c + b + a)[::-1])) == whole


@given(OBSERVED)
def test_what_is_taken_back_leaves_empty_lists(observed) -> None:
    taken_back = [(group, value, -count) for group, value, count in observed]
    assert said(both(made(observed), made(taken_back))) == ([[]] * 5, [[]] * 5) == said(none(5))


@given(OBSERVED)
def test_lists_ascend_and_hold_no_zero(observed) -> None:
    for buckets, counts in zip(*said(made(observed)), strict=True):
        assert buckets == sorted(set(buckets))
        assert len(buckets) == len(counts) and 0 not in counts


def test_few_groups_are_counted_in_a_table_and_many_by_sorting_with_one_answer() -> None:
    rng = np.random.default_rng(1)
    group, value, count = rng.integers(0, 900, 1000), rng.lognormal(15, 3, 1000), rng.integers(-2, 3, 1000)
    few = counted(group % 3, bucket_of(value), count, 3)
    sparse = counted(group % 3 * 300, bucket_of(value), count, 900)
    assert said(few) == tuple(column[::300] for column in said(sparse))


@given(st.one_of(st.integers(1, 2**52), st.floats(1, 2**62)))
def test_a_value_lies_in_its_bucket(value: float) -> None:
    (bucket,) = (int(b) for b in bucket_of(np.array([value])))
    exact = Fraction(value) ** 64  # 2^(i/64) < value <= 2^((i+1)/64), without a rounding
    slack = 1 + Fraction(1, 2**40)  # of the table's last bit
    assert Fraction(2) ** bucket < exact * slack
    assert exact <= Fraction(2) ** (bucket + 1) * slack


@pytest.mark.parametrize("type_", [np.int64, np.float64])
def test_powers_of_two_are_upper_ends(type_: type) -> None:
    powers = np.array([2**k for k in range(63)], type_)
    assert bucket_of(powers).tolist() == [64 * k - 1 for k in range(63)]
    behind = np.nextafter(powers.astype(np.float64), np.inf)
    assert bucket_of(behind).tolist() == [64 * k for k in range(63)]


def test_below_one_is_one_and_the_largest_has_a_bucket() -> None:
    assert bucket_of(np.array([1, 0, -1, -(2**63)])).tolist() == [-1] * 4
    assert bucket_of(np.array([0.25, -3.0, -math.inf])).tolist() == [-1] * 3
    assert bucket_of(np.array([2**63 - 1])).tolist() == [63 * 64 - 1]


SKEWED = {
    "lognormal": lambda rng: rng.lognormal(18, 2, 20_000),
    "pareto": lambda rng: (rng.pareto(1.1, 20_000) + 1) * 1e6,
    "bimodal": lambda rng: np.concatenate((rng.normal(2e7, 1e6, 15_000), rng.normal(9e9, 1e8, 5_000))),
    "equal": lambda rng: np.full(100, 123_456_789.0),
    "few": lambda rng: rng.lognormal(18, 3, 3),
}


@pytest.mark.parametrize("name", list(SKEWED))
def test_quantiles_are_within_a_hundredth_of_exact(name: str) -> None:
    values = SKEWED[name](np.random.default_rng(7)).astype(np.int64)
    one = counted(np.zeros(len(values), np.int64), bucket_of(values), None, 1)
    for q in (0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1):
        exact = np.quantile(values, q, method="inverted_cdf")
        assert quantile(one.buckets.flatten().to_numpy(), one.counts.flatten().to_numpy(), q) == pytest.approx(exact, rel=0.0055), q


def test_nothing_has_no_quantile() -> None:
    assert quantile(np.array([], np.int64), np.array([], np.int64), 0.5) is None
