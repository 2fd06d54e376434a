"""Images, audio, files: small ones inline, large ones by reference, those elsewhere by their address."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

from observatory.semconv.messages.span import At

INLINE_BYTES = 64 * 1024  # a page that shows a conversation should not load photographs before it is asked to
_DATA_URL = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*://|/|\./")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+={0,2}\s*")
_MIME = ("mime_type", "media_type", "mimeType", "mediaType", "contentType", "content_type")
_ADDRESSES = ("url", "uri", "file_uri", "fileUri", "image_url", "file_url")
_CONTENTS = ("data", "bytes", "base64", "content", "file_data", "fileData", "image", "source", "inline_data", "inlineData")
_VECTORS = re.compile(r"embedding|vector", re.IGNORECASE)
_SEVERAL = 16  # numbers in a row, some with a fraction, that nobody reads


def media(source: Any, at: At, modality: str = "", mime_type: str = "") -> dict[str, Any] | None:
    """A blob, uri or file part of what names the data: an address, a data URL, base64, or an object around one of them. None for none."""
    if isinstance(source, dict):
        return _of_object(source, at, modality, mime_type)
    if not isinstance(source, str) or not source:
        return None
    if told := _DATA_URL.match(source[:512]):
        content = source[told.end() :]
        if ";base64" in told[2].lower():
            return blob(content, at, modality, told[1] or mime_type)
        return blob(base64.b64encode(content.encode()).decode(), at, modality, told[1] or "text/plain")
    if _ADDRESS.match(source) and len(source) < 8192:
        return _part("uri", modality, mime_type) | {"uri": source}
    return blob(source, at, modality, mime_type)


def blob(content: str, at: At, modality: str = "", mime_type: str = "") -> dict[str, Any]:
    """A blob part; above `INLINE_BYTES` it has `size_bytes`, `sha256` and a `ref` instead of its content."""
    part = _part("blob", modality, mime_type)
    if len(content.rstrip("=")) * 3 // 4 <= INLINE_BYTES:
        return part | {"content": content}
    data = decoded(content)
    digest = hashlib.sha256(data).hexdigest()
    return part | {"size_bytes": len(data), "sha256": digest, "ref": f"{at.where}@{digest}"}


def decoded(content: str) -> bytes:
    """The bytes of base64 text, of either alphabet, with or without padding and line breaks; text that is no base64 is itself."""
    if told := _DATA_URL.match(content[:512]):
        content = content[told.end() :]
    bare = "".join(content.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return content.encode("utf-8", "replace")


def shown(value: Any, at: At, key: str = "") -> Any:
    """A value of unknown meaning as it is shown: long base64 is a blob by reference, vectors are only counted."""
    if isinstance(value, str):
        if len(value) * 3 // 4 > INLINE_BYTES and (_DATA_URL.match(value[:512]) or _BASE64.fullmatch(value)):
            return media(value, at)
        return value
    if isinstance(value, dict):
        return {name: shown(item, at, name) for name, item in value.items()}
    if isinstance(value, list):
        return f"[{len(value)} numbers]" if _is_vector(value, key) else [shown(item, at, key) for item in value]
    return value


def _is_vector(value: list[Any], key: str) -> bool:
    named = len(value) > 1 and _VECTORS.search(key)
    if not named and len(value) < _SEVERAL:
        return False
    return all(type(item) in (int, float) for item in value) and (bool(named) or float in map(type, value))


def _of_object(source: dict[str, Any], at: At, modality: str, mime_type: str) -> dict[str, Any] | None:
    mime_type = next((source[key] for key in _MIME if isinstance(source.get(key), str)), mime_type)
    if isinstance(source.get("modality"), str):
        modality = source["modality"]
    if not mime_type and modality and isinstance(source.get("format"), str):
        mime_type = f"{modality}/{source['format']}"
    for key in ("file_id", "fileId"):
        if isinstance(source.get(key), str):
            return _part("file", modality, mime_type) | {"file_id": source[key]}
    for key in (*_ADDRESSES, *_CONTENTS):
        if found := media(source.get(key), at, modality, mime_type):
            return found
    return None


def _part(kind: str, modality: str, mime_type: str) -> dict[str, Any]:
    major = mime_type.partition("/")[0]
    part = {"type": kind, "modality": modality or (major if major in ("image", "audio", "video") else "document")}
    return part | {"mime_type": mime_type} if mime_type else part
