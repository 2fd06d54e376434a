"""The query API's door: the page, REST, SQL, health, metrics, and whatever else is mounted on the same port."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import choose_encoder

from observatory.api import problems
from observatory.api.config import ApiConfig
from observatory.api.errors import Errors
from observatory.api.explore import Explore
from observatory.api.feedback import Feedback
from observatory.api.guard import HEADERS, Guard
from observatory.api.llm import Llm
from observatory.api.logs import Logs
from observatory.api.messages import Messages
from observatory.api.openapi import document
from observatory.api.page import PATH, page
from observatory.api.parameters import Parameters
from observatory.api.questions import Questions
from observatory.api.reply import json_reply
from observatory.api.saved import Saved
from observatory.api.sessions import Sessions
from observatory.api.shipped import Shipped
from observatory.api.sql import Sql
from observatory.api.traces import Traces
from observatory.api.work import ClientLeft, Work
from observatory.errors import ObservatoryError
from observatory.model.clock import Clock, SystemClock
from observatory.query.render import Renderer
from observatory.storage import saved
from observatory.storage.engine import Engine

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_DRAIN_S = 2.0  # for answers under way when the door closes; the whole server has 10 s


class Api:
    """Everything that is asked over HTTP. `status` and `ready` are the appliance's; `mounts` add routes of other rooms to this port;
    `settings` is what `/api/v1/settings` tells, without secrets."""

    def __init__(
        self,
        engine: Engine,
        status: Callable[[], dict[str, Any]],
        ready: Callable[[], tuple[bool, str]],
        config: ApiConfig,
        registry: CollectorRegistry,
        mounts: Sequence[Callable[[web.Application], None]] = (),
        clock: Clock | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self._status, self._ready, self._registry, self._mounts = status, ready, registry, mounts
        self._settings = orjson.dumps(settings or {"file": None, "sections": []})
        self._guard = Guard()
        self._renderer = Renderer()
        self._work = Work(config.threads, config.request_deadline_s)
        self._sql = Sql(engine, engine.data_dir, config)
        questions = Questions(engine, self._work)
        clock = clock or SystemClock()
        self._rooms = (
            Traces(engine, self._work, questions, self._renderer),
            Messages(engine, self._work),
            Logs(questions, self._renderer),
            Feedback(questions),
            Llm(questions, clock),
            Sessions(questions),
            Errors(questions),
            Explore(questions),
            Shipped(),
            Saved(saved.Saved(engine.manifest), self._work, clock),
            self._sql,
        )
        self._requests = Counter("observatory_api_requests", "Requests to the API and the page", ["route", "status"], registry=registry)
        self._seconds = Histogram("observatory_api_request_seconds", "Time until the answer was written", ["route"], registry=registry)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; port 0 takes a free one. Returns the address. Raises OSError when the address cannot be listened on."""
        app = web.Application(middlewares=[self._middleware])
        app.on_response_prepare.append(_secure)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/api/v1/status", self._say_status)
        app.router.add_get("/api/v1/settings", self._say_settings)
        app.router.add_get("/api/v1/openapi.json", self._openapi)
        for room in self._rooms:
            room.add_routes(app)
        for mount in self._mounts:
            mount(app)
        app.router.add_get(PATH, page)
        runner = self._runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=_DRAIN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=256).start()
        except BaseException:
            await self.stop()
            raise
        bound = runner.addresses[0]
        self._guard.listening(bound[0])
        return bound[0], bound[1]

    async def stop(self) -> None:
        """Stop listening, let answers under way finish for 2 s, end all work."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self._sql.close()
        await self._work.close()
        self._renderer.close()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.monotonic()
        response = self._guard.refusal(request) or await self._answer(request, handler)
        route = _route(request)
        self._requests.labels(route, str(response.status)).inc()
        self._seconds.labels(route).observe(time.monotonic() - began)
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _by_router(request, error)
        except ClientLeft:
            return problems.problem(499, "client_left", "the client closed its connection")
        except ObservatoryError as error:
            return problems.of(error)
        except ConnectionError:
            raise
        except Exception as error:
            return problems.internal(error)

    async def _healthz(self, request: web.Request) -> web.Response:
        Parameters(request, ())
        return json_reply(b'{"ok":true}')

    async def _readyz(self, request: web.Request) -> web.Response:
        Parameters(request, ())
        ok, reason = self._ready()
        response = json_reply(orjson.dumps({"ready": ok, "reason": reason}))
        if not ok:
            response.set_status(503)
            response.headers["Retry-After"] = "1"
        return response

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    async def _say_status(self, request: web.Request) -> web.Response:
        Parameters(request, ())
        return json_reply(orjson.dumps({"version": _version(), **self._status()}))

    async def _say_settings(self, request: web.Request) -> web.Response:
        Parameters(request, ())
        return json_reply(self._settings)

    async def _openapi(self, request: web.Request) -> web.Response:
        Parameters(request, ())
        return json_reply(orjson.dumps(document(_version())))


async def _secure(_: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _by_router(request: web.Request, error: web.HTTPException) -> web.Response:
    """What aiohttp itself refuses, in our shape."""
    if error.status == 405:
        allowed = error.headers.get("Allow", "")
        said = f"{request.method} is not answered at {request.path[:200]}; allowed: {allowed}"
        return problems.problem(405, "method_not_allowed", said, headers={"Allow": allowed})
    if error.status == 404:
        said = f"nothing is at {request.path[:200]}; /api/v1/openapi.json lists what is"
        return problems.problem(404, "not_found", said)
    return problems.problem(error.status, "bad_request", error.reason)


def _version() -> str:
    try:
        return version("llm-observatory")
    except PackageNotFoundError:
        return "0"
