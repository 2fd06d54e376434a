"""Asking for stored calls to be priced anew, and how far that is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

import orjson
from aiohttp import web

from observatory.api.parameters import Parameters
from observatory.api.reply import json_reply
from observatory.errors import BadRequest
from observatory.model.clock import Nanos
from observatory.model.money import PICO_PER_USD
from observatory.query.times import parse_time, rfc3339

PATH = "/api/v1/prices/recompute"
_MOST_BYTES = 4096


class Progress(Protocol):
    """`jobs.reprice.Progress`."""

    from_ns: Nanos
    to_ns: Nanos
    done_to_ns: Nanos
    calls: int
    changed: int
    cost_before: int
    cost_after: int
    finished: bool


class Repricer(Protocol):
    """Who does it: `jobs.reprice.Reprice`."""

    def request(self, from_ns: Nanos, to_ns: Nanos) -> Any:
        """Ask for a window."""
        ...

    def progress(self) -> Any:
        """How far the last request is; None when there never was one."""
        ...


class Recompute:
    """Handlers of PATH."""

    def __init__(self, repricer: Repricer, wake: Callable[[], None]) -> None:
        self._repricer, self._wake = repricer, wake

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get(PATH, self.progress)
        app.router.add_post(PATH, self.request)

    async def progress(self, request: web.Request) -> web.Response:
        """How far the last request is."""
        Parameters(request, ())
        return json_reply(orjson.dumps(_said(self._repricer.progress())))

    async def request(self, request: web.Request) -> web.Response:
        """Ask for calls that started in [from, to) to be priced anew; answers at once."""
        Parameters(request, ())
        if request.content_length is not None and request.content_length > _MOST_BYTES:
            raise BadRequest(f"body: longer than {_MOST_BYTES} bytes")
        try:
            body = json.loads(await request.text())
        except ValueError as error:
            raise BadRequest(f"body: not JSON: {error}") from None
        if not isinstance(body, dict) or set(body) != {"from", "to"}:
            raise BadRequest("body: expected an object with `from` and `to`, each RFC 3339 or nanoseconds since 1970")
        low, high = (parse_time(str(body[name]), name) for name in ("from", "to"))
        if low >= high:
            raise BadRequest(f"from: {rfc3339(low)} is not before to: {rfc3339(high)}")
        asked = self._repricer.request(low, high)
        self._wake()
        return json_reply(orjson.dumps(_said(asked)))


def _said(progress: Progress | None) -> dict[str, Any]:
    if progress is None:
        return {"state": "none"}
    return {
        "state": "done" if progress.finished else "running",
        "from": rfc3339(progress.from_ns),
        "to": rfc3339(progress.to_ns),
        "done_to": rfc3339(min(progress.done_to_ns, progress.to_ns)),
        "calls": progress.calls,
        "changed": progress.changed,
        "cost_before_usd": _usd(progress.cost_before),
        "cost_after_usd": _usd(progress.cost_after),
    }


def _usd(pico: int) -> str:
    return f"{pico // PICO_PER_USD}.{pico % PICO_PER_USD:012d}".rstrip("0").rstrip(".")
