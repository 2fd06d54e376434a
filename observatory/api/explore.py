"""Rows of every kind, and what stands around their list: spans, how rows lie in time, values of their fields, what can be asked of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from duckdb import DuckDBPyConnection

from observatory.api.parameters import Parameters
from observatory.api.questions import Questions, stated, window
from observatory.api.reply import json_reply
from observatory.errors import BadRequest
from observatory.model.signal import Signal
from observatory.query import explore, spans
from observatory.query.estimate import rounded, said
from observatory.query.explore import KINDS, Histogram, RowsQuestion, Stored
from observatory.query.filtering.grammar import MAX_LENGTH, parse
from observatory.query.times import rfc3339
from observatory.query.traces import EVER, TraceQuestion, spans_asked
from observatory.storage.engine import View

MOST_FIELDS = 12
_SIGNALS = {"traces": Signal.TRACES, "calls": Signal.LLM_CALLS, "spans": Signal.SPANS}
Question = Callable[[View, DuckDBPyConnection], bytes]


class Explore:
    """Handlers of `/api/v1/spans`, `/api/v1/histogram`, `/api/v1/facets` and `/api/v1/fields`."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/api/v1/spans", self.spans)
        app.router.add_get("/api/v1/histogram", self.histogram)
        app.router.add_get("/api/v1/facets", self.facets)
        app.router.add_get("/api/v1/fields", self.fields)

    async def spans(self, request: web.Request) -> web.Response:
        """One page of spans."""
        asked = Parameters(request, ("from", "to", "filter", "sort", "limit", "cursor"))
        from_ns, to_ns = window(asked)
        question = spans.SpanQuestion(
            EVER[0] if from_ns is None else from_ns,
            EVER[1] if to_ns is None else to_ns,
            parse(asked.text("filter", MAX_LENGTH) or ""),
            asked.choice("sort", spans.SORTS) or "-start",
            asked.integer("limit", 1, 1000) or 50,
            asked.text("cursor"),
        )

        def answer(_: View, con: DuckDBPyConnection) -> bytes:
            page = spans.list_spans(con, question)
            return orjson.dumps({"items": page.items, "next_cursor": page.next_cursor, **stated(from_ns, to_ns)})

        return json_reply(await self._questions.ask_views(request, spans.columns_asked(question), answer))

    async def histogram(self, request: web.Request) -> web.Response:
        """Rows and failures by time."""
        asked = Parameters(request, ("of", "from", "to", "filter", "slots"))
        question = _rows(asked)
        slots = asked.integer("slots", 1, 500) or 60

        def answer(view: View, con: DuckDBPyConnection) -> bytes:
            found = explore.histogram(con, question, _stored(view, question), slots)
            return orjson.dumps({"of": question.of, **_told(found)})

        return json_reply(await self._ask(request, question, (), answer))

    async def facets(self, request: web.Request) -> web.Response:
        """The most frequent values of some fields."""
        asked = Parameters(request, ("of", "from", "to", "filter", "fields", "limit", "prefix"))
        question = _rows(asked)
        fields = [name.strip() for name in asked.needed("fields").split(",")]
        if len(fields) > MOST_FIELDS:
            raise BadRequest(f"fields: at most {MOST_FIELDS}")
        for name in fields:
            explore.field_of(question.target, name)
        limit, prefix = asked.integer("limit", 1, 100) or 10, asked.text("prefix", 200)

        def answer(view: View, con: DuckDBPyConnection) -> bytes:
            found = explore.facets(con, question, fields, _stored(view, question), limit=limit, prefix=prefix)
            return orjson.dumps({"of": question.of, **found})

        return json_reply(await self._ask(request, question, fields, answer))

    async def fields(self, request: web.Request) -> web.Response:
        """What can be asked of rows."""
        asked = Parameters(request, ("of",))
        of = asked.choice("of", list(KINDS)) or "traces"
        return json_reply(orjson.dumps({"of": of, "fields": explore.described(KINDS[of])}))

    def _ask(self, request: web.Request, question: RowsQuestion, fields: list[str] | tuple[()], answer: Question) -> Awaitable[Any]:
        """On the connection that has these rows and is made soonest."""
        if question.of == "calls":
            return self._questions.ask_calls(request, (question.from_ns, question.to_ns), answer)
        if question.of == "spans":
            return self._questions.ask_views(request, explore.columns_asked(question, fields), answer)
        columns = spans_asked(TraceQuestion(question.from_ns, question.to_ns, filter=question.filter))
        if columns is None:
            return self._questions.ask_fragments(request, answer)
        return self._questions.ask_views(request, columns, answer)


def _told(found: Histogram) -> dict[str, Any]:
    """A histogram as the API says it: the errors of its parts only where they have any."""
    about = said(found.weighed, total=found.total, failed=found.failed)
    if found.weighed:
        parts = {"counts": found.counts, "errors": found.errors}
        errors = {name: [rounded(each.standard_error) for each in counts] for name, counts in parts.items()}
        about = {**about, "standard_error": {**about["standard_error"], **errors}}
    return {
        "from": rfc3339(found.from_ns),
        "to": rfc3339(found.to_ns),
        "slot_ns": str(found.slot_ns),
        "total": int(found.total),
        "failed": int(found.failed),
        **about,
        "counts": [int(count) for count in found.counts],
        "errors": [int(count) for count in found.errors],
    }


def _stored(view: View, question: RowsQuestion) -> Stored:
    """What every segment has that reaches into the window."""
    found = view.segments(_SIGNALS[question.of], question.from_ns, question.to_ns)
    if not found:
        return Stored(0, 0, 0)
    return Stored(sum(s.rows for s in found), min(s.start_ns for s in found), max(s.end_ns for s in found))


def _rows(asked: Parameters) -> RowsQuestion:
    from_ns, to_ns = window(asked)
    return RowsQuestion(
        asked.choice("of", list(KINDS)) or "traces",
        EVER[0] if from_ns is None else from_ns,
        EVER[1] if to_ns is None else to_ns,
        parse(asked.text("filter", MAX_LENGTH) or ""),
    )
