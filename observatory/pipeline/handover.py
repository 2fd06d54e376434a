"""A queue from one thread to another that is bounded by the rows in it, because rows are what takes memory."""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Handover(Generic[T]):
    """First in, first out. An item of more rows than the bound passes when nothing else waits."""

    def __init__(self, rows: int) -> None:
        self._bound, self._rows = rows, 0
        self._items: deque[tuple[T, int]] = deque()
        lock = threading.Lock()
        self._filled, self._emptied = threading.Condition(lock), threading.Condition(lock)

    def put(self, item: T, rows: int = 0) -> None:
        """Waits until there is room."""
        with self._emptied:
            while self._items and self._rows + rows > self._bound:
                self._emptied.wait()
            self._items.append((item, rows))
            self._rows += rows
            self._filled.notify()

    def get(self, timeout: float) -> T:
        """The oldest item. Raises queue.Empty when none came within so many seconds."""
        with self._filled:
            if not self._filled.wait_for(lambda: self._items, timeout):
                raise queue.Empty
            item, rows = self._items.popleft()
            self._rows -= rows
            self._emptied.notify()
            return item
