"""Feedback: the list. It is taken by the receivers, under the same path."""

from __future__ import annotations

import orjson
from aiohttp import web
from duckdb import DuckDBPyConnection

from observatory.api.parameters import Parameters, hex_id
from observatory.api.questions import Questions, stated, window
from observatory.api.reply import json_reply
from observatory.query.feedback import FeedbackQuestion, list_feedback
from observatory.query.traces import EVER
from observatory.storage.engine import View

_LIST = ("trace_id", "from", "to", "name", "limit", "cursor")


class Feedback:
    """Handlers under `/api/v1/feedback`."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/api/v1/feedback", self.list)

    async def list(self, request: web.Request) -> web.Response:
        """One page of feedback."""
        asked = Parameters(request, _LIST)
        from_ns, to_ns = window(asked)
        trace_id = asked.text("trace_id")
        question = FeedbackQuestion(
            EVER[0] if from_ns is None else from_ns,
            EVER[1] if to_ns is None else to_ns,
            None if trace_id is None else hex_id(trace_id, "trace_id", 16),
            asked.text("name"),
            asked.integer("limit", 1, 1000) or 100,
            asked.text("cursor"),
        )

        def answer(view: View, con: DuckDBPyConnection) -> bytes:
            page = list_feedback(view, con, question)
            return orjson.dumps({"items": page.items, "next_cursor": page.next_cursor, **stated(from_ns, to_ns)})

        return json_reply(await self._questions.ask(request, answer))
