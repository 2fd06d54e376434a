"""The runner: one task at a time, failures wait and are seen, a stop is prompt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from observatory.contracts import Segment, Swap
from observatory.jobs.config import JobsConfig
from observatory.jobs.runner import Runner
from observatory.storage.manifest import Manifest
from observatory.testing.clock import StepClock


@dataclass
class Step:
    title: str


class Job:
    """Does what it is told, once for each title."""

    def __init__(self, name: str, titles: list[str], act: Callable[[str, threading.Event], Swap | None]) -> None:
        self.name, self.titles, self._act = name, titles, act

    def plan(self, live: Sequence[Segment], now: int) -> list[Step]:
        return [Step(title) for title in self.titles]

    def run(self, task: Step, stop: threading.Event) -> Swap | None:
        swap = self._act(task.title, stop)
        self.titles.remove(task.title)
        return swap


@pytest.fixture
def manifest(tmp_path: Path):
    opened = Manifest.open(tmp_path, 0)
    yield opened
    opened.close()


def make(manifest: Manifest, *jobs: Job) -> tuple[Runner, StepClock, CollectorRegistry]:
    clock, registry = StepClock(), CollectorRegistry()
    return Runner(manifest, jobs, clock, JobsConfig(), registry), clock, registry


def test_swaps_are_published_and_counted(manifest: Manifest) -> None:
    job = Job("a", ["one", "two", "nothing"], lambda title, stop: None if title == "nothing" else Swap(checkpoint=manifest.checkpoint + 1))
    runner, _, registry = make(manifest, job)
    assert runner.run_due() == 2
    assert (manifest.checkpoint, manifest.publish) == (2, 2)
    assert registry.get_sample_value("observatory_job_tasks_total", {"job": "a"}) == 2
    (status,) = runner.status()
    assert (status["name"], status["state"], status["done"], status["last_task"]) == ("a", "idle", 2, "two")
    assert runner.run_due() == 0


def test_a_failure_is_seen_waits_longer_each_time_and_stops_nobody_else(manifest: Manifest) -> None:
    broken = True

    def act(title: str, stop: threading.Event) -> Swap | None:
        if broken:
            raise OSError(28, "No space left on device")
        return Swap(checkpoint=9)

    runner, clock, registry = make(manifest, Job("bad", ["x"], act), Job("good", ["y"], lambda title, stop: Swap(checkpoint=5)))
    assert runner.run_due() == 1 and manifest.checkpoint == 5
    for pause in (10, 20, 40):
        assert runner.status()[0]["state"] == "waiting"
        assert "No space left" in runner.status()[0]["last_error"]
        clock.advance(pause - 1)
        runner.run_due()
        assert registry.get_sample_value("observatory_job_failures_total", {"job": "bad"}) == [10, 20, 40].index(pause) + 1
        clock.advance(1)
        runner.run_due()
    broken = False
    clock.advance(80)
    assert runner.run_due() == 1 and manifest.checkpoint == 9
    assert runner.status()[0]["last_error"] is None and runner.status()[0]["state"] == "idle"


def test_a_refused_swap_is_a_failure(manifest: Manifest) -> None:
    runner, _, _ = make(manifest, Job("a", ["x"], lambda title, stop: Swap(drop=[7])))
    assert runner.run_due() == 0
    assert "segment 7 is not live" in runner.status()[0]["last_error"]


def test_the_thread_works_pauses_and_stops_within_a_task(manifest: Manifest) -> None:
    began, ended, nice = threading.Event(), threading.Event(), []

    def act(title: str, stop: threading.Event) -> Swap | None:
        import os

        nice.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        began.set()
        stop.wait(30)
        ended.set()
        return None

    runner, _, _ = make(manifest, Job("long", ["x", "y"], act))
    runner.pause("the server is overloaded")
    runner.start()
    assert runner.status()[0]["state"] == "paused" and runner.status()[0]["paused"] == "the server is overloaded"
    assert not began.wait(0.05)
    runner.resume()
    assert began.wait(10)
    assert runner.status()[0]["state"] == "running" and runner.status()[0]["task"] == "x"
    runner.stop()
    assert ended.is_set() and nice == [15], "low priority, and no second task after the stop"
    assert os_priority() == 0


def os_priority() -> int:
    import os

    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
