"""What failed, put together by what failed and how."""

from __future__ import annotations

import orjson
from aiohttp import web
from duckdb import DuckDBPyConnection

from observatory.api.parameters import Parameters
from observatory.api.questions import Questions, stated, window
from observatory.api.reply import json_reply
from observatory.query.errors import ORDERS, ErrorQuestion, columns_asked, list_errors, look_back
from observatory.query.estimate import said
from observatory.query.filtering.grammar import MAX_LENGTH, parse
from observatory.query.filtering.tree import Everything
from observatory.query.traces import EVER
from observatory.storage.engine import View


class Errors:
    """Handlers under `/api/v1/errors`."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/api/v1/errors", self.list)

    async def list(self, request: web.Request) -> web.Response:
        """The groups of failures of a window."""
        asked = Parameters(request, ("from", "to", "filter", "order", "limit"))
        from_ns, to_ns = window(asked)
        question = ErrorQuestion(
            EVER[0] if from_ns is None else from_ns,
            EVER[1] if to_ns is None else to_ns,
            parse(asked.text("filter", MAX_LENGTH) or ""),
            asked.choice("order", list(ORDERS)) or "-count",
            asked.integer("limit", 1, 1000) or 50,
        )

        def answer(_: View, con: DuckDBPyConnection) -> bytes:
            found = list_errors(con, question)
            counts = {"groups": found.groups, "failures": int(found.failures), **said(found.weighed, failures=found.failures)}
            return orjson.dumps({"items": found.items, **counts, "slot_ns": str(found.slot_ns), **stated(from_ns, to_ns)})

        if isinstance(question.filter, Everything):
            window_read = (look_back(question), None if question.to_ns == EVER[1] else question.to_ns)
            return json_reply(await self._questions.ask_failures(request, window_read, answer))
        return json_reply(await self._questions.ask_views(request, columns_asked(question), answer))
