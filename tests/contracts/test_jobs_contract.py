"""What every `Job` promises: planning only looks, running may be interrupted or done again, a task that is overtaken does nothing."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "storage"))

from storage_makers import NOW, publish, rows

from observatory.contracts import Job, Swap
from observatory.jobs.compact import Compact
from observatory.jobs.config import JobsConfig
from observatory.jobs.expire import Expire
from observatory.model.clock import DAY
from observatory.model.signal import Signal
from observatory.storage.config import StorageConfig
from observatory.storage.manifest import Manifest

JOBS: dict[str, Callable[[Path, Manifest], Job]] = {
    "compact": lambda d, m: Compact(d, m, JobsConfig()),
    "expire": lambda d, m: Expire(d, m, StorageConfig(), free=lambda: 1 << 40),
}
LATER = NOW + 8 * DAY


@pytest.fixture(params=list(JOBS))
def at_work(request: pytest.FixtureRequest, tmp_path: Path):
    manifest, rng = Manifest.open(tmp_path, NOW), random.Random(1)
    for _ in range(5):
        for signal in (Signal.SPANS, Signal.TRACES, Signal.LOGS):
            publish(manifest, signal, rows(signal, 8, rng))
    yield JOBS[request.param](tmp_path, manifest), manifest, tmp_path
    manifest.close()


def files(data_dir: Path) -> dict[str, int]:
    return {str(p): p.stat().st_size for p in (data_dir / "segments").rglob("*") if p.is_file() and p.suffix != ".log"}


def test_planning_only_looks_and_says_the_same_again(at_work) -> None:
    job, manifest, data_dir = at_work
    live, before = manifest.live(), files(data_dir)
    first = job.plan(live, LATER)
    assert first and job.plan(live, LATER) == first
    assert all(task.title and task.title == task.title.strip() for task in first)
    assert (files(data_dir), manifest.live()) == (before, live)


def test_running_changes_nothing_before_the_swap(at_work) -> None:
    job, manifest, data_dir = at_work
    live, before = manifest.live(), files(data_dir)
    for task in job.plan(live, LATER):
        job.run(task, Event())
    assert manifest.live() == live
    assert files(data_dir).items() >= before.items()


def test_a_set_stop_leaves_nothing_or_finishes(at_work) -> None:
    job, manifest, data_dir = at_work
    stop, before = Event(), files(data_dir)
    stop.set()
    for task in job.plan(manifest.live(), LATER):
        swap = job.run(task, stop)
        if swap is None or not swap.add:
            assert files(data_dir) == before


def test_a_task_that_was_overtaken_does_nothing(at_work) -> None:
    job, manifest, data_dir = at_work
    tasks = job.plan(manifest.live(), LATER)
    manifest.swap(Swap(drop=[s.id for s in manifest.live()], expired="overtaken"), NOW)
    before = files(data_dir)
    assert [job.run(task, Event()) for task in tasks] == [None] * len(tasks)
    assert files(data_dir) == before


def test_work_comes_to_an_end(at_work) -> None:
    job, manifest, _ = at_work
    for _ in range(10):
        swaps = [swap for task in job.plan(manifest.live(), LATER) if (swap := job.run(task, Event()))]
        if not swaps:
            return
        for swap in swaps:
            manifest.swap(swap, LATER)
    pytest.fail("there is always more to do")
