"""Answers: JSON at once, or JSON in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from observatory.api.work import ClientLeft

_JSON = "application/json"
_LONGEST_S = 300.0  # who reads slower than this holds segments and journal that others want deleted
_WRITE = 256 * 1024  # a piece of several megabytes in one write would be copied and sent by the loop in one go, ~1 ms per megabyte


def json_reply(body: bytes) -> web.Response:
    """JSON that is never cached: what it says changes while it is read."""
    return web.Response(body=body, content_type=_JSON, headers={"Cache-Control": "no-store"})


async def stream_reply(request: web.Request, pieces: AsyncGenerator[bytes, None], content_type: str = _JSON) -> web.StreamResponse:
    """The pieces as one chunked answer. An error before the first piece is raised; a later one breaks the connection, so that nobody
    takes half an answer for a whole one."""
    async with aclosing(pieces), asyncio.timeout(_LONGEST_S):
        first = await anext(pieces, b"")
        response = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-store"})
        await response.prepare(request)
        try:
            await _write(response, first)
            async for piece in pieces:
                await _write(response, piece)
            await response.write_eof()
        except BaseException as error:
            if request.transport is not None:
                request.transport.abort()
            if isinstance(error, ConnectionError):
                raise ClientLeft("the client closed its connection") from None
            raise
        return response


async def _write(response: web.StreamResponse, piece: bytes) -> None:
    view = memoryview(piece)
    for start in range(0, len(view), _WRITE):
        await response.write(view[start : start + _WRITE])
