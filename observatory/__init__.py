"""LLM Observatory. In an application: `import observatory; observatory.init()`, and every call of a model is traced."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from observatory.sdk.context import carried, carrier, metadata, session, tags, user
    from observatory.sdk.feedback import feedback
    from observatory.sdk.observe import observe, span
    from observatory.sdk.start import flush, get_trace_url, init, shutdown

_ROOMS = {
    "init": "start",
    "flush": "start",
    "shutdown": "start",
    "get_trace_url": "start",
    "observe": "observe",
    "span": "observe",
    "session": "context",
    "user": "context",
    "tags": "context",
    "metadata": "context",
    "carrier": "context",
    "carried": "context",
    "feedback": "feedback",
}
__all__ = [
    "carried",
    "carrier",
    "feedback",
    "flush",
    "get_trace_url",
    "init",
    "metadata",
    "observe",
    "session",
    "shutdown",
    "span",
    "tags",
    "user",
]


def __getattr__(name: str) -> Any:
    """The SDK, when it is first asked for: the server imports this package, too, and needs none of it."""
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"module 'observatory' has no attribute {name!r}")
    value = getattr(import_module(f"observatory.sdk.{room}"), name)
    globals()[name] = value
    return value
