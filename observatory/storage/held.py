"""What was read out of segments and is kept in memory, within a limit. Segments never change, so neither does what they say."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from observatory.contracts import Segment


class Sized(Protocol):
    """Something that knows what it takes in memory: pa.Table is one."""

    @property
    def nbytes(self) -> int:
        """Bytes."""
        ...


T = TypeVar("T", bound=Sized)


class Held(Generic[T]):
    """One value a segment, of the segments asked for last."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held, self._bytes = limit, OrderedDict[int, T](), 0
        self._sizes: dict[int, int] = {}  # of all that were ever read
        self._lock, self._reading = threading.Lock(), threading.Lock()

    def holds(self, segments: Sequence[Segment], row_bytes: int = 0) -> bool:
        """Whether all of these fit at once; if not, reading them again for every question would cost more than it saves. A segment that was
        not read yet is taken to need `row_bytes` a row.
        """
        return sum(self._sizes.get(segment.id, segment.rows * row_bytes) for segment in segments) <= self._limit

    def of(self, segment: Segment, read: Callable[[], T]) -> T:
        """What is held of a segment, or else what `read` gives; one is read at a time. Raises what `read` raises."""
        with self._lock:
            if (found := self._found(segment)) is not None:
                return found
        with self._reading:
            with self._lock:
                if (found := self._found(segment)) is not None:  # somebody else asked for it, and waited less
                    return found
            made = read()
            with self._lock:
                self._held[segment.id] = made
                self._sizes[segment.id] = made.nbytes
                self._bytes += made.nbytes
                while self._bytes > self._limit and self._held:
                    self._bytes -= self._held.popitem(last=False)[1].nbytes
            return made

    def _found(self, segment: Segment) -> T | None:
        found = self._held.get(segment.id)
        if found is not None:
            self._held.move_to_end(segment.id)
        return found
