"""The law of estimates: without bias, and within what they say; and that SQL does the same arithmetic as arrays."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest

from observatory.query.estimate import Estimate, horvitz_thompson, rounded, said, weigh, weigh_alike

RUNS = 10_000
TRACES = 400


def traces(random: np.random.Generator, scatter: float) -> tuple[np.ndarray, np.ndarray]:
    """(spans of each trace, its chance to be kept): errors are kept, others by one of three shares."""
    spans = np.ceil(random.lognormal(2.0, scatter, TRACES))
    chance = random.choice([1.0, 0.5, 0.2, 0.1], TRACES)
    return spans, chance


@pytest.mark.parametrize(("scatter", "covers"), [(0.3, 0.93), (1.0, 0.88)], ids=["alike", "some are 20 times the others"])
@pytest.mark.parametrize("seed", range(3))
def test_estimates_have_no_bias_and_their_error_covers(seed: int, scatter: float, covers: float) -> None:
    """±1.96 errors hold the truth 95 % of the time where traces are alike, 90 % where few large ones decide (docs/SAMPLING.md says so)."""
    random = np.random.default_rng(seed)
    spans, chance = traces(random, scatter)
    values, errors = np.zeros(RUNS), np.zeros(RUNS)
    for run in range(RUNS):
        kept = random.random(TRACES) < chance
        found = horvitz_thompson(spans[kept], 1 / chance[kept])
        assert found.standard_error is not None
        values[run], errors[run] = found.value, found.standard_error
    truth = spans.sum()
    true_error = math.sqrt(((1 - chance) / chance) @ (spans * spans))
    # the mean of so many runs is normal: it leaves 4.5 standard errors once in 150,000 times
    assert abs(values.mean() - truth) < 4.5 * true_error / math.sqrt(RUNS)
    assert np.mean(errors**2) == pytest.approx(true_error**2, rel=0.08)
    covered = np.mean(np.abs(values - truth) <= 1.96 * errors)
    assert covers < covered < 0.965


def test_spans_of_one_trace_are_one_choice() -> None:
    """Errors of spans as if each had been chosen for itself are several times too small: the reason to add up by trace."""
    x, w = np.array([100.0]), np.array([10.0])
    assert horvitz_thompson(x, w).standard_error == pytest.approx(100 * math.sqrt(90))
    assert horvitz_thompson(np.ones(100), np.full(100, 10.0)).standard_error == pytest.approx(10 * math.sqrt(90))


@pytest.mark.parametrize("seed", range(5))
def test_sql_says_what_arrays_say(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, w = np.floor(random.exponential(9, 300)), random.choice([1.0, 4.0, 100.0], 300)
    with duckdb.connect() as con:
        weigh_alike(con)
        con.register("kept", {"x": x, "w": w})
        (found,) = con.sql("SELECT estimated(x, w), variance_of_estimate(x, w), false FROM kept").fetchall()
        (nothing,) = con.sql("SELECT estimated(x, w), variance_of_estimate(x, w) FROM kept WHERE false").fetchall()
    expected = horvitz_thompson(x, w)
    assert (Estimate.of(*found).value, Estimate.of(*found).standard_error) == pytest.approx((expected.value, expected.standard_error))
    assert nothing == (0, 0)


def test_what_is_exact_says_so_and_what_cannot_be_told_has_no_error() -> None:
    assert said(False, count=Estimate(3)) == {"exact": True, "standard_error": None}
    assert said(True, count=Estimate.of(300, 29700, False), traces=Estimate(3)) == {
        "exact": False,
        "standard_error": {"count": 172.0, "traces": 0.0},
    }
    assert said(True, count=Estimate.of(3, 0, True)) == {"exact": False, "standard_error": {"count": None}}
    assert rounded(123456.0) == 123000.0


def test_weights_are_of_what_was_thinned_in_the_window() -> None:
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE trace_fragments (trace_id BLOB, start_ns BIGINT, end_ns BIGINT, adjusted_count DOUBLE, decided_by VARCHAR)"
        )
        rows = [
            ("a", 5, 9, 100, "rest"),
            ("b", 5, 9, 1, "errors"),
            ("c", 5, 9, None, "salted"),
            ("d", 5, 9, None, None),
            ("e", 20, 29, 100, "rest"),
            ("f", 1, 4, 100, "rest"),
            ("g", 2, -7, 3, "rest"),  # its end has wrapped
        ]
        con.executemany("INSERT INTO trace_fragments VALUES (encode(?), ?, ?, ?, ?)", rows)
        assert not weigh(con, -9, 1)
        assert weigh(con, 5, 10)
        found = con.sql("SELECT * FROM trace_weights ORDER BY 1").fetchall()
    assert found == [("61", 100, False), ("63", 1, True), ("67", 3, False)]
