"""Tables of calls as pricing takes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from observatory.semconv.calls import CANDIDATES
from observatory.semconv.pricing.config import PricesConfig


def nanoseconds(at: str) -> int:
    """Of a time of UTC, `2026-11-20 12:00`."""
    return int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) * 10**9


def calls(*rows: dict[str, Any]) -> pa.Table:
    """Each row with what it has of the columns of calls."""
    usual = {"has_usage": True, "is_error": False, "start_ns": nanoseconds("2026-11-20 12:00"), "duration_ns": 10**9}
    return pa.Table.from_pylist([{**usual, **row} for row in rows], schema=CANDIDATES)


def overriding(*overrides: dict[str, Any]) -> PricesConfig:
    """A configuration with such overrides."""
    return PricesConfig.model_validate({"override": overrides})
