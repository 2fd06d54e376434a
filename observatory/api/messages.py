"""What was said: the messages of one span, and the images and audio in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from observatory.api.parameters import Parameters, hex_id
from observatory.api.reply import json_reply
from observatory.api.work import Stop, Work
from observatory.errors import BadRequest, Gone, NotFound
from observatory.query.messages import message_blob, messages_json
from observatory.storage.engine import Engine, View

T = TypeVar("T")
_PATH = "/api/v1/traces/{trace_id}/spans/{span_id}/messages"
LONGEST_REF = 4096
# What a browser may be told it is: pictures and sounds, by their first bytes and not by what a sender says: SVG and HTML hold scripts.
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png", "png"),
    (b"\xff\xd8\xff", 0, "image/jpeg", "jpg"),
    (b"GIF8", 0, "image/gif", "gif"),
    (b"WEBP", 8, "image/webp", "webp"),
    (b"WAVE", 8, "audio/wav", "wav"),
    (b"ID3", 0, "audio/mpeg", "mp3"),
    (b"\xff\xfb", 0, "audio/mpeg", "mp3"),
    (b"\xff\xf3", 0, "audio/mpeg", "mp3"),
    (b"OggS", 0, "audio/ogg", "ogg"),
    (b"fLaC", 0, "audio/flac", "flac"),
)


class Messages:
    """Handlers under `/api/v1/traces/{trace_id}/spans/{span_id}/messages`."""

    def __init__(self, engine: Engine, work: Work) -> None:
        self._engine, self._work = engine, work

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get(_PATH, self.one)
        app.router.add_get(f"{_PATH}/blob", self.blob)

    async def one(self, request: web.Request) -> web.Response:
        """The conversation of one span."""
        Parameters(request, ())
        return json_reply(await self._ask(request, messages_json))

    async def blob(self, request: web.Request) -> web.Response:
        """The bytes of one blob part, as a file to save."""
        ref = Parameters(request, ("ref",)).text("ref", LONGEST_REF)
        if ref is None:
            raise BadRequest("ref: missing; a blob part's `ref` names it")
        data = await self._ask(request, lambda view, trace_id, span_id: message_blob(view, trace_id, span_id, ref))
        content_type, ending = kind_of_file(data)
        headers = {
            "Content-Type": content_type,
            "Content-Disposition": f'attachment; filename="blob.{ending}"',
            "Cache-Control": "no-store",
        }
        return web.Response(body=data, headers=headers)

    async def _ask(self, request: web.Request, question: Callable[[View, bytes, bytes], T]) -> T:
        trace_id = hex_id(request.match_info["trace_id"], "trace_id", 16)
        span_id = hex_id(request.match_info["span_id"], "span_id", 8)

        def answer(_: Stop) -> T:
            with self._engine.view() as view:
                try:
                    return question(view, trace_id, span_id)
                except NotFound:
                    if why := self._engine.manifest.expired(trace_id):
                        raise Gone(f"trace {trace_id.hex()} was {why}") from None
                    raise

        return await self._work.run(request, answer)


def kind_of_file(data: bytes) -> tuple[str, str]:
    """The content type and file ending of known pictures and sounds; everything else is bytes."""
    for magic, offset, content_type, ending in _MAGIC:
        if data.startswith(magic, offset):
            return content_type, ending
    return "application/octet-stream", "bin"
