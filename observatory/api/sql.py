"""`POST /api/v1/sql`: one SELECT over everything, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from observatory.api.config import ApiConfig
from observatory.api.parameters import Parameters
from observatory.api.reply import json_reply, stream_reply
from observatory.api.work import while_there
from observatory.errors import BadRequest, TooLarge, Unsupported
from observatory.query.sandboxes import Sandboxes, SandboxLimits, SqlAnswer, SqlRefused
from observatory.storage.engine import Engine

ARROW = "application/vnd.apache.arrow.stream"
MAX_BODY = 1 << 20


class SqlRequest(BaseModel):
    """The body of `POST /api/v1/sql`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    query: str = Field(min_length=1, description="Exactly one SELECT in DuckDB's dialect.")
    max_rows: int | None = Field(
        default=None, ge=1, description="Rows of a JSON answer, at most `api.sql_rows` (10,000 unless configured)."
    )


class Sql:
    """Handler of `/api/v1/sql`."""

    def __init__(self, engine: Engine, data_dir: Path, config: ApiConfig) -> None:
        self._engine = engine
        self._sandboxes = Sandboxes(data_dir, _limits(config))

    def add_routes(self, app: web.Application) -> None:
        """Mount it."""
        app.router.add_post("/api/v1/sql", self.answer)

    async def close(self) -> None:
        """End the spare process."""
        await self._sandboxes.close()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Rows as JSON, or as an Arrow stream when `Accept` asks for it."""
        Parameters(request, ())
        asked = await _body(request)
        return await while_there(request, self._run(request, asked))

    async def _run(self, request: web.Request, asked: SqlRequest) -> web.StreamResponse:
        arrow = ARROW in request.headers.get("Accept", "")
        try:
            return await self._answer(request, asked, arrow)
        except SqlRefused as refused:
            # a segment that cannot be read is set aside; the rest still answers
            if not _perhaps_damage(refused) or not await self._set_aside() or arrow:
                raise
        return await self._answer(request, asked, arrow)

    async def _answer(self, request: web.Request, asked: SqlRequest, arrow: bool) -> web.StreamResponse:
        async with AsyncExitStack() as open_:
            spec = await open_.enter_async_context(self._pinned(asked.query))
            answer = await open_.enter_async_context(self._sandboxes.ask(asked.query, spec, arrow=arrow, rows=asked.max_rows))
            if arrow:
                return await stream_reply(request, answer.pieces, ARROW)
            return json_reply(await _json(answer))

    async def _set_aside(self) -> int:
        live = self._engine.manifest.live()
        return await asyncio.get_running_loop().run_in_executor(None, self._engine.examine, live)

    @asynccontextmanager
    async def _pinned(self, query: str) -> AsyncIterator[Any]:
        """What there is to read, held until the query is done."""
        loop = asyncio.get_running_loop()
        holder = self._engine.view()
        view = await loop.run_in_executor(None, holder.__enter__)
        try:
            yield await loop.run_in_executor(None, lambda: view.spec(query=query))
        finally:
            await asyncio.shield(loop.run_in_executor(None, holder.__exit__, None, None, None))


# How DuckDB begins what is wrong with a question and not with a file.
_MISTAKES = ("Binder", "Parser", "Catalog", "Conversion", "Out of Range", "Out of Memory", "Permission", "Not implemented")


def _perhaps_damage(refused: SqlRefused) -> bool:
    return refused.code == "query_died" or (refused.code == "sql" and not str(refused).startswith(_MISTAKES))


async def _json(answer: SqlAnswer) -> bytes:
    pieces = [piece async for piece in answer.pieces]
    done = answer.done
    end = {"truncated": done["truncated"], "row_count": done["rows"], "elapsed_ms": done["elapsed_ms"]}
    return b"".join((b'{"columns":', orjson.dumps(answer.columns), b',"rows":[', *pieces, b"],", orjson.dumps(end)[1:]))


async def _body(request: web.Request) -> SqlRequest:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Unsupported("Content-Encoding: send the query uncompressed")
    body = bytearray()
    async for piece in request.content.iter_chunked(1 << 16):
        body += piece
        if len(body) > MAX_BODY:
            raise TooLarge(f"body: larger than {MAX_BODY} bytes")
    try:
        return SqlRequest.model_validate_json(bytes(body))
    except ValidationError as invalid:
        mistakes = [f"{'.'.join(map(str, error['loc'])) or 'body'}: {error['msg']}" for error in invalid.errors()]
        raise BadRequest("; ".join(mistakes[:5])) from None


def _limits(config: ApiConfig) -> SandboxLimits:
    return SandboxLimits(
        deadline_s=config.sql_deadline_s,
        memory_bytes=config.sql_memory_bytes,
        threads=config.sql_threads,
        json_rows=config.sql_rows,
        json_bytes=config.sql_json_bytes,
        parallel=config.sql_parallel,
        waiting=config.sql_waiting,
    )
