"""Views and queries that people keep: a name, and what the page needs to show it again. They live in the manifest, and in its backups."""

from __future__ import annotations

import json
import secrets
import threading
from typing import Any, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from observatory.api.parameters import Parameters
from observatory.api.reply import json_reply
from observatory.errors import BadRequest, NotFound
from observatory.model.clock import Clock
from observatory.query.times import rfc3339

KINDS = ("view", "query")
MOST = 500
MOST_BYTES = 16_384  # of one
_KEY = "saved"


class Settings(Protocol):
    """Where small settings are kept durably: the manifest."""

    def get(self, key: str) -> str | None:
        """As it was set."""
        ...

    def set(self, key: str, value: str) -> None:
        """Keep it."""
        ...


class SavedRequest(BaseModel):
    """What is kept. The same kind and name again replaces what was kept before."""

    model_config = ConfigDict(extra="forbid", strict=True)
    kind: str = Field(pattern="^(view|query)$", description="`view`: of the explorer; `query`: of SQL.")
    name: str = Field(min_length=1, max_length=100, pattern=r"\S")
    content: dict[str, Any] = Field(description="What the page needs, at most 16 kB as JSON.")


class Saved:
    """Handlers under `/api/v1/saved`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._lock = threading.Lock()

    def add_routes(self, app: web.Application) -> None:
        """Mount them."""
        app.router.add_get("/api/v1/saved", self.list)
        app.router.add_post("/api/v1/saved", self.save)
        app.router.add_delete("/api/v1/saved/{id}", self.delete)

    async def list(self, request: web.Request) -> web.Response:
        """Everything of a kind, by name."""
        kind = Parameters(request, ("kind",)).choice("kind", KINDS)
        items = [item for item in self._items() if kind is None or item["kind"] == kind]
        return _reply({"items": sorted(items, key=lambda item: (item["name"].lower(), item["id"]))})

    async def save(self, request: web.Request) -> web.Response:
        """Keep one."""
        Parameters(request, ())
        body = await request.content.read(2 * MOST_BYTES + 1)
        if len(body) > 2 * MOST_BYTES:
            raise BadRequest(f"body: longer than {2 * MOST_BYTES} bytes")
        try:
            asked = SavedRequest.model_validate(json.loads(body, parse_constant=_no_number))
        except ValidationError as error:
            first = error.errors()[0]
            raise BadRequest(f"{'.'.join(str(part) for part in first['loc']) or 'body'}: {first['msg']}") from None
        except ValueError as error:
            raise BadRequest(f"body: not JSON: {error}") from None
        if len(json.dumps(asked.content)) > MOST_BYTES:
            raise BadRequest(f"content: longer than {MOST_BYTES} bytes")
        with self._lock:
            items = self._items()
            same = next((item for item in items if (item["kind"], item["name"]) == (asked.kind, asked.name)), None)
            if same is None and len(items) >= MOST:
                raise BadRequest(f"name: {MOST} are kept already; delete one first")
            kept = {"id": same["id"] if same else secrets.token_hex(8), "saved_at": rfc3339(self._clock.now()), **asked.model_dump()}
            self._keep([item for item in items if item is not same] + [kept])
        return _reply(kept)

    async def delete(self, request: web.Request) -> web.Response:
        """Forget one."""
        Parameters(request, ())
        id = request.match_info["id"]
        with self._lock:
            items = self._items()
            rest = [item for item in items if item["id"] != id]
            if len(rest) == len(items):
                raise NotFound(f"nothing is kept as {id[:60]!r}")
            self._keep(rest)
        return _reply({"deleted": id})

    def _items(self) -> list[dict[str, Any]]:
        return json.loads(self._settings.get(_KEY) or "[]")

    def _keep(self, items: list[dict[str, Any]]) -> None:
        self._settings.set(_KEY, json.dumps(items))


def _reply(said: Any) -> web.Response:
    """As it was sent: integers of any size, and text that is half a character."""
    return json_reply(json.dumps(said).encode())


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")
