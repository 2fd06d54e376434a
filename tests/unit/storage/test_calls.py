"""Revisions of calls: the highest is the truth, in whatever order and company they come."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal

import pyarrow as pa
from hypothesis import given, settings, strategies as st
from storage_makers import NOW, rows, values

from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.storage.calls import fold, latest, latest_of, sums_of


def revised(seed: int, n: int = 30) -> list[dict]:
    """Rows of a few calls, each with revisions from 0 on and all else at random."""
    rng = random.Random(seed)
    keys = [
        {"start_ns": NOW + rng.randrange(3), "trace_id": rng.choice([b"a" * 16, b"b" * 16]), "span_id": rng.randbytes(8)} for _ in range(8)
    ]
    made, next_revision = [], dict.fromkeys(range(8), 0)
    for row in rows(Signal.LLM_CALLS, n, rng).to_pylist():
        which = rng.randrange(8)
        made.append(row | keys[which] | {"revision": next_revision[which]})
        next_revision[which] += 1
    rng.shuffle(made)
    return made


def truth(made: list[dict]) -> list[str]:
    latest: dict[tuple, dict] = {}
    for row in sorted(made, key=lambda row: row["revision"]):
        latest[row["start_ns"], row["trace_id"], row["span_id"]] = row
    return values([as_table(list(latest.values()))])


def as_table(made: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(made, schema(Signal.LLM_CALLS))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 30))
def test_the_highest_revision_stays_however_rows_are_split(seed: int, split: int) -> None:
    made = revised(seed)
    whole = fold(as_table(made))
    assert whole.schema.equals(schema(Signal.LLM_CALLS))
    assert values([whole]) == truth(made)
    parts = [fold(as_table(part)) for part in (made[:split], made[split:])]
    assert values([fold(pa.Table.from_batches(parts))]) == truth(made)
    starts = whole.column("start_ns").to_pylist()
    assert starts == sorted(starts)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 30), st.integers(0, 30))
def test_read_part_by_part_the_same_rows_stay(seed: int, first: int, second: int) -> None:
    made = as_table(revised(seed))
    cuts = [0, min(first, second), max(first, second), made.num_rows]
    kept, sums = latest_of(lambda: (made.slice(a, b - a) for a, b in itertools.pairwise(cuts)))
    assert kept.tolist() == latest(made).tolist()
    assert sums == sums_of(made.filter(pa.array(kept)))


def test_costs_add_up_beyond_what_64_bits_hold() -> None:
    dear = revised(1, n=1)[0] | {"total_cost_usd": Decimal(900_000)}
    back = dear | {"total_cost_usd": Decimal("-0.000000000001")}
    assert sums_of(as_table([*([dear] * 20), back]))["total_cost_usd"] == 18 * 10**18 - 1


def test_nothing_gives_nothing() -> None:
    assert fold(as_table([])).num_rows == 0
    kept, sums = latest_of(lambda: iter(()))
    assert len(kept) == 0 and set(sums.values()) == {0}
