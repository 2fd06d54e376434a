"""LangChain's own serialisations, as tracers dump them: constructors (`lc`), `{"type": "ai", "data": …}`, and plain message dicts."""

from __future__ import annotations

from typing import Any

_ROLES = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "chat": "user",
    "developer": "developer",
}


def unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """The fields of the object that was dumped; other dicts as they are. A constructor without a `type` gets its class's name as one."""
    if value.get("lc") is not None and isinstance(value.get("kwargs"), dict):
        path = value.get("id")
        name = path[-1] if isinstance(path, list) and path and isinstance(path[-1], str) else ""
        return {"type": name, **value["kwargs"]}
    if isinstance(value.get("data"), dict) and role(value) is not None:
        return {"type": value["type"], **value["data"]}
    return value


def role(value: dict[str, Any]) -> str | None:
    """The role of a message by its `type` (`ai`, `AIMessage`, `AIMessageChunk`), None for what is no message."""
    kind = value.get("type")
    if not isinstance(kind, str) or not ({"content", "data"} & value.keys()):
        return None
    return _ROLES.get(kind.removesuffix("Chunk").removesuffix("Message").lower())


def called_with(value: Any) -> Any:
    """The arguments of a traced call: tracers wrap them in `inputs`, `input_str` or `args` and `kwargs`, beside their own metadata."""
    if not isinstance(value, dict):
        return value
    if "input_str" in value:
        return value["inputs"] if isinstance(value.get("inputs"), dict) else value["input_str"]
    for key in ("inputs", "outputs", "output"):
        if key in value and value.keys() <= {key, "tags", "metadata", "kwargs", "name"}:
            return value[key]
    if value.keys() == {"args", "kwargs"} and not value["args"]:
        return value["kwargs"]
    return value


def returned(value: Any) -> Any:
    """What a tool returned: the content of a dumped ToolMessage, else the value."""
    value = called_with(value)
    if isinstance(value, dict):
        inner = unwrapped(value)
        if role(inner) == "tool":
            return inner.get("content")
    return value


def document(value: Any) -> dict[str, Any] | None:
    """A dumped Document, None for anything else."""
    if isinstance(value, dict):
        inner = unwrapped(value)
        if "page_content" in inner:
            return inner
    return None
