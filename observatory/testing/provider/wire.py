"""How answers go over the wire: a body, or a stream of chunks with its timing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of a stream; `content` marks the chunks that carry content, which the script counts and spaces."""

    data: bytes
    content: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: JSON, or chunks when it streams."""

    body: Any = None
    chunks: Iterable[Chunk] | None = None
    content_type: str = "application/json"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def event(data: Any, name: str | None = None, *, content: bool = False) -> Chunk:
    """One server-sent event; text goes out as it is."""
    text = data if isinstance(data, str) else json.dumps(data)
    head = f"event: {name}\n" if name else ""
    return Chunk(f"{head}data: {text}\n\n".encode(), content)


def line(data: Any, *, content: bool = False) -> Chunk:
    """One line of newline-delimited JSON."""
    return Chunk(json.dumps(data).encode() + b"\n", content)


def texts(node: Any) -> Iterator[str]:
    """Every text in a request, in order, whatever it is called there: prompts of all formats."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
