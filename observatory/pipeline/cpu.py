"""Processor time by part of the pipeline: what `/metrics`, the status page and the benchmark say of where the time goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import thread_time

from prometheus_client import CollectorRegistry, Counter


class CpuSeconds:
    """Counts the calling thread's own processor time, so that waiting for a disk or for other threads is not in it. 2 µs a block."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._counter = Counter("observatory_pipeline_cpu_seconds", "Processor time by part of the pipeline", ["part"], registry=registry)

    @contextmanager
    def of(self, part: object) -> Iterator[None]:
        """What the block takes is that part's: a name, or a stage, which is named by its class."""
        began = thread_time()
        try:
            yield
        finally:
            name = part if isinstance(part, str) else type(part).__name__.lower()
            self._counter.labels(name).inc(max(thread_time() - began, 0.0))

    def seconds(self) -> dict[str, float]:
        """So far, by part."""
        samples = (sample for metric in self._counter.collect() for sample in metric.samples if sample.name.endswith("_total"))
        return {sample.labels["part"]: round(sample.value, 3) for sample in samples}
