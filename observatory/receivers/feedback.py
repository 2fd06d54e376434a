"""The door for feedback: `POST /api/v1/feedback`, mounted on the API's port, which guards it like everything else there."""

from __future__ import annotations

import asyncio

import orjson
from aiohttp import web

from observatory.contracts import Export, Signal, Sink
from observatory.errors import BadRequest
from observatory.model.clock import Clock, SystemClock
from observatory.receivers.admission import Admission, Held
from observatory.receivers.body import INLINE_BYTES, opened, receive
from observatory.receivers.config import ReceiversConfig
from observatory.receivers.feedback_rows import judge, sentence
from observatory.receivers.keys import Keys

PATH = "/api/v1/feedback"
MOST_ERRORS = 100  # told of one request; `rejected` counts all
_IN_A_SENTENCE = 5


class Feedback:
    """Takes feedback by the way of every export: it is durable when it is acknowledged, and a resend is stored once."""

    def __init__(self, sink: Sink, admission: Admission, config: ReceiversConfig, clock: Clock | None = None) -> None:
        self._sink, self._admission, self._config, self._clock = sink, admission, config, clock or SystemClock()
        self._keys = Keys(config.api_keys)
        self._limit = min(config.max_json_bytes, config.max_request_bytes)

    def add_routes(self, app: web.Application) -> None:
        """Mount it. The application's runner must be made with `auto_decompress=False`: here is the limit."""
        app.router.add_post(PATH, self.take, expect_handler=_later)

    async def take(self, request: web.Request) -> web.Response:
        """200 with what was taken and every mistake. Raises Rejected or BadRequest when nothing is usable, Retryable for lack of room."""
        if request.query:
            raise BadRequest(f"{next(iter(request.query))[:60]}: unknown query parameter (known here: none)")
        self._keys.check(request.headers.get("Authorization"), request.headers.get("x-api-key"))
        with self._admission.admit(request.content_length or 0) as held:
            body = await self._body(request, held)
            now = self._clock.now()
            judged = judge(body, now) if len(body) <= INLINE_BYTES else await asyncio.to_thread(judge, body, now)
            if not judged.rows:
                raise BadRequest(sentence(judged.mistakes[:_IN_A_SENTENCE]))
            reply = await self._sink.put(Export(Signal.FEEDBACK, body, now))
        errors = [{"where": where, "message": message} for where, message in judged.mistakes[:MOST_ERRORS]]
        said = {"accepted": reply.accepted, "rejected": reply.rejected, "errors": errors}
        return web.Response(body=orjson.dumps(said), content_type="application/json", headers={"Cache-Control": "no-store"})

    async def _body(self, request: web.Request, held: Held) -> bytes:
        raw = await receive(request, held, self._limit, self._config.request_timeout_s)
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        if encoding in ("", "identity"):
            return raw
        body = await asyncio.to_thread(opened, encoding, raw, self._limit)
        held.resize(len(body))
        return body


async def _later(request: web.Request) -> None:
    """Answers no `Expect: 100-continue` yet: `receive` does once it wants the body."""
