"""Compaction changes where rows lie and nothing else, and it comes to an end."""

from __future__ import annotations

import random
from pathlib import Path
from threading import Event

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st
from storage_makers import NOW, publish, rows, values

from observatory.contracts import Segment
from observatory.jobs.compact import FOLDED, MOST_ROWS, Compact, Merge, period
from observatory.jobs.config import JobsConfig
from observatory.model.clock import HOUR, MINUTE
from observatory.model.signal import Signal
from observatory.storage import traceindex
from observatory.storage.manifest import Manifest
from observatory.storage.rollups import llm_rollups
from observatory.storage.segment import index_path
from observatory.storage.traces import fold

MIB = 1 << 20


def segment(id: int, size: int, at: int = NOW, signal: Signal = Signal.SPANS, tier: str = "hot", rows: int = 10) -> Segment:
    return Segment(id, signal, tier, "raw", at, at, at, at, rows, size, 0, f"{id}", 1)


def planner(**config: int) -> Compact:
    return Compact(Path("/nowhere"), None, JobsConfig(**config))  # type: ignore[arg-type]  # planning asks only its arguments


def after(live: list[Segment], merges: list[Merge], next_id: int) -> list[Segment]:
    gone = {s.id for merge in merges for s in merge.sources}
    made = [
        segment(
            next_id + i,
            sum(s.bytes for s in m.sources),
            m.sources[0].received_from,
            m.sources[0].signal,
            m.sources[0].tier,
            sum(s.rows for s in m.sources),
        )
        for i, m in enumerate(merges)
    ]
    return [s for s in live if s.id not in gone] + made


SEGMENTS = st.lists(
    st.builds(
        lambda size, hour, signal, tier, rows: (size, NOW - hour * HOUR, signal, tier, rows),
        st.integers(1000, 64 * MIB),
        st.integers(0, 3),
        st.sampled_from(list(Signal)),
        st.sampled_from(["hot", "skewed"]),
        st.integers(1, 100_000),
    ),
    max_size=60,
)


@given(SEGMENTS, st.integers(0, 5))
def test_plans_end_and_keep_to_their_limits(made: list[tuple], hours: int) -> None:
    live = [segment(i, *what) for i, what in enumerate(made)]
    now, compact, config = NOW + hours * HOUR, planner(), JobsConfig()
    for _ in range(20):
        merges = list(compact.plan(live, now))
        if not merges:
            break
        used = [s.id for m in merges for s in m.sources]
        assert len(used) == len(set(used)), "a segment is in one merge"
        for merge in merges:
            first = merge.sources[0]
            assert len(merge.sources) >= 2
            assert sum(s.bytes for s in merge.sources) <= config.target_bytes
            assert all(s.bytes < config.small_bytes for s in merge.sources)
            assert len({(s.signal, s.tier, s.received_from // period(s.signal)) for s in merge.sources}) == 1
            assert first.signal not in MOST_ROWS or sum(s.rows for s in merge.sources) <= MOST_ROWS[first.signal]
        live = after(live, merges, 1000 + len(live) * 100 + max((s.id for s in live), default=0))
    else:
        pytest.fail("it never comes to rest")


def test_an_hour_of_small_cuts_is_rewritten_a_few_times_at_most() -> None:
    hour = NOW // HOUR * HOUR
    live: list[Segment] = []
    compact, rewritten, most, next_id = planner(), 0, 0, 0
    for cut in range(120):
        now = hour + cut * MINUTE // 2
        next_id += 1
        live.append(segment(next_id, 100_000, now))
        merges = list(compact.plan(live, now))
        rewritten += sum(s.bytes for m in merges for s in m.sources)
        live = after(live, merges, next_id + 1)
        next_id += len(merges)
        most = max(most, len(live))
    merges = list(compact.plan(live, hour + 2 * HOUR))
    rewritten += sum(s.bytes for m in merges for s in m.sources)
    assert len(after(live, merges, 10_000)) == 1, "one file is left of the hour"
    assert most < 16, "and never many before"
    assert rewritten < 6 * 120 * 100_000


def test_large_segments_and_few_small_ones_are_left_alone() -> None:
    compact = planner()
    assert compact.plan([segment(i, 40 * MIB) for i in range(9)], NOW + 9 * HOUR) == []
    assert compact.plan([segment(i, MIB) for i in range(3)], NOW) == []
    assert len(compact.plan([segment(i, MIB) for i in range(4)], NOW)) == 1
    assert planner(compact=False).plan([segment(i, MIB) for i in range(4)], NOW) == []


@pytest.mark.parametrize("signal", [Signal.SPANS, Signal.LOGS, Signal.METRIC_POINTS])
def test_rows_are_the_same_and_traces_are_found(signal: Signal, tmp_path: Path) -> None:
    rng = random.Random(1)
    ids = [rng.randbytes(16) for _ in range(5)]
    manifest = Manifest.open(tmp_path, NOW)
    batches = [rows(signal, n, rng, ids) for n in (30, 1, 12, 50)]
    for batch in batches:
        publish(manifest, signal, batch, row_group_rows=8)
    compact = Compact(tmp_path, manifest, JobsConfig())
    (task,) = compact.plan(manifest.live(), NOW)
    swap = compact.run(task, Event())
    assert swap is not None
    manifest.swap(swap)
    (merged,) = manifest.live()
    read = pq.read_table(tmp_path / merged.uri)
    assert read.to_pylist() == pa.Table.from_batches(batches).to_pylist(), "in the order of arrival"
    assert merged.replaces == tuple(s.id for s in task.sources)
    assert (merged.received_from, merged.received_to) == (
        min(s.received_from for s in task.sources),
        max(s.received_to for s in task.sources),
    )
    if signal is not Signal.METRIC_POINTS:
        held = {row["trace_id"] for row in read.to_pylist()}
        assert all(bool(traceindex.lookup(index_path(tmp_path / merged.uri), id)) == (id in held) for id in ids)


def test_fragments_of_a_trace_become_one_row(tmp_path: Path) -> None:
    rng = random.Random(2)
    ids = [rng.randbytes(16) for _ in range(5)]
    manifest = Manifest.open(tmp_path, NOW)
    batches = [rows(Signal.TRACES, 20, rng, ids) for _ in range(6)]
    for batch in batches:
        publish(manifest, Signal.TRACES, batch)
    compact = Compact(tmp_path, manifest, JobsConfig())
    (task,) = compact.plan(manifest.live(), NOW)
    swap = compact.run(task, Event())
    assert swap is not None
    merged = pq.read_table(tmp_path / swap.add[0].uri)
    assert values([merged]) == values([fold(pa.Table.from_batches(batches))])
    assert merged.num_rows == len(ids)
    starts = merged.column("start_ns").to_pylist()
    assert starts == sorted(starts), "a list of traces prunes by time"
    manifest.close()


@pytest.mark.parametrize("signal", [Signal.SPAN_ROLLUPS, Signal.LLM_ROLLUPS])
def test_sums_of_one_key_become_one_row(signal: Signal, tmp_path: Path) -> None:
    rng = random.Random(2)
    manifest = Manifest.open(tmp_path, NOW)
    batches = [rows(signal, 20, rng) for _ in range(3)]
    for batch in [*batches, batches[0]]:
        publish(manifest, signal, batch)
    (merged,) = merge(manifest)
    fold_, _ = FOLDED[signal]
    read = pq.read_table(tmp_path / merged.uri)
    assert values([read]) == values([fold_(pa.Table.from_batches([*batches, batches[0]]))])
    assert merged.rows < sum(batch.num_rows for batch in [*batches, batches[0]])
    manifest.close()


def test_of_the_revisions_of_a_call_the_highest_stays(tmp_path: Path) -> None:
    rng = random.Random(4)
    manifest = Manifest.open(tmp_path, NOW)
    first = rows(Signal.LLM_CALLS, 40, rng)
    revised = pa.Table.from_pylist([row | {"revision": 1, "counted": False} for row in first.to_pylist()[5:15]], first.schema)
    again = pa.Table.from_pylist([row | {"revision": 2} for row in revised.to_pylist()[:3]], first.schema)
    for batch in (again.to_batches()[0], first.slice(0, 25), first.slice(25), revised.to_batches()[0]):
        publish(manifest, Signal.LLM_CALLS, batch, row_group_rows=8)
    (merged,) = merge(manifest)
    read = pq.read_table(tmp_path / merged.uri)
    kept = [row for i, row in enumerate(first.to_pylist()) if not 5 <= i < 15]
    assert read.to_pylist() == [*again.to_pylist(), *kept, *revised.to_pylist()[3:]], "in the order of arrival"
    manifest.close()


def test_what_cancels_leaves_no_segment(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    calls = pa.Table.from_batches([rows(Signal.LLM_CALLS, 10, random.Random(5))])
    for sign in (1, -1, -1, 1):
        publish(manifest, Signal.LLM_ROLLUPS, llm_rollups(calls, np.full(10, sign)))
    assert merge(manifest) == ()
    manifest.close()


@pytest.mark.parametrize("signal", [Signal.TRACES, Signal.SPAN_ROLLUPS, Signal.LLM_ROLLUPS, Signal.LLM_CALLS])
def test_a_merge_that_would_lose_something_is_not_published(signal: Signal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding is made to forget a row."""
    manifest = Manifest.open(tmp_path, NOW)
    for n in range(4):
        publish(manifest, signal, rows(signal, 10, random.Random(n)))
    before = manifest.live()
    if signal is Signal.LLM_CALLS:
        read = Compact._read
        monkeypatch.setattr(Compact, "_read", lambda *args: (t if len(args) == 3 else t.slice(1) for t in read(*args)))
    else:
        fold_, sums_of = FOLDED[signal]
        monkeypatch.setitem(FOLDED, signal, (lambda rows: fold_(rows).slice(1), sums_of))
    with pytest.raises(RuntimeError, match=r"went in and .* came out; nothing was changed"):
        merge(manifest)
    assert manifest.live() == before
    assert len(list((tmp_path / "segments").rglob("*.parquet*"))) == len(before)
    manifest.close()


def test_tokens_beyond_all_measure_stop_no_merge(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    trace = [bytes(range(16))]
    for n in range(4):
        hostile = pa.Table.from_batches([rows(Signal.TRACES, 5, random.Random(n), trace)])
        for name, claimed in (("input_tokens", 2**63 - 1), ("output_tokens", 2**62)):
            at = hostile.schema.get_field_index(name)
            hostile = hostile.set_column(at, hostile.schema.field(at), pa.array([claimed] * hostile.num_rows))
        publish(manifest, Signal.TRACES, *hostile.to_batches())
    (merged,) = merge(manifest)
    assert merged.rows == 1
    manifest.close()


def merge(manifest: Manifest) -> tuple[Segment, ...]:
    """What is left after the one merge that is due."""
    compact = Compact(manifest.data_dir, manifest, JobsConfig())
    (task,) = compact.plan(manifest.live(), NOW)
    swap = compact.run(task, Event())
    assert swap is not None
    manifest.swap(swap)
    return manifest.live()


def test_an_unreadable_source_is_set_aside_and_the_others_are_merged(tmp_path: Path) -> None:
    rng = random.Random(3)
    manifest = Manifest.open(tmp_path, NOW)
    made = [publish(manifest, Signal.SPANS, rows(Signal.SPANS, 10, rng)) for _ in range(5)]
    path = tmp_path / made[2].uri
    path.write_bytes(b"\0" * made[2].bytes)
    compact = Compact(tmp_path, manifest, JobsConfig())
    (task,) = compact.plan(manifest.live(), NOW)
    assert compact.run(task, Event()) is None
    assert list(manifest.broken) == [made[2].id]
    (task,) = compact.plan(manifest.live(), NOW)
    swap = compact.run(task, Event())
    assert swap is not None and swap.add[0].rows == 40
    manifest.close()
