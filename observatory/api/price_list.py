"""What a model costs now, and by which source: what the page shows beside the figures of a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

import orjson
from aiohttp import web

from observatory.api.parameters import Parameters
from observatory.api.reply import json_reply
from observatory.query.llm_figures import usd_text

PATH = "/api/v1/prices"


class Listed(Protocol):
    """`semconv.pricing.catalogue.Listed`."""

    @property
    def provider(self) -> str:
        """Whose list it is in."""
        ...

    @property
    def model(self) -> str:
        """The model as that list names it."""
        ...

    @property
    def source(self) -> str:
        """Which price applies: what calls have in `price_source`."""
        ...

    @property
    def free(self) -> bool:
        """It costs nothing."""
        ...

    @property
    def prices(self) -> Any:
        """Dollars by unit."""
        ...

    @property
    def tiers(self) -> Any:
        """The same for calls of more input tokens than the number."""
        ...

    @property
    def service_tiers(self) -> Any:
        """Names under which other prices exist."""
        ...


class PriceList:
    """Handler of PATH. `listed` is given a model and a provider as applications name them."""

    def __init__(self, listed: Callable[[str, str | None], Any]) -> None:
        self._listed = listed
        self._alone = asyncio.Lock()  # a source of prices is asked by one thread at a time

    def add_routes(self, app: web.Application) -> None:
        """Mount it."""
        app.router.add_get(PATH, self.list)

    async def list(self, request: web.Request) -> web.Response:
        """The prices of one model, the one that applies first; none when it is not known."""
        asked = Parameters(request, ("model", "provider"))
        model, provider = asked.needed("model", 512), asked.text("provider", 512)
        async with self._alone:
            found = await asyncio.to_thread(self._listed, model, provider)
        return json_reply(orjson.dumps({"items": [_item(row) for row in found[:20]]}))


def _item(row: Listed) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "model": row.model,
        "source": row.source,
        "free": row.free,
        "usd_per_million": _dollars(row.prices),
        "above": [{"input_tokens": above, "usd_per_million": _dollars(prices)} for above, prices in row.tiers],
        "service_tiers": list(row.service_tiers),
    }


def _dollars(prices: dict[str, Decimal]) -> dict[str, str | None]:
    return {unit: usd_text(price) for unit, price in prices.items()}
