"""Traces: the list, one trace, one span, and the services to filter by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import orjson
from aiohttp import web
from duckdb import DuckDBPyConnection

from observatory.api.parameters import Parameters, hex_id
from observatory.api.questions import Questions, stated, window
from observatory.api.reply import json_reply, stream_reply
from observatory.api.work import Stop, Work
from observatory.errors import Gone, NotFound
from observatory.query.filtering.grammar import MAX_LENGTH, parse
from observatory.query.render import Renderer
from observatory.query.trace import VIEWS, TraceSource, span_json, trace_json
from observatory.query.trace_otlp import otlp_json
from observatory.query.traces import EVER, TraceQuestion, list_services, list_traces, sort_names, spans_asked
from observatory.storage.engine import Engine, View

_LIST = ("from", "to", "service", "status", "min_duration_ms", "limit", "cursor", "sort", "filter")


class Traces:
    """Handlers under `/api/v1/traces` and `/api/v1/services`."""

    def __init__(self, engine: Engine, work: Work, questions: Questions, renderer: Renderer) -> None:
        self._engine, self._work, self._questions, self._renderer = engine, work, questions, renderer

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/api/v1/traces", self.list)
        app.router.add_get("/api/v1/traces/{trace_id}", self.one)
        app.router.add_get("/api/v1/traces/{trace_id}/otlp", self.otlp)
        app.router.add_get("/api/v1/traces/{trace_id}/spans/{span_id}", self.span)
        app.router.add_get("/api/v1/services", self.services)

    async def list(self, request: web.Request) -> web.Response:
        """One page of traces."""
        asked = Parameters(request, _LIST)
        from_ns, to_ns = window(asked)
        min_duration_ms = asked.real("min_duration_ms", 0, 9.2e12)
        question = TraceQuestion(
            EVER[0] if from_ns is None else from_ns,
            EVER[1] if to_ns is None else to_ns,
            asked.text("service"),
            asked.choice("status", ("ok", "error")),
            None if min_duration_ms is None else round(min_duration_ms * 1e6),
            asked.choice("sort", sort_names()) or "-start",
            asked.integer("limit", 1, 1000) or 50,
            asked.text("cursor"),
            parse(asked.text("filter", MAX_LENGTH) or ""),
        )

        spans = spans_asked(question)

        def answer(view: View, con: DuckDBPyConnection) -> bytes:
            # with views over spans there may be newer fragments than those that are derived; an order by start adds nothing up
            starts = view.fragment_starts() if spans is None else None
            sums = view.fragment_sums() if spans is None and question.column != "start_ns" else None
            page = list_traces(con, question, starts, sums)
            return orjson.dumps({"items": page.items, "next_cursor": page.next_cursor, **stated(from_ns, to_ns)})

        if spans is None:
            return json_reply(await self._questions.ask_fragments(request, answer))
        return json_reply(await self._questions.ask_views(request, spans, answer))

    async def services(self, request: web.Request) -> web.Response:
        """Services and their number of traces."""
        from_ns, to_ns = window(Parameters(request, ("from", "to")))

        def answer(_: View, con: DuckDBPyConnection) -> bytes:
            found = list_services(con, EVER[0] if from_ns is None else from_ns, EVER[1] if to_ns is None else to_ns)
            return orjson.dumps({"items": found})

        return json_reply(await self._questions.ask_fragments(request, answer))

    async def one(self, request: web.Request) -> web.StreamResponse:
        """One trace, streamed."""
        how = Parameters(request, ("view",)).choice("view", VIEWS) or "full"
        trace_id = hex_id(request.match_info["trace_id"], "trace_id", 16)

        def pieces(stop: Stop) -> Iterator[bytes]:
            with self._engine.view() as view:
                state = "open" if view.is_open(trace_id) else "kept"
                try:
                    for piece in trace_json(cast(TraceSource, view), self._renderer, trace_id, view=how, state=state):
                        if stop.asked:
                            return
                        yield piece
                except NotFound:
                    self._explain(trace_id)
                    raise

        return await stream_reply(request, self._work.stream(request, pieces))

    async def otlp(self, request: web.Request) -> web.StreamResponse:
        """One trace as OTLP/JSON, streamed."""
        Parameters(request, ())
        trace_id = hex_id(request.match_info["trace_id"], "trace_id", 16)

        def pieces(stop: Stop) -> Iterator[bytes]:
            with self._engine.view() as view:
                try:
                    for piece in otlp_json(cast(TraceSource, view), trace_id):
                        if stop.asked:
                            return
                        yield piece
                except NotFound:
                    self._explain(trace_id)
                    raise

        return await stream_reply(request, self._work.stream(request, pieces))

    async def span(self, request: web.Request) -> web.Response:
        """One span in full."""
        Parameters(request, ())
        trace_id = hex_id(request.match_info["trace_id"], "trace_id", 16)
        span_id = hex_id(request.match_info["span_id"], "span_id", 8)

        def answer(_: Stop) -> bytes:
            with self._engine.view() as view:
                try:
                    return span_json(cast(TraceSource, view), self._renderer, trace_id, span_id)
                except NotFound:
                    self._explain(trace_id)
                    raise

        return json_reply(await self._work.run(request, answer))

    def _explain(self, trace_id: bytes) -> None:
        """Raises Gone when what was not found was here once."""
        if why := self._engine.manifest.expired(trace_id):
            raise Gone(f"trace {trace_id.hex()} was {why}")
