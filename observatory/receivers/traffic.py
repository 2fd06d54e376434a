"""What `/metrics` shows of a door."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from observatory.model.signal import Signal

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Traffic:
    """Requests by signal and status, bytes as received, and how long answers take, of one door (`http` or `grpc`)."""

    def __init__(self, door: str, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            f"observatory_otlp_{door}_requests", "Export requests by status answered", ["signal", "status"], registry=registry
        )
        self._bytes = Counter(f"observatory_otlp_{door}_received_bytes", "Request bodies as received, still compressed", registry=registry)
        self._seconds = Histogram(
            f"observatory_otlp_{door}_seconds", "From the first byte of a request to its answer", buckets=_BUCKETS, registry=registry
        )
        self._children: dict[tuple[Signal, str], Counter] = {}

    def answered(self, signal: Signal, status: str, size: int, seconds: float) -> None:
        """One request was answered."""
        child = self._children.get((signal, status))
        if child is None:
            child = self._children[signal, status] = self._requests.labels(signal, status)
        child.inc()
        self._bytes.inc(size)
        self._seconds.observe(seconds)
