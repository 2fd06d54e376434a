"""Cursors: where a page ended, as an opaque word. Keyset, so rows that arrive later never shift the pages behind it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import orjson

from observatory.errors import BadRequest

Key = tuple[str | int, ...]


def encode_cursor(order: str, key: Sequence[str | int]) -> str:
    """A word for the row with this sort key in this order."""
    return base64.urlsafe_b64encode(orjson.dumps([order, *key])).decode().rstrip("=")


def decode_cursor(word: str, order: str, shape: Sequence[type]) -> Key:
    """The key `encode_cursor` was given. Raises BadRequest for a word of another order, or one we never gave."""
    try:
        said, *key = orjson.loads(base64.urlsafe_b64decode((word + "=" * (-len(word) % 4)).encode("ascii")))
    except (ValueError, binascii.Error, TypeError):
        raise BadRequest("cursor: not a cursor of this server; pass `next_cursor` of the previous page unchanged") from None
    if said != order:
        raise BadRequest(f"cursor: belongs to the order {str(said)[:40]!r}, not {order!r}; start again without a cursor")
    if [type(part) for part in key] != list(shape) or any(isinstance(part, int) and not -(2**63) <= part < 2**63 for part in key):
        raise BadRequest("cursor: not a cursor of this server; pass `next_cursor` of the previous page unchanged")
    return tuple(key)
