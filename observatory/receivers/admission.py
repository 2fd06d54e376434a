"""May another export come in? Bounds what request bodies hold, and refuses while the process is over its memory limit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType

from prometheus_client import CollectorRegistry, Counter, Gauge

from observatory.errors import Retryable
from observatory.model.memory import anonymous_bytes, give_back
from observatory.receivers.config import ReceiversConfig

log = logging.getLogger(__name__)

_MEMORY_AGE_S = 0.25  # a reading this old is still used: at 400 MB/s of input the process grows 100 MB meanwhile
_GIVE_BACK_EVERY_S = 1.0


class Admission:
    """Of all doors, on one event loop: `with admission.admit() as held:` around a request, `held.resize(n)` as its body grows."""

    def __init__(
        self,
        config: ReceiversConfig,
        registry: CollectorRegistry,
        memory: Callable[[], int] = anonymous_bytes,
        give_back: Callable[[], None] = give_back,
        time: Callable[[], float] = monotonic,
    ) -> None:
        self._config, self._memory, self._give_back, self._time = config, memory, give_back, time
        self.bytes = 0
        self.requests = 0
        self._measured = memory()
        self._measured_at = time()
        self._gave_back_at = float("-inf")
        self._over = False
        refused = Counter("observatory_receiver_refused", "Exports refused at the door by what was short", ["reason"], registry=registry)
        self._refused = {reason: refused.labels(reason) for reason in ("in_flight", "memory")}
        for name, text, read in (
            ("in_flight_bytes", "Bytes of request bodies held, being received or waiting to be durable", lambda: self.bytes),
            ("in_flight_requests", "Export requests being received or waiting to be durable", lambda: self.requests),
            ("memory_bytes", "Anonymous resident memory of the process, as last measured for the memory limit", lambda: self._measured),
        ):
            Gauge(f"observatory_receiver_{name}", text, registry=registry).set_function(read)

    def admit(self, expected: int = 0) -> Held:
        """A place for one request that says it will bring `expected` bytes. Raises `Retryable` when there is no room.

        Only bytes that are here count (`Held.resize`): a client that announces much and sends nothing takes no room from others.
        """
        self._check_memory()
        self._check_room(expected)
        return Held(self)

    def _check_room(self, more: int) -> None:
        if self.bytes + more > self._config.max_in_flight_bytes:
            self._refused["in_flight"].inc()
            limit = self._config.max_in_flight_bytes
            raise Retryable(
                f"{self.bytes:,} bytes of requests are waiting to be stored, the limit is {limit:,}", self._config.retry_after_s
            )

    def _check_memory(self) -> None:
        limit, now = self._config.memory_limit_bytes, self._time()
        if now - self._measured_at > _MEMORY_AGE_S:
            self._measured, self._measured_at = self._memory(), now
        over = bool(limit) and self._measured > limit
        if over != self._over:
            self._over = over
            log.warning(
                "exports are %s: anonymous memory is %d MiB, the limit %d MiB",
                "refused" if over else "taken again",
                self._measured >> 20,
                limit >> 20,
            )
        if not over:
            return
        # What was freed may still sit in an allocator: without this a peak would keep the door shut for ever.
        if now - self._gave_back_at > _GIVE_BACK_EVERY_S:
            self._gave_back_at = now
            threading.Thread(target=self._give_back, name="give-back-memory", daemon=True).start()
        self._refused["memory"].inc()
        raise Retryable(f"memory is short: {self._measured:,} bytes in use, the limit is {limit:,}", self._config.retry_after_s)


class Held:
    """What one admitted request holds; leaving the `with` gives it back."""

    __slots__ = ("_admission", "_bytes")

    def __init__(self, admission: Admission) -> None:
        self._admission, self._bytes = admission, 0

    def resize(self, size: int) -> None:
        """The request holds `size` bytes now. Raises `Retryable` when growing takes all requests together over the limit."""
        more = size - self._bytes
        if more > 0:
            self._admission._check_room(more)
        self._bytes = size
        self._admission.bytes += more

    def __enter__(self) -> Held:
        """The request counts from here."""
        self._admission.requests += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """It is answered."""
        self._admission.requests -= 1
        self._admission.bytes -= self._bytes
