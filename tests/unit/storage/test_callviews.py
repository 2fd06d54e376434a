"""The views of calls say the truth while calls are revised, cut, merged and taken back, in any order; sums by minute say the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from storage_makers import NOW, Store, rows, values

from observatory.jobs.compact import Compact
from observatory.jobs.config import JobsConfig
from observatory.model.batch import Batch
from observatory.model.clock import DAY, HOUR, MINUTE, SECOND
from observatory.model.histogram import bucket_of, counted, quantile
from observatory.model.schema import COSTS, schema
from observatory.model.signal import Signal
from observatory.storage.callviews import open_calls
from observatory.storage.rollups import llm_rollups, tokens_per_1000_s
from observatory.storage.views import ViewSpec, open_views

Row = dict[str, Any]
SUMS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens", *COSTS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def as_table(made: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(made, schema(Signal.LLM_CALLS))


def batches(made: list[Row], changes: list[tuple[int, Row]]) -> list[Batch]:
    """What the measuring stage gives: rows of calls, and what they change in the sums."""
    given = [Batch(Signal.LLM_CALLS, as_table(made).combine_chunks().to_batches()[0])] if made else []
    sums = llm_rollups(as_table([row for _, row in changes]), np.array([sign for sign, _ in changes]))
    return [*given, Batch(Signal.LLM_ROLLUPS, sums)]


def story(rng: random.Random, calls: int = 12, revisions: int = 25) -> list[tuple[Row, list[tuple[int, Row]]]]:
    """Calls as they are made and revised, and with each row its change of the sums: the one before is taken back, it is added."""
    latest: dict[int, Row] = {}
    told = []
    for number in [*range(calls), *(rng.randrange(calls) for _ in range(revisions))]:
        (row,) = rows(Signal.LLM_CALLS, 1, rng, at=NOW // HOUR * HOUR + rng.randrange(-2, 3) * MINUTE).to_pylist()
        row |= {"model_name": rng.choice(["a", "b"]), "provider": rng.choice([None, "p"]), "project": "default", "application": "app"}
        before = latest.get(number)
        if before is not None:
            row |= {name: before[name] for name in ("start_ns", "trace_id", "span_id")} | {"revision": before["revision"] + 1}
        changes = [(-1, before)] if before is not None and before["counted"] else []
        told.append((row, changes + ([(1, row)] if row["counted"] else [])))
        latest[number] = row
    return told


def truth(seen: list[Row]) -> list[Row]:
    latest: dict[tuple, Row] = {}
    for row in sorted(seen, key=lambda row: row["revision"]):
        latest[row["start_ns"], row["trace_id"], row["span_id"]] = row
    return list(latest.values())


def merge(store: Store) -> None:
    compact = Compact(store.data_dir, store.manifest, JobsConfig(min_files=2))
    for task in compact.plan(store.manifest.live(), NOW + 2 * DAY):
        swap = compact.run(task, Event())
        assert swap is not None
        store.manifest.swap(swap)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.lists(st.sampled_from(["some", "some", "cut", "merge"]), max_size=8))
def test_revisions_in_any_order_and_any_split_give_one_truth(seed: int, steps: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    rng, store = random.Random(seed), Store(tmp_path_factory.mktemp("data"))
    left, seen, counts = story(rng), [], []
    rng.shuffle(left)
    for step in [*steps, "rest"]:
        match step:
            case "cut":
                store.cut()
            case "merge":
                merge(store)
            case _:
                size = len(left) if step == "rest" else min(rng.randrange(1, 12), len(left))
                some, left = left[:size], left[size:]
                seen += [row for row, _ in some]
                counts += [change for _, changes in some for change in changes]
                store.measure(*batches([row for row, _ in some], [change for _, changes in some for change in changes]))
        expected = truth(seen)
        with store.engine.view() as view:
            found = view.run("SELECT trace_id, span_id, revision, counted, total_cost_usd FROM llm_calls").to_pylist()
            assert sorted(map(repr, found)) == sorted(repr({name: shown(row[name]) for name in found[0]}) for row in expected)
            for row in expected[:3]:  # asked for alone, a trace has the same calls
                ask = "SELECT * FROM llm_calls WHERE trace_id = $id ORDER BY ALL"
                whole = view.run(ask, id=row["trace_id"].hex())
                with view.calls_of_trace(row["trace_id"], row["start_ns"], row["start_ns"] + 1) as con:
                    assert con.sql(ask, params={"id": row["trace_id"].hex()}).to_arrow_table().to_pylist() == whole.to_pylist()
            ids = view.run("SELECT span_id FROM llm_metrics").column(0).to_pylist()
            assert sorted(ids) == sorted(row["span_id"].hex() for row in expected if row["counted"])
            (sums,) = view.run(f"SELECT {sums_of(('calls', *SUMS))} FROM llm_rollups").to_pylist()
            assert sums["calls"] == sum(sign for sign, _ in counts)
            assert all(sums[name] == sum(sign * (row[name] or 0) for sign, row in counts) for name in SUMS)
    assert_minutes_are_the_calls(store)
    store.close()


def shown(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def sums_of(names: tuple[str, ...]) -> str:
    return ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in names)


def assert_minutes_are_the_calls(store: Store) -> None:
    """Once everything has arrived: of each minute and key, and of the day, to the last decimal."""
    with store.engine.view() as view:
        for by in ("minute, provider, model_name", "minute", "time_bucket(INTERVAL 1 DAY, minute)", "provider"):
            rolled = view.run(f"SELECT {by}, sum(calls) AS n, {sums_of(SUMS)} FROM llm_rollups GROUP BY ALL HAVING n <> 0")
            calls = "(SELECT *, date_trunc('minute', ts) AS minute FROM llm_metrics)"
            made = view.run(f"SELECT {by}, count(*)::HUGEINT AS n, {sums_of(SUMS)} FROM {calls} GROUP BY ALL")
            assert values([rolled]) == values([made])


def test_minutes_equal_the_day_with_money_that_floats_cannot_add(store: Store) -> None:
    rng = random.Random(3)
    made = []
    for row in rows(Signal.LLM_CALLS, 200, rng).to_pylist():
        at = NOW // DAY * DAY + rng.randrange(DAY)
        made.append(row | {"start_ns": at, "counted": True, "total_cost_usd": Decimal(rng.randrange(10**12)).scaleb(-12)})
    for part in range(0, 200, 20):
        some = made[part : part + 20]
        store.measure(*batches(some, [(1, row) for row in some]))
        if part % 60 == 0:
            store.cut()
    with store.engine.view() as view:
        (minutes,) = view.run("SELECT sum(total_cost_usd) FROM llm_rollups").column(0).to_pylist()
    assert minutes == sum(row["total_cost_usd"] for row in made)


def test_public_columns_say_what_is_stored(store: Store) -> None:
    stored = rows(Signal.LLM_CALLS, 40, random.Random(5))
    store.measure(Batch(Signal.LLM_CALLS, stored))
    with store.engine.view() as view:
        open_ = view.run("SELECT * FROM llm_calls")
    store.cut()
    with store.engine.view() as view:
        kept = view.run("SELECT * FROM llm_calls")
        assert values([kept]) == values([open_])
        assert kept.schema.equals(open_.schema)
    by_id = {row["span_id"].hex(): row for row in stored.to_pylist()}
    for row in kept.to_pylist():
        was = by_id[row["span_id"]]
        assert all(row[name] == ("unknown" if was[name] is None else was[name]) for name in ("provider", "model_name"))
        assert row["ts"].timestamp() == pytest.approx(was["start_ns"] / 1e9)
        assert row["duration_ms"] == pytest.approx(was["duration_ns"] / 1e6)
        assert row["ttft_ms"] == (None if was["ttft_ns"] is None else pytest.approx(was["ttft_ns"] / 1e6))
        assert (row["tags"], row["total_cost_usd"], row["counted"]) == (was["tags"], was["total_cost_usd"], was["counted"])


def test_speed_is_that_of_the_rollups(store: Store) -> None:
    stored = rows(Signal.LLM_CALLS, 200, random.Random(6))
    store.measure(Batch(Signal.LLM_CALLS, stored))
    speed, moving = tokens_per_1000_s(pa.Table.from_batches([stored]))
    expected = {id.hex(): v / 1000 if m else None for id, v, m in zip(stored.column("span_id").to_pylist(), speed, moving, strict=True)}
    with store.engine.view() as view:
        found = dict(zip(*view.run("SELECT span_id, tokens_per_second FROM llm_calls").to_pydict().values(), strict=True))
    assert found.keys() == expected.keys()
    assert all(found[id] is None if speed is None else found[id] == pytest.approx(speed) for id, speed in expected.items())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2**40), st.integers(0, 3)), min_size=1, max_size=60), st.integers(0, 10_000))
def test_quantiles_in_sql_and_in_columns_are_one(observed: list[tuple[int, int]], seed: int) -> None:
    """Of rows of which some take back what others said, in an order that does not matter."""
    rng = random.Random(seed)
    signed = [(value, row, sign) for value, row in observed for sign in (1, 1, -1)]
    rng.shuffle(signed)
    value, row, sign = (np.array(column, np.int64) for column in zip(*signed, strict=True))
    found = counted(row, bucket_of(value), sign, 4)
    whole = counted(np.zeros(len(value), np.int64), bucket_of(value), sign, 1)
    con = duckdb.connect()
    open_calls(con, {}, {})
    con.register("sums", pa.table({"buckets": found.buckets, "counts": found.counts}))
    for q in (0.0, 0.5, 0.95, 1.0):
        (said,) = con.execute(f"SELECT histogram_quantile(list(buckets), list(counts), {q}) FROM sums").fetchone() or ()
        assert said == pytest.approx(quantile(whole.buckets.flatten().to_numpy(), whole.counts.flatten().to_numpy(), q))
        exact = float(np.quantile(np.array([v for v, _ in observed]), q, method="inverted_cdf"))
        assert said == pytest.approx(exact, rel=0.0055)


def test_what_cancels_or_never_was_has_no_quantile() -> None:
    con = duckdb.connect()
    open_calls(con, {}, {})
    said = con.execute("SELECT histogram_quantile([[5], [5]], [[-1], [1]], 0.5), histogram_quantile([[]::INT[]], [[]::BIGINT[]], 0.5)")
    assert said.fetchall() == [(None, None)]


def test_a_window_of_calls_has_all_that_started_in_it_and_their_revisions(store: Store) -> None:
    rng, now = random.Random(7), NOW // HOUR * HOUR
    hours = []
    for hour in range(4):
        made = [row | {"counted": True} for row in rows(Signal.LLM_CALLS, 5, rng, at=now - hour * HOUR).to_pylist()]
        store.measure(*batches(made, [(1, row) for row in made]))
        store.cut()
        hours.append(made)
    revised = [hours[2][0] | {"revision": 1, "counted": False}]
    store.measure(*batches(revised, [(-1, hours[2][0])]))
    store.cut()
    with store.engine.view() as view, view.calls(now - 2 * HOUR, now - HOUR) as con:
        window = f"start_ns >= {now - 2 * HOUR} AND start_ns < {now - HOUR}"
        found = con.execute(f"SELECT span_id FROM llm_metrics WHERE {window}").fetchall()
        assert sorted(id for (id,) in found) == sorted(row["span_id"].hex() for row in hours[2][1:])
        assert con.execute(f"SELECT sum(calls) FROM llm_rollups WHERE {window}").fetchone() == (4,)
        assert con.execute("SELECT sum(count) FROM span_rollups").fetchone() == (None,)
        assert len(view._files([Signal.LLM_CALLS], now - 2 * HOUR, now - HOUR)[Signal.LLM_CALLS]) == 2


def test_a_window_within_a_minute_has_the_sums_of_that_minute(store: Store) -> None:
    made = [row | {"start_ns": NOW // MINUTE * MINUTE + 7} for row in rows(Signal.LLM_CALLS, 3, random.Random(1)).to_pylist()]
    store.measure(*batches(made, [(1, row) for row in made]))
    store.cut()
    with store.engine.view() as view, view.calls(NOW // MINUTE * MINUTE + 30 * SECOND, None) as con:
        assert con.execute("SELECT sum(calls) FROM llm_rollups").fetchone() == (3,)


def test_a_question_carries_only_the_derived_rows_it_names(store: Store) -> None:
    made = rows(Signal.LLM_CALLS, 5, random.Random(8))
    store.measure(*batches(made.to_pylist(), [(1, row) for row in made.to_pylist()]))
    with store.engine.view() as view:
        carried = {
            "SELECT trace_id FROM spans": set(),
            "SELECT count(*) FROM LLM_Metrics": {"llm_calls"},
            'SELECT * FROM "llm_calls" JOIN traces USING (trace_id)': {"llm_calls", "traces"},
            "SELECT sum(calls) FROM llm_rollups": {"llm_rollups"},
            "SELECT * FROM query('SELECT 1 FROM llm_' || 'calls')": {"llm_calls", "llm_rollups", "traces"},
        }
        assert {query: set(view.spec(query=query).payload()) for query in carried} == carried


def test_in_another_process_the_views_are_the_same(store: Store) -> None:
    rng = random.Random(9)
    told = story(rng)
    for at, part in enumerate((told[:15], told[15:25], told[25:])):
        store.measure(*batches([row for row, _ in part], [change for _, changes in part for change in changes]))
        if at == 0:
            store.cut()
    for query in ("SELECT * FROM llm_calls", "SELECT * FROM llm_metrics", "SELECT * FROM llm_rollups", "SELECT * FROM traces"):
        with store.engine.view() as view:
            spec = view.spec(query=query)
            back = {signal: pa.ipc.open_stream(stream).read_all() for signal, stream in spec.payload().items()}
            con = duckdb.connect()
            open_views(con, ViewSpec.from_json(spec.to_json(), back), query)
            assert values([con.sql(query).to_arrow_table()]) == values([view.run(query)])
