"""Log records: the list."""

from __future__ import annotations

from aiohttp import web
from duckdb import DuckDBPyConnection

from observatory.api.parameters import Parameters, hex_id
from observatory.api.questions import Questions, stated, window
from observatory.api.reply import json_reply
from observatory.query.logs import MAX_TEXT, LogQuestion, list_logs, log_page_json
from observatory.query.render import Renderer
from observatory.query.traces import EVER
from observatory.storage.engine import View

_LIST = ("from", "to", "trace_id", "span_id", "service", "severity_min", "text", "limit", "cursor")


class Logs:
    """Handlers under `/api/v1/logs`."""

    def __init__(self, questions: Questions, renderer: Renderer) -> None:
        self._questions, self._renderer = questions, renderer

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/api/v1/logs", self.list)

    async def list(self, request: web.Request) -> web.Response:
        """One page of records."""
        asked = Parameters(request, _LIST)
        from_ns, to_ns = window(asked)
        trace_id, span_id = asked.text("trace_id"), asked.text("span_id")
        question = LogQuestion(
            EVER[0] if from_ns is None else from_ns,
            EVER[1] if to_ns is None else to_ns,
            None if trace_id is None else hex_id(trace_id, "trace_id", 16),
            None if span_id is None else hex_id(span_id, "span_id", 8),
            asked.text("service"),
            asked.integer("severity_min", 0, 24),
            asked.text("text", MAX_TEXT),
            asked.integer("limit", 1, 1000) or 100,
            asked.text("cursor"),
        )

        def answer(view: View, con: DuckDBPyConnection) -> bytes:
            return log_page_json(list_logs(view, con, self._renderer, question), stated(from_ns, to_ns))

        return json_reply(await self._questions.ask(request, answer))
