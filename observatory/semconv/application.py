"""Which application a span is of, by its resource."""

from __future__ import annotations

import orjson

KEYS = ("observatory.project", "service.namespace", "service.name")
UNKNOWN = "unknown_service"
"""What OpenTelemetry's SDKs write where nobody named the service."""


def application(resource: str) -> str:
    """Of a `resource` column's JSON text: the first of KEYS that is a text, else UNKNOWN."""
    try:
        said = orjson.loads(resource)
    except orjson.JSONDecodeError:
        return UNKNOWN
    if not isinstance(said, dict):
        return UNKNOWN
    return next((value for key in KEYS if isinstance(value := said.get(key), str) and value), UNKNOWN)
