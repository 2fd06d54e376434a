"""Spans as they become durable, over server-sent events: what the ingest loop hands on, filtered for each listener in a thread of its own.

Listening costs the ingest loop one append for each listener and batch. A listener that falls behind is not waited for: it is told how many
spans it did not see.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from aiohttp import web

from observatory.api.parameters import Parameters
from observatory.errors import Retryable
from observatory.model.clock import Clock
from observatory.model.schema import schema
from observatory.model.signal import Signal
from observatory.query.filter import Expr, parse, to_mask
from observatory.query.filtering.grammar import MAX_LENGTH
from observatory.query.spans import span_item

MOST_LISTENERS = 32
MOST_BATCHES = 16  # that wait for a listener
MOST_ROWS = 50  # told at once; more cannot be read
EVERY_S = 0.25
BEAT_S = 10.0  # a comment, so that whoever left is noticed
_NOTHING = pa.RecordBatch.from_pylist([], schema(Signal.SPANS))
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_STATUS = {1: "ok", 2: "error"}
_COLUMNS = (
    "trace_id", "span_id", "parent_span_id", "name", "kind", "status_code", "status_message", "start_ns", "duration_ns", "service_name",
    "environment", "observation_kind", "operation", "provider", "request_model", "response_model", "input_tokens", "output_tokens",
    "cache_read_tokens", "time_to_first_token_s", "error_type", "tool_name", "agent_name", "session_id", "user_id",
)  # fmt: skip


class Listener:
    """One page that listens. `add` is called by the ingest loop, `take` by a thread of the listener's own."""

    def __init__(self, filter: Expr, rows: bool) -> None:
        self._filter, self._rows = filter, rows
        self._lock = threading.Lock()
        self._waiting: deque[pa.RecordBatch] = deque()
        self._skipped = 0

    def add(self, rows: pa.RecordBatch) -> None:
        """Hand on a batch, or forget the oldest."""
        with self._lock:
            if len(self._waiting) == MOST_BATCHES:
                self._skipped += self._waiting.popleft().num_rows
            self._waiting.append(rows)

    def take(self, now: int) -> dict[str, Any] | None:
        """What came since: how many spans, how many of them pass, and the latest of these; None when nothing came."""
        with self._lock:
            batches, skipped = list(self._waiting), self._skipped
            self._waiting.clear()
            self._skipped = 0
        if not batches and not skipped:
            return None
        items: deque[dict[str, Any]] = deque(maxlen=MOST_ROWS)
        matched = 0
        for batch in batches:
            passing = np.flatnonzero(np.asarray(to_mask(self._filter, batch, "spans", now)))
            matched += len(passing)
            if self._rows:
                chosen = batch.select(_COLUMNS).take(pa.array(passing[-MOST_ROWS:]))
                items.extend(span_item(_said(row)) for row in chosen.to_pylist())
        return {"spans": sum(batch.num_rows for batch in batches) + skipped, "matched": matched, "skipped": skipped, "items": list(items)}


class Tail:
    """Handler of `/api/v1/tail`; `hear` is told of spans as they become durable."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: tuple[Listener, ...] = ()
        self._closing = asyncio.Event()

    def hear(self, signal: Signal, rows: pa.RecordBatch) -> None:
        """Called in the ingest loop's thread, with whatever signal."""
        if signal is Signal.SPANS:
            for listener in self._listeners:
                listener.add(rows)

    def add_routes(self, app: web.Application) -> None:
        """Mount it."""
        app.router.add_get("/api/v1/tail", self.tail)

    def close(self) -> None:
        """End all streams, so that the server need not wait for them."""
        self._closing.set()

    async def tail(self, request: web.Request) -> web.StreamResponse:
        """An event at most every 250 ms, as long as the client stays."""
        asked = Parameters(request, ("filter", "rows"))
        listener = Listener(parse(asked.text("filter", MAX_LENGTH) or ""), asked.choice("rows", ("true", "false")) != "false")
        listener.add(_NOTHING)
        await asyncio.to_thread(
            listener.take, self._clock.now()
        )  # a filter that cannot be asked of spans is refused before anything is sent
        if len(self._listeners) >= MOST_LISTENERS:
            raise Retryable(f"{MOST_LISTENERS} pages listen already; try again when one is closed", after=10.0)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        self._listeners = (*self._listeners, listener)
        try:
            await response.prepare(request)
            await response.write(b": listening\n\n")
            await self._tell(listener, response)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the server stops
        finally:
            self._listeners = tuple(one for one in self._listeners if one is not listener)
        return response

    async def _tell(self, listener: Listener, response: web.StreamResponse) -> None:
        silent = 0.0
        while not self._closing.is_set():
            said = await asyncio.to_thread(listener.take, self._clock.now())
            silent = 0.0 if said else silent + EVERY_S
            if said:
                await response.write(b"event: spans\ndata: " + orjson.dumps(said) + b"\n\n")
            elif silent >= BEAT_S:
                silent = 0.0
                await response.write(b": still here\n\n")
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._closing.wait()
            except TimeoutError:
                continue


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored row as the view `spans` says it."""
    kind = row["kind"]
    return {
        **row,
        **{name: row[name].hex() if row[name] is not None else None for name in ("trace_id", "span_id", "parent_span_id")},
        "kind": _KINDS[kind] if 0 <= kind < len(_KINDS) else str(kind),
        "status": _STATUS.get(row["status_code"], "unset"),
        "model": row["response_model"] if row["response_model"] is not None else row["request_model"],
        "observation_kind": row["observation_kind"] or "other",
    }
