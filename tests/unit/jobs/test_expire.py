"""What expires, when, and that nothing else does."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, strategies as st
from storage_makers import NOW, publish, rows

from observatory.contracts import Segment
from observatory.jobs.expire import METRICS, Expire
from observatory.model.clock import DAY, HOUR
from observatory.model.signal import RECEIVED, Signal
from observatory.storage.config import StorageConfig
from observatory.storage.manifest import Manifest

GIB = 1 << 30


def segment(id: int, received_to: int, size: int = 100, signal: Signal = Signal.SPANS, at: int = NOW) -> Segment:
    return Segment(id, signal, "hot", "raw", at, at, received_to - HOUR, received_to, 5, size, 0, f"{id}", 1)


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Expire]]:
    data_dir = tmp_path_factory.mktemp("data")
    manifest = Manifest.open(data_dir, NOW)
    yield lambda free=GIB, **config: Expire(data_dir, manifest, StorageConfig(**config), free=lambda: free)
    manifest.close()


def test_by_time_of_receipt_whatever_a_row_claims(planner) -> None:
    old, new = NOW - 7 * DAY - 1, NOW - 7 * DAY
    live = [segment(1, old, at=NOW + 300 * DAY), segment(2, new, at=NOW - 300 * DAY)]
    (task, _) = planner().plan(live, NOW)
    assert task.ids == (1,)
    assert task.why == "received more than 7 days ago"


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 1000)), max_size=40),
    st.integers(0, 20_000),
)
def test_under_pressure_the_oldest_go_and_no_more_than_needed(planner, made: list[tuple[int, int]], free: int) -> None:
    live = [segment(i, NOW - days * DAY // 3, size) for i, (days, size) in enumerate(made)]
    tasks = [t for t in planner(free, reserve_bytes=10_000).plan(live, NOW) if t.ids]
    gone = {id for task in tasks for id in task.ids}
    kept = [s for s in live if s.id not in gone]
    dropped = [s for s in live if s.id in gone]
    assert not kept or not dropped or max(s.received_to for s in dropped) < min(s.received_to for s in kept), (
        "the oldest, all signals alike"
    )
    overdue = [s for s in live if s.received_to < NOW - 7 * DAY]
    assert {s.id for s in overdue} <= gone
    room = free + sum(s.bytes for s in dropped)
    assert room >= 10_000 or not kept, "until the reserve is free again"
    early = [s for s in dropped if s not in overdue]
    if early:
        newest = max(s.received_to for s in early)
        assert room - sum(s.bytes for s in early if s.received_to == newest) < 10_000, "and no more"


def test_no_reserve_no_early_end(planner) -> None:
    assert [t for t in planner(0, reserve_bytes=0).plan([segment(1, NOW)], NOW) if t.ids] == []


def test_metrics_are_kept_longer(planner) -> None:
    signals = [*RECEIVED, Signal.TRACES, *METRICS]
    live = [segment(i, NOW - 8 * DAY, signal=signal) for i, signal in enumerate(signals)]
    (task, _) = planner().plan(live, NOW)
    assert {signals[i] for i in task.ids} == {Signal.SPANS, Signal.LOGS, Signal.METRIC_POINTS, Signal.TRACES} == set(Signal) - set(METRICS)
    spans, metrics, _ = planner().plan(live, NOW + 393 * DAY)
    assert {signals[i] for i in metrics.ids} == set(METRICS)
    assert metrics.why == "received more than 400 days ago"
    assert set(spans.ids) == set(task.ids)


def test_under_pressure_metrics_go_last(planner) -> None:
    old, new = NOW - 6 * DAY, NOW - DAY
    live = [segment(1, old, signal=Signal.LLM_CALLS), segment(2, new), segment(3, new, signal=Signal.TRACES), segment(4, old)]
    for missing, gone in ((100, {4}), (200, {4, 2, 3}), (300, {4, 2, 3}), (301, {4, 2, 3, 1})):
        task = planner(10_000 - missing, reserve_bytes=10_000).plan(live, NOW)[0]
        assert set(task.ids) == gone


def test_a_deletion_leaves_a_reason(tmp_path: Path) -> None:
    trace = bytes(range(16))
    manifest = Manifest.open(tmp_path, NOW)
    for signal in (Signal.SPANS, Signal.TRACES, Signal.LOGS):
        publish(manifest, signal, rows(signal, 5, random.Random(1), [trace]))
    expire = Expire(tmp_path, manifest, StorageConfig(), free=lambda: GIB)
    later = NOW + 8 * DAY
    (task, _) = expire.plan(manifest.live(), later)
    swap = expire.run(task, Event())
    assert swap is not None
    manifest.swap(swap, later)
    assert manifest.live() == ()
    assert list((tmp_path / "segments").rglob("*.parquet")) == []
    assert "received more than 7 days ago" in (manifest.expired(trace) or "")
    assert expire.run(task, Event()) is None, "done already"
    much_later = later + 31 * DAY
    (tidy,) = expire.plan(manifest.live(), much_later)
    assert expire.run(tidy, Event()) is None
    assert manifest.expired(trace) is None
    assert expire.plan(manifest.live(), much_later + 1) == [], "tidied once an hour"
    manifest.close()


def test_a_broken_segment_expires_too(tmp_path: Path) -> None:
    manifest = Manifest.open(tmp_path, NOW)
    bad = publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(1)))
    manifest.set_aside(bad.id, "damaged")
    expire = Expire(tmp_path, manifest, StorageConfig(), free=lambda: GIB)
    task = expire.plan(manifest.live(), NOW + 8 * DAY)[0]
    assert task.ids == (bad.id,)
    swap = expire.run(task, Event())
    assert swap is not None
    manifest.swap(swap, NOW + 8 * DAY)
    assert manifest.broken == {}
    manifest.close()


def test_what_a_reader_still_holds_counts_as_given_up(tmp_path: Path) -> None:
    """While a long question holds the files of what was deleted no space comes back; one segment after the other would go for nothing."""
    manifest = Manifest.open(tmp_path, NOW)
    made = [publish(manifest, Signal.SPANS, rows(Signal.SPANS, 5, random.Random(n), at=NOW + n * HOUR)) for n in range(4)]
    expire = Expire(tmp_path, manifest, StorageConfig(reserve_bytes=made[0].bytes), free=lambda: 0)
    with manifest.pin():
        task = expire.plan(manifest.live(), NOW + DAY)[0]
        assert task.ids == (made[0].id,)
        swap = expire.run(task, Event())
        assert swap is not None
        manifest.swap(swap, NOW + DAY)
        assert [t.ids for t in expire.plan(manifest.live(), NOW + DAY) if t.ids] == []
    assert expire.plan(manifest.live(), NOW + DAY)[0].ids[0] == made[1].id, "gone, and still no space"
    manifest.close()
