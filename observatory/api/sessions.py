"""Sessions and users: the lists, and one of each."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from duckdb import DuckDBPyConnection

from observatory.api.llm import MAX_FILTER
from observatory.api.parameters import Parameters
from observatory.api.questions import Questions, stated, window
from observatory.api.reply import json_reply
from observatory.model.clock import Nanos
from observatory.query.buckets import zone_of
from observatory.query.llm_summary import SummaryQuestion, summarize
from observatory.query.sessions import SORTS, GroupQuestion, list_groups, one_group, traces_of
from observatory.query.traces import EVER
from observatory.storage.engine import View

_OF_A_USER = ("calls", "errors", "input_tokens", "output_tokens", "total_tokens", "total_cost_usd", "unpriced_calls")
_USER_SESSIONS = 100
_LONGEST_ID = 1024


class Sessions:
    """Handlers under `/api/v1/sessions` and `/api/v1/users`."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/api/v1/sessions", self.sessions)
        app.router.add_get("/api/v1/sessions/{id}", self.session)
        app.router.add_get("/api/v1/users", self.users)
        app.router.add_get("/api/v1/users/{id}", self.user)

    async def sessions(self, request: web.Request) -> web.Response:
        """One page of sessions."""
        return await self._list(request, "session", ("user",))

    async def users(self, request: web.Request) -> web.Response:
        """One page of users."""
        return await self._list(request, "user", ())

    async def _list(self, request: web.Request, kind: str, others: tuple[str, ...]) -> web.Response:
        asked = Parameters(request, ("from", "to", "filter", "sort", "limit", "cursor", *others))
        from_ns, to_ns = window(asked)
        low, high = _bounds(from_ns, to_ns)
        question = GroupQuestion(
            kind,
            low,
            high,
            asked.text("filter", MAX_FILTER),
            asked.choice("sort", SORTS) or "-last",
            asked.integer("limit", 1, 1000) or 50,
            asked.text("cursor"),
            other=asked.text(others[0], _LONGEST_ID) if others else None,
        )

        def answer(view: View, con: DuckDBPyConnection) -> bytes:
            with view.fragments(from_ns, to_ns) as fragments:
                traces = traces_of(fragments, low, high)
            page = list_groups(con, traces, question)
            return orjson.dumps({"items": page.items, "next_cursor": page.next_cursor, **stated(from_ns, to_ns)})

        return json_reply(await self._questions.ask_calls(request, (from_ns, to_ns), answer))

    async def session(self, request: web.Request) -> web.Response:
        """One session with its traces."""
        asked = Parameters(request, ("from", "to"))
        from_ns, to_ns = window(asked)
        low, high = _bounds(from_ns, to_ns)
        question = GroupQuestion("session", low, high, id=request.match_info["id"])

        def answer(view: View, con: DuckDBPyConnection) -> bytes:
            with view.fragments(from_ns, to_ns) as fragments:
                traces = traces_of(fragments, low, high)
            return orjson.dumps({**one_group(con, traces, question), **stated(from_ns, to_ns)})

        return json_reply(await self._questions.ask_calls(request, (from_ns, to_ns), answer))

    async def user(self, request: web.Request) -> web.Response:
        """One user: what each day and each model cost, and the latest sessions."""
        asked = Parameters(request, ("from", "to", "tz"))
        from_ns, to_ns = window(asked)
        low, high = _bounds(from_ns, to_ns)
        zone, user = zone_of(asked.text("tz", 64)), request.match_info["id"]

        def answer(view: View, con: DuckDBPyConnection) -> bytes:
            with view.fragments(from_ns, to_ns) as fragments:
                traces = traces_of(fragments, low, high)
            said = one_group(con, traces, GroupQuestion("user", low, high, id=user))
            days = summarize(con, SummaryQuestion(low, high, (), "day", zone, user_id=user))
            models = summarize(con, SummaryQuestion(low, high, ("model",), user_id=user))
            sessions = list_groups(con, traces, GroupQuestion("session", low, high, limit=_USER_SESSIONS, other=user))
            said |= {
                "days": [{"day": item["group"]["time"], **_narrow(item)} for item in days.items],
                "models": [{"model": item["group"]["model"], **_narrow(item)} for item in models.items],
                "sessions": sessions.items,
            }
            del said["trace_items"], said["more_traces"]
            return orjson.dumps({**said, **stated(from_ns, to_ns)})

        return json_reply(await self._questions.ask_calls(request, (from_ns, to_ns), answer))


def _bounds(from_ns: Nanos | None, to_ns: Nanos | None) -> tuple[Nanos, Nanos]:
    return (EVER[0] if from_ns is None else from_ns, EVER[1] if to_ns is None else to_ns)


def _narrow(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in _OF_A_USER}
