"""The engine: every durable row is seen exactly once, whatever is cut, merged or damaged meanwhile."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from storage_makers import NOW, Store, rows, values

from observatory.contracts import Swap
from observatory.model.clock import HOUR, SECOND
from observatory.model.signal import RECEIVED, Signal
from observatory.storage.engine import View, ViewSpec, open_views
from observatory.storage.segment import SegmentWriter, index_path
from observatory.storage.traces import fold


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def seen(view: View, signal: Signal, key: str) -> list[str]:
    return sorted(view.run(f"SELECT {key} FROM {signal}").column(0).to_pylist())


KEY = {Signal.SPANS: "span_id", Signal.LOGS: "body || observed_time_ns", Signal.METRIC_POINTS: "start_ns::VARCHAR || name"}


@settings(max_examples=15)
@given(steps=st.lists(st.sampled_from(["spans", "logs", "cut", "merge", "reopen"]), min_size=1, max_size=12), seed=st.integers(0, 1000))
def test_every_row_once(steps: list[str], seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    rng, data_dir = random.Random(seed), tmp_path_factory.mktemp("data")
    store = Store(data_dir)
    ids = [rng.randbytes(16) for _ in range(6)]
    for step in steps:
        match step:
            case "cut":
                store.cut()
            case "merge":
                _merge(store)
            case "reopen":
                kept = store.kept
                store.close()
                store = Store(data_dir)
                store.kept = kept
            case _:
                signal = Signal(step)
                store.put(signal, rows(signal, rng.randrange(1, 30), rng, ids))
        with store.engine.view() as view:
            spans = store.kept[Signal.SPANS]
            assert seen(view, Signal.SPANS, "span_id") == sorted(i.hex() for b in spans for i in b.column("span_id").to_pylist())
            assert view.run("SELECT count(*) FROM logs").column(0).to_pylist() == [sum(b.num_rows for b in store.kept[Signal.LOGS])]
            for trace_id in [*ids, rng.randbytes(16)]:
                for signal in (Signal.SPANS, Signal.LOGS):
                    expected = [r for b in store.kept[signal] for r in b.to_pylist() if r["trace_id"] == trace_id]
                    assert values(list(view.trace(signal, trace_id))) == sorted(map(repr, expected))
            _traces_agree(view, spans)
    store.close()


def _merge(store: Store) -> None:
    """What compaction does, in the simplest way."""
    from pyarrow.parquet import read_table

    for signal in (Signal.SPANS, Signal.TRACES):
        live = store.manifest.live(signal)
        if len(live) > 1:
            writer = SegmentWriter(store.data_dir, store.manifest.next_id(), signal, replaces=tuple(s.id for s in live))
            table = pa.concat_tables([read_table(store.data_dir / s.uri) for s in live])
            writer.write(table if signal is Signal.SPANS else fold(table))
            merged = writer.finish()
            assert merged is not None
            store.manifest.swap(Swap(add=[merged], drop=[s.id for s in live]))


def _traces_agree(view: View, spans: list[pa.RecordBatch]) -> None:
    by_id: dict[str, list[dict]] = {}
    for row in (r for b in spans for r in b.to_pylist()):
        by_id.setdefault(row["trace_id"].hex(), []).append(row)
    found = {t["trace_id"]: t for t in view.run("SELECT * FROM traces").to_pylist()}
    assert set(found) == set(by_id)
    for trace_id, theirs in by_id.items():
        trace, first = found[trace_id], min(r["start_ns"] for r in theirs)
        assert trace["start_ns"] == first
        assert trace["duration_ns"] == max(r["start_ns"] + r["duration_ns"] for r in theirs) - first
        assert (trace["span_count"], trace["error_count"]) == (len(theirs), sum(r["status_code"] == 2 for r in theirs))
        assert trace["status"] == ("error" if trace["error_count"] else "ok")
        assert trace["services"] == sorted({r["service_name"] for r in theirs if r["service_name"] is not None})


def test_a_view_stays_as_it_was_while_rows_come_are_cut_and_dropped(store: Store) -> None:
    rng = random.Random(1)
    trace = rng.randbytes(16)
    store.put(Signal.SPANS, rows(Signal.SPANS, 20, rng, [trace]))
    store.cut()
    store.put(Signal.SPANS, rows(Signal.SPANS, 20, rng, [trace]))
    with store.engine.view() as view:
        before = seen(view, Signal.SPANS, "span_id")
        store.put(Signal.SPANS, rows(Signal.SPANS, 20, rng, [trace]))
        store.cut()
        _merge(store)
        store.manifest.swap(Swap(drop=[s.id for s in store.manifest.live()], expired="test"))
        store.open_rows.forget(*store.manifest.pinned())
        store.journal.release(store.manifest.pinned()[0])
        assert seen(view, Signal.SPANS, "span_id") == before
        assert sum(b.num_rows for b in view.trace(Signal.SPANS, trace)) == 40
        assert view.run("SELECT span_count FROM traces").column(0).to_pylist() == [40]
    with store.engine.view() as view:
        assert seen(view, Signal.SPANS, "span_id") == []


def test_a_trace_comes_in_the_order_of_arrival(store: Store) -> None:
    rng = random.Random(12)
    trace = rng.randbytes(16)
    for minute in range(4):
        store.put(Signal.SPANS, rows(Signal.SPANS, 5, rng, [trace], at=NOW + minute * 60 * SECOND))
        if minute < 3:
            store.cut()
    with store.engine.view() as view:
        found = [id for b in view.trace(Signal.SPANS, trace, ["span_id"]) for id in b.column("span_id").to_pylist()]
    assert found == [id for b in store.kept[Signal.SPANS] for id in b.column("span_id").to_pylist()]


def test_open_and_kept(store: Store) -> None:
    rng = random.Random(2)
    done, half, fresh = (rng.randbytes(16) for _ in range(3))
    store.put(Signal.SPANS, rows(Signal.SPANS, 20, rng, [done, half]))
    store.cut()
    store.put(Signal.SPANS, rows(Signal.SPANS, 20, rng, [half, fresh]))
    with store.engine.view() as view:
        states = dict(zip(*view.run("SELECT trace_id, state FROM traces").to_pydict().values(), strict=True))
    assert states == {done.hex(): "kept", half.hex(): "open", fresh.hex(): "open"}


@pytest.mark.parametrize("signal", RECEIVED)
def test_the_public_columns_mean_the_same_open_and_kept(signal: Signal, store: Store) -> None:
    batch = rows(signal, 60, random.Random(3))
    store.put(signal, batch)
    with store.engine.view() as view:
        open_rows = view.run(f"SELECT * FROM {signal}")
    store.cut()
    with store.engine.view() as view:
        kept = view.run(f"SELECT * FROM {signal}")
        assert values([kept]) == values([open_rows])
        assert kept.schema.equals(open_rows.schema)
        store.put(signal, batch)
        assert view.run(f"SELECT * FROM {signal} LIMIT 0").schema.equals(kept.schema)
    stored, said = batch.to_pylist(), kept.to_pylist()
    if signal is Signal.SPANS:
        by_id = {r["span_id"].hex(): r for r in stored}
        for row in said:
            was = by_id[row["span_id"]]
            assert row["trace_id"] == was["trace_id"].hex()
            assert row["parent_span_id"] == (was["parent_span_id"].hex() if was["parent_span_id"] else None)
            assert row["start_time"].timestamp() == pytest.approx(was["start_ns"] / 1e9)
            assert row["duration_ms"] == pytest.approx(was["duration_ns"] / 1e6)
            assert row["status"] == ["unset", "ok", "error"][was["status_code"]] if was["status_code"] < 3 else True
            assert dict(row["attributes"]) == dict(was["attributes"])
            assert row["resource"] == (was["resource"] or None)
            assert [link["trace_id"] for link in row["links"]] == [link["trace_id"].hex() for link in was["links"]]
            assert [event["time_ns"] for event in row["events"]] == [event["time_ns"] for event in was["events"]]
            assert (row["name"], row["input_tokens"]) == (was["name"], was["input_tokens"])


QUERIES = [
    "SELECT count(*) FROM spans",
    "SELECT name, count(*), sum(duration_ms) FROM spans WHERE status = 'error' GROUP BY ALL",
    "SELECT s.name, l.body FROM spans s JOIN logs l USING (trace_id)",
    "SELECT root_name, span_count FROM traces WHERE trace_id IN (SELECT trace_id FROM spans WHERE kind = 'client')",
    "SELECT map_extract(attributes, 'key.0') FROM spans",
    "SELECT * FROM spans",
    "SELECT max(time), severity_text FROM logs GROUP BY severity_text",
    "SELECT a.span_id FROM spans a, spans b WHERE a.span_id = b.parent_span_id",
    "SELECT count(*) FROM metric_points",
    "SELECT name, score FROM feedback WHERE source = 'api'",
    "SELECT t.root_name, f.label FROM traces t JOIN feedback f USING (trace_id)",
    "SELECT count(*) FROM feedback_rows",
]


@pytest.mark.parametrize("query", QUERIES)
def test_reading_only_the_columns_a_query_names_changes_no_answer(query: str, store: Store) -> None:
    rng = random.Random(4)
    ids = [rng.randbytes(16) for _ in range(5)]
    for signal in RECEIVED:
        store.put(signal, rows(signal, 50, rng, ids))
    with store.engine.view() as view, view.cursor() as whole, view.cursor(query) as narrow:
        assert values([narrow.sql(query).to_arrow_table()]) == values([whole.sql(query).to_arrow_table()])


def test_a_spec_says_all_another_process_needs(store: Store) -> None:
    rng = random.Random(5)
    store.put(Signal.SPANS, rows(Signal.SPANS, 30, rng))
    store.cut()
    store.put(Signal.SPANS, rows(Signal.SPANS, 30, rng))
    child = (
        "import sys, json, duckdb, pyarrow as pa; from observatory.storage.engine import ViewSpec, open_views\n"
        "said, derived = json.load(sys.stdin)\n"
        "derived = {signal: pa.ipc.open_stream(bytes.fromhex(rows)).read_all() for signal, rows in derived.items()}\n"
        "con = duckdb.connect(); spec = ViewSpec.from_json(said, derived); open_views(con, spec, sys.argv[1])\n"
        "con.execute('SET allowed_paths = ' + str(spec.paths())); con.execute('SET enable_external_access = false')\n"
        "print(json.dumps(con.sql(sys.argv[1]).fetchall()))"
    )
    query = "SELECT s.span_id, t.state, t.span_count FROM spans s JOIN traces t USING (trace_id) ORDER BY 1"
    with store.engine.view() as view:
        spec = view.spec(query=query)
        said = json.dumps([spec.to_json(), {signal: rows.to_pybytes().hex() for signal, rows in spec.payload().items()}])
        done = subprocess.run([sys.executable, "-c", child, query], input=said, capture_output=True, text=True, check=True)
        here = [list(row.values()) for row in view.run(query).to_pylist()]
    assert json.loads(done.stdout) == here
    assert len(here) == 60


def test_windows_prune_segments_and_records_but_never_rows(store: Store) -> None:
    rng = random.Random(6)
    for hour in range(6):
        store.put(Signal.SPANS, rows(Signal.SPANS, 10, rng, at=NOW - hour * HOUR), at=NOW)
        if hour < 4:
            store.cut()
    with store.engine.view() as view:
        for start, end in [(None, None), (NOW, None), (None, NOW - 2 * HOUR), (NOW - 4 * HOUR, NOW - HOUR), (NOW + HOUR, NOW + 2 * HOUR)]:
            inside = [
                r["span_id"].hex()
                for b in store.kept[Signal.SPANS]
                for r in b.to_pylist()
                if (start is None or r["start_ns"] >= start) and (end is None or r["start_ns"] < end)
            ]
            con = duckdb.connect()
            spec = view.spec(start, end)
            open_views(con, spec)
            found = con.execute(
                "SELECT span_id FROM spans WHERE start_ns >= $1 AND start_ns < $2",
                [-(2**63) if start is None else start, 2**63 - 1 if end is None else end],
            ).fetchall()
            assert sorted(id for (id,) in found) == sorted(inside)
            assert len(spec.segments["spans"]) + len(spec.records) <= len(inside) // 10 + 1
        newest_first = [s.start_ns for s in view.segments(Signal.SPANS)]
        assert newest_first == sorted(newest_first, reverse=True)


@pytest.mark.parametrize("spoil", ["flip", "cut short", "delete"])
def test_a_damaged_segment_is_set_aside_and_the_rest_answers(spoil: str, store: Store) -> None:
    rng = random.Random(7)
    bad_trace, good_trace = rng.randbytes(16), rng.randbytes(16)
    for trace in (bad_trace, good_trace):
        store.put(Signal.SPANS, rows(Signal.SPANS, 300, rng, [trace]))
        store.cut()
    bad = store.manifest.live(Signal.SPANS)[0]
    path = store.data_dir / bad.uri
    raw = bytearray(path.read_bytes())
    match spoil:
        case "flip":
            for at in range(1000, len(raw) - 12_000, 97):
                raw[at] ^= 0xFF
            path.write_bytes(raw)
        case "cut short":
            path.write_bytes(raw[: len(raw) // 2])
        case "delete":
            path.unlink()
    with store.engine.view() as view:
        assert view.run("SELECT DISTINCT trace_id FROM spans WHERE attribute_types <> '?'").column(0).to_pylist() == [good_trace.hex()]
        assert sum(b.num_rows for b in view.trace(Signal.SPANS, good_trace)) == 300
    assert list(store.manifest.broken) == [bad.id]
    assert store.engine.status()["broken"] == [{"id": bad.id, "why": store.manifest.broken[bad.id]}]
    with store.engine.view() as view:
        assert list(view.trace(Signal.SPANS, bad_trace)) == []


def test_a_damaged_segment_is_noticed_when_a_trace_is_opened(store: Store) -> None:
    rng = random.Random(8)
    trace = rng.randbytes(16)
    store.put(Signal.SPANS, rows(Signal.SPANS, 300, rng, [trace]))
    store.cut()
    (live,) = store.manifest.live(Signal.SPANS)
    path = store.data_dir / live.uri
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 0x10
    path.write_bytes(raw)
    with store.engine.view() as view:
        list(view.trace(Signal.SPANS, trace))
    assert list(store.manifest.broken) == [live.id]


@pytest.mark.parametrize("spoil", [lambda p: p.unlink(), lambda p: p.write_bytes(b"x" * 4096)])
def test_without_its_index_a_trace_is_still_found(spoil, store: Store) -> None:
    rng = random.Random(9)
    trace = rng.randbytes(16)
    store.put(Signal.SPANS, rows(Signal.SPANS, 100, rng, [trace, rng.randbytes(16)]))
    store.cut()
    (live,) = store.manifest.live(Signal.SPANS)
    spoil(index_path(store.data_dir / live.uri))
    with store.engine.view() as view:
        found = [r for b in view.trace(Signal.SPANS, trace, ["span_id", "name"]) for r in b.to_pylist()]
    expected = [r["span_id"] for r in store.kept[Signal.SPANS][0].to_pylist() if r["trace_id"] == trace]
    assert [r["span_id"] for r in found] == expected
    assert list(found[0]) == ["span_id", "name"], "the columns asked for, in the schema's order"
    assert store.manifest.broken == {}


def test_the_engine_reads_nothing_outside_and_installs_nothing(store: Store, tmp_path: Path) -> None:
    con = store.engine.cursor()
    for refused in (
        "SELECT * FROM read_csv('/etc/passwd')",
        "INSTALL httpfs",
        "ATTACH '/tmp/x.duckdb'",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
    ):
        with pytest.raises(duckdb.Error):
            con.execute(refused).fetchall()


def test_times_beyond_sense_are_shown_not_fatal(store: Store) -> None:
    batch = rows(Signal.SPANS, 3, random.Random(10))
    for at in (-(2**63), 2**63 - 1, 0):
        table = pa.Table.from_batches([batch]).set_column(7, batch.schema.field("start_ns"), pa.array([at] * 3, pa.int64()))
        store.put(Signal.SPANS, table.combine_chunks().to_batches()[0], at=NOW + SECOND)
    store.cut()
    with store.engine.view() as view:
        assert view.run("SELECT start_ns FROM spans WHERE start_time IS NOT NULL ORDER BY 1").column(0).to_pylist()[::3] == [
            -(2**63),
            0,
            2**63 - 1,
        ]
        assert view.run("SELECT count(duration_ms) FROM traces").num_rows == 1
        assert {s.tier for s in view.segments(Signal.SPANS)} == {"skewed"}


def test_a_span_that_ends_beyond_int64_spoils_no_trace_list(store: Store) -> None:
    batch = rows(Signal.SPANS, 1, random.Random(12))
    for name, said in (("start_ns", 2**63 - 1), ("duration_ns", 10)):
        at = batch.schema.get_field_index(name)
        batch = batch.set_column(at, batch.schema.field(at), pa.array([said], pa.int64()))
    store.put(Signal.SPANS, batch)
    with store.engine.view() as view:
        assert view.run("SELECT duration_ns FROM traces").column(0).to_pylist() == [-(2**63)]


def test_a_spec_is_plain_values(store: Store) -> None:
    store.put(Signal.LOGS, rows(Signal.LOGS, 3, random.Random(11)))
    with store.engine.view() as view:
        spec = view.spec()
    assert ViewSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
