"""OTLP over HTTP: protobuf and JSON, compressed or not, on its own port and mounted on the API's."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic

from aiohttp import web
from prometheus_client import CollectorRegistry

from observatory.contracts import Export, Signal, Sink
from observatory.errors import Retryable, Unsupported
from observatory.model.clock import Clock, SystemClock
from observatory.otlp import json as otlp_json, reply
from observatory.receivers.admission import Admission, Held
from observatory.receivers.body import INLINE_BYTES, Opener, receive
from observatory.receivers.config import ReceiversConfig
from observatory.receivers.cors import Cors
from observatory.receivers.keys import Keys
from observatory.receivers.refusal import NOT_FOUND, PERMISSION_DENIED, UNIMPLEMENTED, Refusal, cannot_listen, refusal
from observatory.receivers.traffic import Traffic

log = logging.getLogger(__name__)

PATHS = {"/v1/traces": Signal.SPANS, "/v1/logs": Signal.LOGS, "/v1/metrics": Signal.METRIC_POINTS}
PROTOBUF, JSON = "application/x-protobuf", "application/json"

_READ_BUFFER = 1 << 20  # aiohttp stops reading a connection at twice this: most requests arrive without a pause
_DRAIN_S = 3.0  # for requests under way when the door closes; the whole server has 10 s to end


class OtlpHttp:
    """The HTTP door. Errors are answered as OTLP says (`refusal.py`), a google.rpc.Status in the request's own encoding, never with 500."""

    def __init__(
        self, sink: Sink, admission: Admission, config: ReceiversConfig, registry: CollectorRegistry, clock: Clock | None = None
    ) -> None:
        self._sink, self._admission, self._config, self._clock = sink, admission, config, clock or SystemClock()
        self._keys, self._cors, self._traffic = Keys(config.api_keys), Cors(config.cors_origins), Traffic("http", registry)
        self._opener = Opener()
        self._limits = {PROTOBUF: config.max_request_bytes, JSON: min(config.max_json_bytes, config.max_request_bytes)}
        # One at a time: reading JSON holds the GIL, and its values take many times the memory of its text.
        self._json = ThreadPoolExecutor(1, thread_name_prefix="otlp-json")
        self._listener: asyncio.Server | None = None
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False

    def add_routes(self, app: web.Application) -> None:
        """Serve the same paths on another aiohttp application. Its runner must be made with `auto_decompress=False`: here is the limit."""
        for path, signal in PATHS.items():
            app.router.add_route("*", path, partial(self._guarded, signal), expect_handler=_later)

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; port 0 takes a free one. Returns the address. Raises `CannotStart`."""
        # aiohttp's low-level server: no routing, no middleware, no access log; a third less time per small request than an Application
        self._server = web.Server(self._dispatch, access_log=None, auto_decompress=False, read_bufsize=_READ_BUFFER)
        try:
            self._listener = await asyncio.get_running_loop().create_server(self._server, host, port, backlog=1024)
        except OSError as error:
            raise cannot_listen("OTLP/HTTP", "--otlp-http", host, port, error) from error
        bound = self._listener.sockets[0].getsockname()
        return bound[0], bound[1]

    async def stop(self) -> None:
        """Stop listening, answer what is under way (at most 3 s), close every connection."""
        self._stopping = True
        if self._listener is not None:
            self._listener.close()
        try:
            async with asyncio.timeout(_DRAIN_S):
                await self._idle.wait()
        except TimeoutError:
            pass
        if self._listener is not None:
            await self._server.shutdown(timeout=1.0)
            self._listener = None
        self._opener.close()
        self._json.shutdown(wait=False, cancel_futures=True)

    async def _dispatch(self, request: web.BaseRequest) -> web.StreamResponse:
        signal = PATHS.get(request.path)
        if signal is None:
            return _refused(request, Refusal(404, NOT_FOUND, f"nothing is at {request.path}; OTLP is sent by POST to {', '.join(PATHS)}"))
        return await self._guarded(signal, request)

    async def _guarded(self, signal: Signal, request: web.BaseRequest) -> web.StreamResponse:
        began = monotonic()
        self._running += 1
        self._idle.clear()
        try:
            response, size = await self._answer(signal, request)
        except ConnectionError:
            raise  # the client is gone; aiohttp closes, nobody is answered
        except Exception:
            log.exception("an export could not be answered because of a bug; it is still the client's")
            response, size = web.Response(status=503, headers={"Retry-After": "1"}), 0
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
        origin = request.headers.get("Origin")
        if origin is not None and request.method != "OPTIONS":
            response.headers.update(self._cors.headers(origin))
        if self._stopping:
            response.force_close()
        self._traffic.answered(signal, str(response.status), size, monotonic() - began)
        return response

    async def _answer(self, signal: Signal, request: web.BaseRequest) -> tuple[web.Response, int]:
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=self._cors.preflight(request.headers.get("Origin")) | {"Allow": "POST, OPTIONS"}), 0
        if request.method != "POST":
            refused = Refusal(405, UNIMPLEMENTED, f"{request.method} is not spoken here; OTLP is sent by POST")
            return _refused(request, refused, {"Allow": "POST, OPTIONS"}), 0
        origin = request.headers.get("Origin")
        if origin is not None and not self._cors.allows(origin):
            refused = Refusal(
                403, PERMISSION_DENIED, f"pages of {origin[:100]!r} may not export; receivers.cors_origins names those that may"
            )
            return _refused(request, refused), 0
        size = 0
        try:
            if self._stopping:
                raise Retryable("the server is shutting down", after=5.0)
            self._keys.check(request.headers.get("Authorization"), request.headers.get("x-api-key"))
            content_type = _content_type(request)
            with self._admission.admit(request.content_length or 0) as held:
                raw = await receive(request, held, self._limits[content_type], self._config.request_timeout_s)
                size = len(raw)
                body = await self._open(signal, raw, content_type, request.headers.get("Content-Encoding", ""), held)
                del raw
                said = await self._sink.put(Export(signal, body, self._clock.now()))
        except ConnectionError:
            raise
        except Exception as error:
            refused = refusal(error, self._config.retry_after_s)
            headers = {"WWW-Authenticate": "Bearer"} if refused.http == 401 else None
            return _refused(request, refused, headers), size
        return web.Response(
            body=reply.success(signal, said.rejected, said.message, content_type == JSON), headers={"Content-Type": content_type}
        ), size

    async def _open(self, signal: Signal, raw: bytes, content_type: str, encoding: str, held: Held) -> bytes:
        """Protobuf bytes, from any encoding and content type; what takes long is done off the loop."""
        encoding = encoding.strip().lower()
        body = raw
        if encoding not in ("", "identity"):
            body = await self._opener.open(encoding, raw, self._limits[content_type])
            held.resize(len(raw) + len(body))
        if content_type == JSON:
            if len(body) <= INLINE_BYTES:
                body = otlp_json.to_protobuf(signal, body)
            else:
                body = await asyncio.get_running_loop().run_in_executor(self._json, otlp_json.to_protobuf, signal, body)
        held.resize(len(body))
        return body


def _content_type(request: web.BaseRequest) -> str:
    said = request.headers.get("Content-Type", "")
    kind = said.partition(";")[0].strip().lower()
    if kind not in (PROTOBUF, JSON):
        raise Unsupported(
            f"Content-Type {said!r} is not understood; send {PROTOBUF} or {JSON}" if said else f"no Content-Type; send {PROTOBUF} or {JSON}"
        )
    return kind


def _refused(request: web.BaseRequest, refused: Refusal, headers: dict[str, str] | None = None) -> web.Response:
    """A google.rpc.Status; as JSON unless the request is protobuf, because then a person may be looking."""
    json = request.content_type != PROTOBUF
    body = refused.status(json)
    said = {"Content-Type": JSON if json else PROTOBUF, **(headers or {})}
    if refused.retry_after_s is not None:
        said["Retry-After"] = refused.retry_after
    response = web.Response(status=refused.http, body=body, headers=said)
    if not request.content.is_eof():
        response.force_close()  # its body is still on the way, or waits for a 100 Continue that will not come
    return response


async def _later(request: web.Request) -> None:
    """Answers no `Expect: 100-continue` yet: `receive` does once it wants the body."""
