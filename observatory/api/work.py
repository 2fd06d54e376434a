"""Blocking work behind the event loop: a few threads, a deadline, and an end when the client leaves."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from aiohttp import web

from observatory.api.problems import Deadline
from observatory.errors import ObservatoryError, Retryable
from observatory.model import priority

T = TypeVar("T")

_LOOK_S = 0.2  # how often is looked whether the client is still there
_MOST_WAITING = 64  # requests that hold or wait for a thread; beyond, waiting is longer than any client's patience


class Interruptible(Protocol):
    """A DuckDB cursor."""

    def interrupt(self) -> None:
        """End the query that runs on it, from another thread."""
        ...


class ClientLeft(ObservatoryError):
    """Nobody reads the answer any more."""


class Stop:
    """How the loop ends what a thread does: interrupts its queries, and says so to whoever asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[Interruptible] = []
        self.asked = False

    @contextmanager
    def watch(self, cursor: Interruptible) -> Iterator[None]:
        """Interrupt this cursor when the end is asked for. Raises ClientLeft when it already was."""
        with self._lock:
            if self.asked:
                raise ClientLeft("stopped")
            self._running.append(cursor)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(cursor)

    def ask(self) -> None:
        """End."""
        with self._lock:
            self.asked = True
            for cursor in self._running:
                cursor.interrupt()


async def while_there(request: web.BaseRequest, answer: Coroutine[Any, Any, T]) -> T:
    """The answer, cancelled when the client leaves. Raises ClientLeft then."""
    task = asyncio.create_task(answer)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK_S))[0]:
            if gone(request):
                raise ClientLeft("the client closed its connection")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


def gone(request: web.BaseRequest) -> bool:
    """Nobody is there to read an answer."""
    return request.transport is None or request.transport.is_closing()


class Work:
    """Runs functions and generators in threads for requests."""

    def __init__(self, threads: int, deadline_s: float) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="api", initializer=priority.lower, initargs=(priority.ANSWERS,))
        self._deadline_s = deadline_s
        self._running: set[Stop] = set()

    async def run(self, request: web.BaseRequest, job: Callable[[Stop], T]) -> T:
        """The job's result. Raises Deadline, ClientLeft, or Retryable when too many wait already; the job is asked to stop then."""
        with self._counted() as stop:
            return await self._finish(request, job, stop, time.monotonic() + self._deadline_s)

    async def stream(self, request: web.BaseRequest, job: Callable[[Stop], Iterator[bytes]]) -> AsyncGenerator[bytes, None]:
        """The pieces of a generator, made in threads; the next is made when the one before was taken. Errors as `run`, piece by piece."""
        with self._counted() as stop:
            pieces = job(stop)
            try:
                while True:
                    piece = await self._finish(request, lambda _: next(pieces, None), stop, time.monotonic() + self._deadline_s)
                    if piece is None:
                        return
                    yield piece
            finally:
                stop.ask()
                # a generator cannot be closed while a thread runs it; `_close` waits for that
                await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._pool, _close, pieces))

    async def _finish(self, request: web.BaseRequest, job: Callable[[Stop], T], stop: Stop, until: float) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._pool, job, stop)
        try:
            while True:
                done, _ = await asyncio.wait({future}, timeout=min(_LOOK_S, max(until - time.monotonic(), 0.0)))
                if done:
                    return future.result()
                if time.monotonic() >= until:
                    raise Deadline(f"no answer within {self._deadline_s:g} s; narrow the time window or filter more")
                if gone(request):
                    raise ClientLeft("the client closed its connection")
        finally:
            if not future.done():
                stop.ask()
                with contextlib.suppress(Exception):
                    future.add_done_callback(_seen)

    @contextmanager
    def _counted(self) -> Iterator[Stop]:
        if len(self._running) >= _MOST_WAITING:
            raise Retryable(f"{len(self._running)} requests are being answered or wait; try again", after=1.0)
        stop = Stop()
        self._running.add(stop)
        try:
            yield stop
        finally:
            self._running.discard(stop)

    async def close(self) -> None:
        """Ask all work to end, and wait for it, but no longer than 2 s: a query may ignore its interrupt, a shutdown may not."""
        for stop in list(self._running):
            stop.ask()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(self._pool.shutdown, True, cancel_futures=True), 2.0)


def _close(pieces: Iterator[bytes]) -> None:
    for _ in range(500):  # 5 s: a piece takes ~15 ms, a query that ignores its interrupt longer
        try:
            pieces.close()  # type: ignore[attr-defined]
            return
        except ValueError:  # still running in another thread
            time.sleep(0.01)


def _seen(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
