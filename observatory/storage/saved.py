"""What people save on the page (queries, views, …): small JSON documents by kind and name, in the manifest, so that a backup holds them."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

from observatory.errors import BadRequest
from observatory.model.clock import Nanos
from observatory.storage.manifest import Manifest

MOST = 1000  # of all kinds: they are held in memory, and a list of more names is no list for a person
MOST_BYTES = 64 * 1024  # of one document as JSON
_PREFIX = "saved/"


@dataclass(frozen=True, slots=True)
class Document:
    """One of them."""

    kind: str
    name: str
    body: Any
    updated_ns: Nanos


class Saved:
    """All of them. Its methods may be called from any thread; what `put` and `delete` did is durable when they return."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._counting = threading.Lock()

    def list(self, kind: str) -> list[Document]:
        """Those of a kind, by name."""
        found = self._manifest.settings(f"{_PREFIX}{kind}/")
        return [_document(kind, name, text) for name, text in sorted(found.items())]

    def get(self, kind: str, name: str) -> Document | None:
        """One of them, None when there is none of that name."""
        text = self._manifest.get(_key(kind, name))
        return None if text is None else _document(kind, name, text)

    def put(self, kind: str, name: str, body: Any, now: Nanos) -> Document:
        """Keep a document, in place of the one of that name. Raises BadRequest when it is one too many, OSError when the disk is full."""
        with self._counting:
            if self._manifest.get(_key(kind, name)) is None and len(self._manifest.settings(_PREFIX)) >= MOST:
                raise BadRequest(f"{MOST} documents are saved already; delete one first")
            self._manifest.set(_key(kind, name), json.dumps({"updated_ns": now, "body": body}))
        return Document(kind, name, body, now)

    def delete(self, kind: str, name: str) -> bool:
        """Forget a document; whether there was one. Raises OSError when the disk is full."""
        return self._manifest.unset(_key(kind, name))


def _key(kind: str, name: str) -> str:
    return f"{_PREFIX}{kind}/{name}"  # a kind has no slash, so the first one after it parts them whatever the name holds


def _document(kind: str, name: str, text: str) -> Document:
    held = json.loads(text)
    return Document(kind, name, held["body"], held["updated_ns"])
