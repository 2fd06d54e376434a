"""What people save on the page: `GET`, `PUT` and `DELETE /api/v1/saved/{kind}/{name}`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import web

from observatory.api.parameters import Parameters
from observatory.api.reply import json_reply
from observatory.api.work import Work
from observatory.errors import BadRequest, NotFound, Retryable, TooLarge
from observatory.model.clock import Clock
from observatory.query.times import rfc3339
from observatory.storage import saved
from observatory.storage.saved import Document

T = TypeVar("T")
KIND = "[a-z][a-z0-9_-]{0,39}"
LONGEST_NAME = 200  # characters
_PATH = "/api/v1/saved/{kind}"


class Saved:
    """Handlers under `/api/v1/saved`."""

    def __init__(self, documents: saved.Saved, work: Work, clock: Clock) -> None:
        self._documents, self._work, self._clock = documents, work, clock

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get(_PATH, self.list)
        app.router.add_get(f"{_PATH}/{{name}}", self.get)
        app.router.add_put(f"{_PATH}/{{name}}", self.put)
        app.router.add_delete(f"{_PATH}/{{name}}", self.delete)

    async def list(self, request: web.Request) -> web.Response:
        """The documents of a kind, by name."""
        Parameters(request, ())
        kind = _kind(request)
        return _reply({"items": [_said(each) for each in self._documents.list(kind)]})

    async def get(self, request: web.Request) -> web.Response:
        """One document."""
        Parameters(request, ())
        kind, name = _kind(request), _name(request)
        found = self._documents.get(kind, name)
        if found is None:
            raise _missing(kind, name)
        return _reply(_said(found))

    async def put(self, request: web.Request) -> web.Response:
        """Keep a document; durable when answered."""
        Parameters(request, ())
        kind, name, body = _kind(request), _name(request), await _body(request)
        now = self._clock.now()
        return _reply(_said(await self._write(request, lambda: self._documents.put(kind, name, body, now))))

    async def delete(self, request: web.Request) -> web.Response:
        """Forget a document; durable when answered."""
        Parameters(request, ())
        kind, name = _kind(request), _name(request)
        if not await self._write(request, lambda: self._documents.delete(kind, name)):
            raise _missing(kind, name)
        return web.Response(status=204, headers={"Cache-Control": "no-store"})

    async def _write(self, request: web.Request, change: Callable[[], T]) -> T:
        try:
            return await self._work.run(request, lambda _: change())  # it waits for an fsync
        except OSError as error:
            raise Retryable(f"it cannot be written: {error.strerror}", after=10.0) from error


def _reply(said: dict[str, Any]) -> web.Response:
    return json_reply(json.dumps(said).encode())  # the standard library keeps integers of any size as they were sent


def _said(document: Document) -> dict[str, Any]:
    return {"kind": document.kind, "name": document.name, "body": document.body, "updated_at": rfc3339(document.updated_ns)}


def _missing(kind: str, name: str) -> NotFound:
    return NotFound(f"no {kind} is saved as {name[:60]!r}")


def _kind(request: web.Request) -> str:
    kind = request.match_info["kind"]
    if not re.fullmatch(KIND, kind):
        raise BadRequest(f"kind: expected up to 40 of a-z, 0-9, _ and -, a letter first, got {kind[:60]!r}")
    return kind


def _name(request: web.Request) -> str:
    name = request.match_info["name"]
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise BadRequest(f"name: expected 1 to {LONGEST_NAME} printable characters, without blanks around them, got {name[:60]!r}")
    return name


async def _body(request: web.Request) -> dict[str, Any]:
    received = bytearray()
    async for piece in request.content.iter_chunked(1 << 16):
        received += piece
        if len(received) > saved.MOST_BYTES:
            raise TooLarge(f"body: larger than {saved.MOST_BYTES} bytes")
    try:
        body = json.loads(received, parse_constant=_no_number)
        json.dumps([[[[body]]]])  # what is read can be written, also inside an answer
    except RecursionError:
        raise BadRequest("body: nested too deeply") from None
    except ValueError as error:
        raise BadRequest(f"body: no JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadRequest("body: expected an object")
    return body


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
