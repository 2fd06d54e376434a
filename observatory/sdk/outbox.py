"""What waits to be sent: bounded in number and bytes, put without waiting, sent by one thread."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from observatory.sdk import guard


class Outcome(Enum):
    """What became of a batch: taken, not now, not while nobody is there, or never."""

    SENT = "sent"
    LATER = "later"
    DOWN = "down"
    REFUSED = "refused"


@dataclass(slots=True)
class Counts:
    """Records since the start: `put == sent + refused + dropped + waiting`, at any moment when the lock is held."""

    put: int = 0
    sent: int = 0
    refused: int = 0
    dropped: int = 0


_AGAIN_S = 0.25
"""Between tries of a flush that somebody waits for."""
_BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


class Outbox:
    """A queue and its thread. `deliver` gets a list of records and the bytes of the largest, and may take its time: nobody else waits.

    When the receiver does not take a batch it waits here, the newest being kept. A fork gives the child an empty one: what waited is the
    parent's to send.
    """

    def __init__(
        self,
        name: str,
        deliver: Callable[[list[Any], int], Outcome],
        *,
        max_items: int,
        max_bytes: int,
        batch_items: int,
        delay_s: float,
        idle: Callable[[], None] | None = None,
    ) -> None:
        self._name, self._deliver, self._idle = name, deliver, idle
        self._max_items, self._max_bytes, self._delay = max_items, max_bytes, delay_s
        self._batch_items, self._batch_bytes = min(batch_items, max_items), max(1, min(4 << 20, max_bytes // 2))
        self.counts = Counts()
        self._fresh()
        me = weakref.ref(self)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: (box := me()) is not None and box._forked())

    def _fresh(self) -> None:
        # re-entrant: a span may be ended by the garbage collector while this very thread is in `put`
        self._turn = threading.Condition(threading.RLock())
        self._items: deque[tuple[Any, int]] = deque()
        self._bytes = self._in_flight = self._attempts = self._flushing = 0
        self._failed_in_a_row = 0
        self._once_more = self._nobody_there = False
        self._thread: threading.Thread | None = None
        self._closed = False

    def _forked(self) -> None:
        self._fresh()
        self.counts = Counts()

    def put(self, item: Any, size: int) -> None:
        """Take a record of about this many bytes; the oldest that wait are dropped where there is no room."""
        with self._turn:
            self.counts.put += 1
            if self._closed or size > self._max_bytes:
                self.counts.dropped += 1
                return
            self._items.append((item, size))
            self._bytes += size
            self._make_room()
            if self._thread is None:
                self._start()
            elif len(self._items) == self._batch_items or self._bytes >= self._batch_bytes:
                self._turn.notify_all()

    def wake(self) -> None:
        """Start the thread though nothing waits: `idle` has something to do."""
        with self._turn:
            if self._thread is None:
                self._start()

    def _make_room(self) -> None:
        while self._items and (len(self._items) > self._max_items or self._bytes > self._max_bytes):
            self._bytes -= self._items.popleft()[1]
            self.counts.dropped += 1

    def _start(self) -> None:
        try:
            thread = threading.Thread(target=self._work, name=f"observatory-{self._name}", daemon=True)
            thread.start()
            self._thread = thread
        except RuntimeError:  # the interpreter is ending: `flush` sends by itself
            self._thread = None

    def flush(self, timeout_s: float) -> bool:
        """Send what waits; true when nothing does any more. Tries until the time is over; gives up at once where nobody listens."""
        deadline = time.monotonic() + timeout_s
        with self._turn:
            if self._thread is None or not self._thread.is_alive():
                worker = None
            else:
                worker = self._thread
                self._flushing += 1
                self._once_more = True
                attempts = self._attempts
                self._turn.notify_all()
                try:
                    while self._items or self._in_flight:
                        failed = self._attempts > attempts and self._failed_in_a_row and not self._in_flight
                        left = deadline - time.monotonic()
                        if left <= 0 or (failed and self._nobody_there):
                            break
                        self._turn.wait(min(left, _AGAIN_S) if failed else left)
                        if failed:
                            self._once_more = True
                            self._turn.notify_all()
                finally:
                    self._flushing -= 1
        while worker is None and time.monotonic() < deadline:
            if not self._waiting() or self._send_one() in (Outcome.LATER, Outcome.DOWN):
                break
        return not self._waiting()

    def close(self, timeout_s: float) -> bool:
        """Send what waits, then end; what is put later is dropped and counted."""
        done = self.flush(timeout_s)
        with self._turn:
            self._closed = True
            self._turn.notify_all()
        return done

    def _waiting(self) -> int:
        with self._turn:
            return len(self._items) + self._in_flight

    @property
    def bytes(self) -> int:
        """What waits."""
        return self._bytes

    def _work(self) -> None:
        turn = self._turn
        while turn is self._turn:
            with turn:
                if not self._ready():
                    turn.wait(self._pause())
                self._once_more = False
                if self._closed and (not self._items or self._failed_in_a_row):
                    return
            self._send_one()

    def _ready(self) -> bool:
        if self._failed_in_a_row:  # each flush is one more try, and so is the end
            return self._once_more
        return self._closed or (
            bool(self._items) and (self._flushing > 0 or len(self._items) >= self._batch_items or self._bytes >= self._batch_bytes)
        )

    def _pause(self) -> float:
        failed = self._failed_in_a_row
        return _BACKOFF_S[min(failed, len(_BACKOFF_S)) - 1] if failed else self._delay

    def _send_one(self) -> Outcome:
        batch, size = self._take()
        if not batch:
            if self._idle is not None:
                guard.safely(self._idle)()
            return Outcome.SENT
        outcome = self._tried([item for item, _ in batch], max(size for _, size in batch))
        with self._turn:
            self._attempts += 1
            self._in_flight = 0
            if outcome is Outcome.SENT:
                self.counts.sent += len(batch)
            elif outcome is Outcome.REFUSED:
                self.counts.refused += len(batch)
            else:
                self._items.extendleft(reversed(batch))
                self._bytes += size
                self._make_room()
            self._nobody_there = outcome is Outcome.DOWN
            self._failed_in_a_row = self._failed_in_a_row + 1 if outcome in (Outcome.LATER, Outcome.DOWN) else 0
            self._turn.notify_all()
        return outcome

    def _tried(self, batch: list[Any], largest: int) -> Outcome:
        try:
            return self._deliver(batch, largest)
        except Exception as error:  # a record that cannot be sent must not stop those behind it
            guard.failed(f"send {self._name}", error)
            return Outcome.REFUSED

    def _take(self) -> tuple[list[tuple[Any, int]], int]:
        batch, size = [], 0
        with self._turn:
            while self._items and len(batch) < self._batch_items and size < self._batch_bytes:
                item = self._items.popleft()
                batch.append(item)
                size += item[1]
            self._bytes -= size
            self._in_flight = len(batch)
        return batch, size
