"""Calls of models: their summary, their list, and what the month will have cost."""

from __future__ import annotations

import orjson
from aiohttp import web
from duckdb import DuckDBPyConnection

from observatory.api.parameters import Parameters
from observatory.api.questions import Questions, stated, window
from observatory.api.reply import json_reply
from observatory.model.clock import Clock
from observatory.query.buckets import day_of, zone_of
from observatory.query.forecast import calendar_days, days_asked, forecast, month_of, spend_days
from observatory.query.llm_calls import SORTS, CallQuestion, list_calls
from observatory.query.llm_summary import DIMENSIONS, ORDERS, POPULATION, SummaryQuestion, parse_group_by, summarize, top
from observatory.query.traces import EVER
from observatory.storage.engine import View

MAX_FILTER = 4096  # characters
COUNTED = {"true": True, "false": False, "all": None}
_SUMMARY = ("from", "to", "tz", "group_by", "filter", "limit", "order")
_CALLS = ("from", "to", "filter", "counted", "unpriced", "session", "user", "sort", "limit", "cursor")


class Llm:
    """Handlers under `/api/v1/llm`."""

    def __init__(self, questions: Questions, clock: Clock) -> None:
        self._questions, self._clock = questions, clock

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/api/v1/llm/summary", self.summary)
        app.router.add_get("/api/v1/llm/top", self.top)
        app.router.add_get("/api/v1/llm/calls", self.calls)
        app.router.add_get("/api/v1/llm/forecast", self.forecast)

    async def summary(self, request: web.Request) -> web.Response:
        """Figures by group and time."""
        asked = Parameters(request, _SUMMARY)
        from_ns, to_ns = window(asked)
        dimensions, bucket = parse_group_by(asked.text("group_by"))
        zone = asked.text("tz", 64)
        question = SummaryQuestion(
            EVER[0] if from_ns is None else from_ns,
            EVER[1] if to_ns is None else to_ns,
            dimensions,
            bucket,
            zone_of(zone),
            asked.text("filter", MAX_FILTER),
            asked.choice("order", ORDERS) or "-cost",
            asked.integer("limit", 1, 1000) or 100,
        )

        def answer(_: View, con: DuckDBPyConnection) -> bytes:
            found = summarize(con, question)
            said = {
                "source": found.source,
                "exact": found.source == "calls",
                "population": POPULATION,
                **stated(from_ns, to_ns),
                "tz": zone or "UTC",
                "group_by": ([bucket] if bucket else []) + list(dimensions),
                "groups": found.groups,
                "notes": found.notes,
                "totals": found.totals,
                "items": found.items,
            }
            return orjson.dumps(said)

        return json_reply(await self._questions.ask_calls(request, (from_ns, to_ns), answer))

    async def top(self, request: web.Request) -> web.Response:
        """The first groups of one dimension."""
        asked = Parameters(request, ("from", "to", "by", "filter", "limit", "order"))
        from_ns, to_ns = window(asked)
        by = asked.choice("by", list(DIMENSIONS)) or "model"
        question = SummaryQuestion(
            EVER[0] if from_ns is None else from_ns,
            EVER[1] if to_ns is None else to_ns,
            (by,),
            filter=asked.text("filter", MAX_FILTER),
            order=asked.choice("order", ORDERS) or "-cost",
            limit=asked.integer("limit", 1, 1000) or 10,
        )

        def answer(_: View, con: DuckDBPyConnection) -> bytes:
            found = top(con, question)
            return orjson.dumps(
                {"by": by, "population": POPULATION, **stated(from_ns, to_ns), "groups": found.groups, "items": found.items}
            )

        return json_reply(await self._questions.ask_calls(request, (from_ns, to_ns), answer))

    async def calls(self, request: web.Request) -> web.Response:
        """One page of calls."""
        asked = Parameters(request, _CALLS)
        from_ns, to_ns = window(asked)
        question = CallQuestion(
            EVER[0] if from_ns is None else from_ns,
            EVER[1] if to_ns is None else to_ns,
            COUNTED[asked.choice("counted", list(COUNTED)) or "true"],
            asked.choice("unpriced", ("true", "false")) == "true",
            asked.text("filter", MAX_FILTER),
            asked.text("session"),
            asked.text("user"),
            asked.choice("sort", SORTS) or "-start",
            asked.integer("limit", 1, 1000) or 50,
            asked.text("cursor"),
        )

        def answer(_: View, con: DuckDBPyConnection) -> bytes:
            page = list_calls(con, question)
            return orjson.dumps({"items": page.items, "next_cursor": page.next_cursor, **stated(from_ns, to_ns)})

        return json_reply(await self._questions.ask_calls(request, (from_ns, to_ns), answer))

    async def forecast(self, request: web.Request) -> web.Response:
        """What a month cost and will have cost."""
        asked = Parameters(request, ("tz", "month"))
        name = asked.text("tz", 64)
        zone, now = zone_of(name), self._clock.now()
        first, last = month_of(asked.text("month", 64), now, zone)
        today = day_of(now, zone)
        since, until = days_asked(first, last, today)
        days = calendar_days(zone, since, until)

        def answer(_: View, con: DuckDBPyConnection) -> bytes:
            said = forecast(spend_days(con, zone, since, until), first, last, now, zone)
            return orjson.dumps({"tz": name or "UTC", **said})

        return json_reply(await self._questions.ask_calls(request, (int(days.edges[0]), int(days.edges[-1])), answer))
