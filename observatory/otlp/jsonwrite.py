"""OTLP messages as OTLP/JSON: protobuf's JSON, but ids are hex and enums are numbers."""

from __future__ import annotations

import base64
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def encode(message: Message) -> bytes:
    """The bytes an OTLP/JSON exporter would send."""
    return orjson.dumps(_hex_ids(MessageToDict(message, use_integers_for_enums=True)))


def _hex_ids(value: Any) -> Any:
    # attributes cannot be mistaken for ids: their keys are values of "key"
    if isinstance(value, dict):
        return {
            key: base64.b64decode(item).hex() if key in _IDS and isinstance(item, str) else _hex_ids(item) for key, item in value.items()
        }
    return [_hex_ids(item) for item in value] if isinstance(value, list) else value
