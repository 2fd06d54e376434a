"""Content blocks to parts. Every provider and framework has its own blocks; they are told apart by `type`, else by their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from observatory.semconv.messages import json_text, langchain
from observatory.semconv.messages.media import media, shown
from observatory.semconv.messages.span import At

Part = dict[str, Any]
Block = dict[str, Any]


def parts(content: Any, at: At) -> list[Part]:
    """The parts of a message's content: text, blocks, or a list of either. Empty text is no part."""
    match content:
        case None:
            return []
        case str():
            return [text(content)] if content else []
        case list():
            return [part for item in content for part in parts(item, at)]
        case dict():
            return _of_block(content, at)
        case _:
            return [value_part(content, at)]


def text(content: str) -> Part:
    """A text part."""
    return {"type": "text", "content": content}


def value_part(value: Any, at: At) -> Part:
    """An application's own value: a generic part of type `json`."""
    return {"type": "json", "content": shown(value, at)}


def tool_call(call: Block, at: At) -> Part:
    """A tool call of any shape: OpenAI's `function`, Anthropic's `input`, LangChain's and Gemini's `args`, Vercel's `toolName`."""
    function = call.get("function")
    inner: Block = {**call, **function} if isinstance(function, dict) else call
    said = _first(inner, "arguments", "input", "args", "parameters")
    return _filled(
        type="tool_call",
        id=_first(call, "call_id", "toolCallId", "toolUseId", "tool_call_id", "id"),
        name=_first(inner, "name", "toolName", "tool_name"),
        arguments=arguments(said, at),
    )


def arguments(said: Any, at: At) -> Any:
    """An object where it is JSON; other text is kept and flagged `malformed_json` or, when it was cut, mended and flagged `truncated`."""
    if said is None or (isinstance(said, str) and not said.strip()):
        return {}
    value = json_text.expected(said, at)
    if isinstance(value, str) and value is not said and value.lstrip().startswith("{"):
        value = json_text.perhaps(value, at)  # JSON in JSON
    return shown(value, at)


def tool_response(id: Any, response: Any, at: At, name: Any = None) -> Part:
    """A tool's answer. Blocks become parts; a single text is the text itself."""
    return _filled(type="tool_call_response", id=id, name=name, response=response_value(response, at))


def response_value(response: Any, at: At) -> Any:
    """What a tool answered: text, parts when it answered in blocks, else the value."""
    if isinstance(response, list) and response and all(isinstance(item, dict) and ("type" in item or "text" in item) for item in response):
        found = parts(response, at)
        return found[0]["content"] if len(found) == 1 and found[0]["type"] == "text" else found
    return shown(response, at)


def _text(block: Block, at: At) -> list[Part]:
    return parts(_first(block, "content", "text"), at)  # OpenLIT nests blocks in a text part


def _reasoning(block: Block, at: At) -> list[Part]:
    said = _first(block, "thinking", "reasoning", "reasoningText", "text", "content", "summary")
    if isinstance(said, dict):  # Bedrock: {"reasoningText": {"text": …, "signature": …}}
        block, said = {**block, **said}, said.get("text")
    if isinstance(said, list):  # OpenAI Responses: a summary of texts
        said = "\n".join(item["text"] for item in said if isinstance(item, dict) and isinstance(item.get("text"), str))
    return [_filled(type="reasoning", content=said, signature=block.get("signature"))] if isinstance(said, str) and said else []


def _redacted(block: Block, at: At) -> list[Part]:
    return [{"type": "redacted_reasoning", "size": len(str(_first(block, "data", "content") or ""))}]


def _tool_call(block: Block, at: At) -> list[Part]:
    return [tool_call(block, at)]


def _tool_response(block: Block, at: At) -> list[Part]:
    id = _first(block, "tool_use_id", "toolUseId", "toolCallId", "tool_call_id", "call_id", "id")
    response = _first(block, "response", "result", "output", "content")
    if isinstance(response, dict) and set(response) == {"type", "value"}:  # Vercel: {"type": "json", "value": …}
        response = response["value"]
    return [tool_response(id, response, at, _first(block, "name", "toolName"))]


def _server_tool_call(block: Block, at: At) -> list[Part]:
    inner = block.get("server_tool_call")
    if not isinstance(inner, dict):
        inner = {key: value for key, value in block.items() if key not in ("id", "name", "type", "status", "result", "output", "caller")}
        inner = {"type": block.get("name") or str(block["type"]).removesuffix("_call"), **inner}
    name = block.get("name") or inner.get("type")
    call = _filled(type="server_tool_call", id=block.get("id"), name=name, server_tool_call=shown(inner, at))
    if (answer := _first(block, "result", "output")) is None:
        return [call]
    answered = {"type": inner.get("type"), "result": shown(answer, at)}
    return [call, _filled(type="server_tool_call_response", id=block.get("id"), server_tool_call_response=answered)]


def _server_tool_response(block: Block, at: At) -> list[Part]:
    inner = block.get("server_tool_call_response")
    if not isinstance(inner, dict):
        inner = {"type": str(block["type"]).removesuffix("_tool_result"), "content": block.get("content")}
    id = _first(block, "id", "tool_use_id")
    return [_filled(type="server_tool_call_response", id=id, server_tool_call_response=shown(inner, at))]


def _refusal(block: Block, at: At) -> list[Part]:
    return [{"type": "refusal", "content": shown(_first(block, "refusal", "content", "text"), at)}]


def _media(modality: str) -> Callable[[Block, At], list[Part]]:
    keys = ("image_url", "input_audio", "source", "image", "audio", "video", "file", "document")

    def read(block: Block, at: At) -> list[Part]:
        inner = _first(block, *keys)
        found = media({**block, **inner}, at, modality) if isinstance(inner, dict) else media(inner or block, at, modality)
        if found is None:
            return _generic(block, at)
        if mime := _first(block, "mime_type", "mimeType", "mediaType"):
            found.setdefault("mime_type", str(mime))
        if isinstance(block.get("filename"), str):
            found["filename"] = block["filename"]
        return [found]

    return read


def _generic(block: Block, at: At) -> list[Part]:
    if document := langchain.document(block):
        return [value_part(document, at)]
    if isinstance(block.get("type"), str):
        return [shown(block, at)]
    return [value_part(block, at)]


def _of_block(block: Block, at: At) -> list[Part]:
    kind = block.get("type") or block.get("kind")
    if isinstance(kind, str):
        if read := _BY_TYPE.get(kind):
            return read(block, at)
        if kind.endswith("_tool_result"):
            return _server_tool_response(block, at)
        if kind.endswith("_call") and "status" in block:  # OpenAI Responses: web_search_call, code_interpreter_call, …
            return _server_tool_call(block, at)
    for key, read in _BY_KEY:
        inner = block.get(key)
        if isinstance(inner, dict):
            return read({**inner, "type": key}, at)
        if inner and isinstance(inner, str) and key == "text":
            return _reasoning(block, at) if block.get("thought") is True else [text(inner)]
    return _generic(block, at)


def _first(block: Block, *keys: str) -> Any:
    return next((block[key] for key in keys if block.get(key) is not None), None)


def _filled(**fields: Any) -> Part:
    return {key: value for key, value in fields.items() if value is not None}


_BY_TYPE: dict[str, Callable[[Block, At], list[Part]]] = {
    **dict.fromkeys(("text", "input_text", "output_text", "summary_text"), _text),
    **dict.fromkeys(("reasoning", "thinking"), _reasoning),
    "redacted_thinking": _redacted,
    **dict.fromkeys(("tool_call", "tool_use", "tool-call", "function", "function_call", "custom_tool_call"), _tool_call),
    **dict.fromkeys(
        ("tool_call_response", "tool_result", "tool-result", "function_call_output", "function_response", "custom_tool_call_output"),
        _tool_response,
    ),
    **dict.fromkeys(("server_tool_call", "server_tool_use"), _server_tool_call),
    "server_tool_call_response": _server_tool_response,
    "refusal": _refusal,
    **dict.fromkeys(("image", "image_url", "input_image", "image-url"), _media("image")),
    **dict.fromkeys(("audio", "input_audio", "audio-url", "output_audio"), _media("audio")),
    **dict.fromkeys(("video", "video_url", "input_video", "video-url"), _media("video")),
    **dict.fromkeys(("blob", "uri", "file", "input_file", "document", "binary", "media", "document-url"), _media("")),
}
# blocks without a type: Bedrock's and Gemini's; `text` last, for they may carry one besides
_BY_KEY: tuple[tuple[str, Callable[[Block, At], list[Part]]], ...] = (
    *((key, _tool_call) for key in ("toolUse", "functionCall", "function_call")),
    *((key, _tool_response) for key in ("toolResult", "functionResponse", "function_response")),
    ("reasoningContent", _reasoning),
    *((key, _media("")) for key in ("inlineData", "inline_data", "fileData", "file_data", "document")),
    ("image", _media("image")),
    ("audio", _media("audio")),
    ("video", _media("video")),
    ("text", _text),
)
