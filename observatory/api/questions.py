"""Questions that DuckDB answers: at one moment of storage, in a thread, with an end; once more without the segments that prove damaged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import Any, Protocol, TypeVar, cast

import duckdb
from aiohttp import web
from duckdb import DuckDBPyConnection

from observatory.api.parameters import Parameters
from observatory.api.work import ClientLeft, Stop, Work
from observatory.errors import BadRequest
from observatory.model.clock import Nanos
from observatory.query.times import rfc3339
from observatory.storage.engine import Engine, View, may_be_damage

T = TypeVar("T")
Window = tuple[Nanos | None, Nanos | None]


class Calls(Protocol):
    """What a view offers to questions about calls."""

    def calls(self, start_ns: Nanos | None = None, end_ns: Nanos | None = None) -> AbstractContextManager[DuckDBPyConnection]:
        """A connection with `llm_calls`, `llm_metrics` and `llm_rollups` of at least [start_ns, end_ns)."""
        ...


def calls_of(view: View, window: Window) -> AbstractContextManager[DuckDBPyConnection]:
    """A connection with the calls of a window."""
    return cast(Calls, view).calls(*window)


class Questions:
    """Asks the engine on behalf of requests."""

    def __init__(self, engine: Engine, work: Work) -> None:
        self._engine, self._work = engine, work

    async def ask(self, request: web.BaseRequest, question: Callable[[View, DuckDBPyConnection], T]) -> T:
        """The answer of `question`, given a view and a bare connection. Errors as `Work.run`."""
        return await self._work.run(request, lambda stop: self._ask(stop, question, lambda view: closing(self._engine.cursor())))

    async def ask_fragments(self, request: web.BaseRequest, question: Callable[[View, DuckDBPyConnection], T]) -> T:
        """The same with a connection that has `trace_fragments`."""
        return await self._work.run(request, lambda stop: self._ask(stop, question, lambda view: view.fragments()))

    async def ask_views(self, request: web.BaseRequest, columns: str, question: Callable[[View, DuckDBPyConnection], T]) -> T:
        """The same with the public views and `trace_fragments`, of which only the columns are read that the query `columns` names."""
        return await self._work.run(request, lambda stop: self._ask(stop, question, lambda view: view.cursor(columns)))

    async def ask_failures(self, request: web.BaseRequest, window: Window, question: Callable[[View, DuckDBPyConnection], T]) -> T:
        """The same with a connection that has `failed_spans` of a window and `trace_fragments`."""
        return await self._work.run(request, lambda stop: self._ask(stop, question, lambda view: view.failures(*window)))

    async def ask_calls(self, request: web.BaseRequest, window: Window, question: Callable[[View, DuckDBPyConnection], T]) -> T:
        """The same with a connection that has `llm_calls`, `llm_metrics` and `llm_rollups` of a window."""
        return await self._work.run(request, lambda stop: self._ask(stop, question, lambda view: calls_of(view, window)))

    def _ask(
        self,
        stop: Stop,
        question: Callable[[View, DuckDBPyConnection], T],
        connect: Callable[[View], AbstractContextManager[DuckDBPyConnection]],
    ) -> T:
        try:
            with self._engine.view() as view:
                try:
                    with connect(view) as con, stop.watch(con):
                        return question(view, con)
                except duckdb.Error as error:
                    # a segment that cannot be read is set aside; the rest still answers
                    if not may_be_damage(error) or not self._engine.examine(view.pin.segments):
                        raise
            with self._engine.view() as view, connect(view) as con, stop.watch(con):
                return question(view, con)
        except duckdb.InterruptException:
            raise ClientLeft("stopped") from None


def window(asked: Parameters) -> tuple[Nanos | None, Nanos | None]:
    """`from` and `to`. Raises BadRequest when the window cannot hold anything."""
    from_ns, to_ns = asked.time("from"), asked.time("to")
    if from_ns is not None and to_ns is not None and from_ns > to_ns:
        raise BadRequest(f"from: {rfc3339(from_ns)} is later than to: {rfc3339(to_ns)}")
    return from_ns, to_ns


def stated(from_ns: Nanos | None, to_ns: Nanos | None) -> dict[str, Any]:
    """The window as an answer repeats it."""
    return {"from": None if from_ns is None else rfc3339(from_ns), "to": None if to_ns is None else rfc3339(to_ns)}
