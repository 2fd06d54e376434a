"""`GET /api/v1/sampling`: what is kept, by which policy, and what waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from observatory.api.parameters import Parameters
from observatory.api.reply import json_reply

PATH = "/api/v1/sampling"


class SamplingFigures:
    """The handler of PATH."""

    def __init__(self, figures: Callable[[], dict[str, Any]]) -> None:
        self._figures = figures

    def add_routes(self, app: web.Application) -> None:
        """Mount it."""
        app.router.add_get(PATH, self.get)

    async def get(self, request: web.Request) -> web.Response:
        """The figures of this moment."""
        Parameters(request, ())
        return json_reply(orjson.dumps(self._figures()))
