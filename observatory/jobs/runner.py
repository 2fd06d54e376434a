"""The runner: plan, run, swap, one task at a time in one thread of low priority. A job never needs to know that it was interrupted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from observatory.contracts import Job
from observatory.jobs.config import JobsConfig
from observatory.model import priority
from observatory.model.clock import SECOND, Clock, Nanos
from observatory.storage.manifest import Manifest

log = logging.getLogger(__name__)

_FIRST_PAUSE = 10 * SECOND  # after a failure; doubled with each further one
_LONGEST_PAUSE = 600 * SECOND


@dataclass(slots=True)
class JobState:
    """What is known of one job since the server started."""

    done: int = 0
    failures: int = 0
    failed_in_a_row: int = 0
    not_before: Nanos = 0
    running: str | None = None
    last_run: Nanos | None = None
    last_task: str | None = None
    last_error: str | None = None


class Runner:
    """Runs jobs until it is stopped. A failed task is counted, logged, shown, and planned again after a growing pause."""

    def __init__(self, manifest: Manifest, jobs: Sequence[Job[Any]], clock: Clock, config: JobsConfig, registry: CollectorRegistry) -> None:
        self._manifest, self._jobs, self._clock, self._config = manifest, jobs, clock, config
        self._states = {job.name: JobState() for job in jobs}
        self._stop, self._wake = threading.Event(), threading.Event()
        self._allowed = threading.Event()
        self._allowed.set()
        self._pause_reason: str | None = None
        self._thread: threading.Thread | None = None
        self._done = Counter("observatory_job_tasks", "Tasks done by background jobs", ["job"], registry=registry)
        self._failures = Counter(
            "observatory_job_failures", "Tasks of background jobs that failed and are tried again", ["job"], registry=registry
        )
        self._seconds = Counter("observatory_job_seconds", "Time spent in background jobs", ["job"], registry=registry)
        self._running = Gauge("observatory_job_running", "1 while the job works on a task", ["job"], registry=registry)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Interrupt the running task between two row groups, and return when the thread has ended. Nothing is left half-done."""
        self._stop.set()
        self._wake.set()
        self._allowed.set()
        if self._thread:
            self._thread.join()

    def wake(self) -> None:
        """Look for work now."""
        self._wake.set()

    def pause(self, reason: str) -> None:
        """Start no further task until `resume`; `reason` is shown."""
        self._pause_reason = reason
        self._allowed.clear()

    def resume(self) -> None:
        """Go on."""
        self._pause_reason = None
        self._allowed.set()

    def status(self) -> list[dict[str, Any]]:
        """A dict for each job: its state (`idle`, `running`, `waiting` after a failure, `paused`) and what it did last."""
        return [
            {
                "name": name,
                "state": self._state_of(state),
                "task": state.running,
                "paused": self._pause_reason,
                "last_run": None if state.last_run is None else str(state.last_run),
                "last_task": state.last_task,
                "last_error": state.last_error,
                "done": state.done,
                "failures": state.failures,
            }
            for name, state in self._states.items()
        ]

    def run_due(self) -> int:
        """Do what is due now, in this thread; the number of tasks done. What the thread does again and again."""
        return sum(self._run_job(job) for job in self._jobs)

    def _loop(self) -> None:
        priority.lower(priority.JOBS)
        while not self._stop.is_set():
            self._allowed.wait()
            done = self.run_due()
            # a job that did something may have made more to do; one that failed waits
            self._wake.wait(0 if done else self._config.poll_s)
            self._wake.clear()

    def _run_job(self, job: Job[Any]) -> int:
        state = self._states[job.name]
        if self._clock.now() < state.not_before:
            return 0
        done = 0
        try:
            for task in job.plan(self._manifest.live(), self._clock.now()):
                self._allowed.wait()
                if self._stop.is_set():
                    break
                done += self._run_task(job, task, state)
        except Exception as error:
            self._failed(job.name, state, error)
        return done

    def _run_task(self, job: Job[Any], task: Any, state: JobState) -> int:
        began = perf_counter()
        state.running, state.last_run = task.title, self._clock.now()
        self._running.labels(job.name).set(1)
        try:
            swap = job.run(task, self._stop)
            if swap is not None:
                self._manifest.swap(swap, self._clock.now())
        finally:
            state.running = None
            self._running.labels(job.name).set(0)
            self._seconds.labels(job.name).inc(perf_counter() - began)
        if swap is None:
            return 0
        log.info("%s: %s, in %.2f s", job.name, task.title, perf_counter() - began)
        state.done += 1
        state.last_task, state.last_error, state.failed_in_a_row = task.title, None, 0
        self._done.labels(job.name).inc()
        return 1

    def _failed(self, name: str, state: JobState, error: Exception) -> None:
        state.failures += 1
        state.failed_in_a_row += 1
        pause = min(_FIRST_PAUSE * 2 ** (state.failed_in_a_row - 1), _LONGEST_PAUSE)
        state.not_before = self._clock.now() + pause
        state.last_error = f"{type(error).__name__}: {error}"
        self._failures.labels(name).inc()
        log.error("job %s failed and will be tried again in %d s", name, pause // SECOND, exc_info=error)

    def _state_of(self, state: JobState) -> str:
        if state.running:
            return "running"
        if self._pause_reason is not None:
            return "paused"
        return "waiting" if self._clock.now() < state.not_before else "idle"
