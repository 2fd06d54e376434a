"""Messages, requests, responses and tool definitions of every provider and framework to the GenAI convention's.

OpenAI Chat and Responses, Anthropic, Gemini, Bedrock, Vercel, LangChain and the convention's own shape are told apart by their keys, so
that each reader of this room only says where a value lies, not whose it is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from observatory.semconv.messages import json_text, langchain
from observatory.semconv.messages.parts import Part, parts, text, tool_call, tool_response, value_part
from observatory.semconv.messages.span import At

Message = dict[str, Any]
_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool"}
_ITEMS = {"function_call", "custom_tool_call", "reasoning", "compaction"}  # of OpenAI Responses, said by the model
_ANSWERS = {"function_call_output", "custom_tool_call_output"}
_SAID = {"content", "parts", "tool_calls", "toolCalls", "function_call", "audio", "refusal", "reasoning_content", "tool_call_id"}
_ASIDE = {"tools", "tool_choice", "model", "functions", "function_call", "n", "stream", "store", "text", "reasoning", "metadata"}


class Request(NamedTuple):
    """What was sent to a model."""

    system: list[Part]
    messages: list[Message]
    tools: list[dict[str, Any]]


def messages(value: Any, at: At, role: str = "user") -> list[Message]:
    """Messages of a text, a message, a list of either, or bare content blocks, which are one message of `role`."""
    if isinstance(value, list):
        found: list[Message] = []
        loose: list[tuple[str, Any]] = []  # blocks and items without a message around them
        for item in value:
            if isinstance(item, dict) and (inner := langchain.unwrapped(item)) and _is_message(inner):
                _gather(found, loose, at)
                found.append(message(inner, at, role))
            elif isinstance(item, str | list) or (isinstance(item, dict) and _held(langchain.unwrapped(item)) is not None):
                _gather(found, loose, at)
                found += messages(item, at, role)
            else:
                loose.append((_speaker(item, role), item))
        _gather(found, loose, at)
        return found
    if isinstance(value, dict):
        inner = langchain.unwrapped(value)
        if _is_message(inner):
            return [message(inner, at, role)]
        if (held := _held(inner)) is not None:
            return messages(held, at, role)
        return [{"role": _speaker(inner, role), "parts": parts(inner, at)}]
    return [] if value is None or value == "" else [{"role": role, "parts": parts(value, at)}]


def message(value: dict[str, Any], at: At, role: str = "user") -> Message:
    """One message of any shape; `role` when it names none."""
    said = value.get("role")
    if not isinstance(said, str) or said in ("", "unknown"):  # OpenLLMetry's streams of LangChain: unknown
        said = langchain.role(value) or role
    said = _ROLES.get(said, said)
    own = isinstance(value.get("parts"), list)
    found = parts(value["parts"] if own else value.get("content"), at)
    if said == "tool" and not any(part["type"] == "tool_call_response" for part in found):
        found = [] if own else [_answer(value, at)]
    found = [*_thoughts(value, at), *found]
    _add_calls(found, value, at)
    if isinstance(value.get("refusal"), str) and value["refusal"]:
        found.append({"type": "refusal", "content": value["refusal"]})
    if isinstance(value.get("audio"), dict):
        found += [*parts({"type": "audio", "audio": value["audio"]}, at), *parts(value["audio"].get("transcript"), at)]
    whole: Message = {"role": said, "parts": found}
    for key in ("name", "finish_reason"):
        if isinstance(value.get(key), str) and value[key]:
            whole[key] = value[key]
    return whole


def request(value: Any, at: At) -> Request:
    """What a request's JSON says, or the JSON itself as a part of type `json` when it is not a request to a model."""
    if isinstance(value, list | str) or value is None:
        return Request([], messages(value, at), [])
    if not isinstance(value, dict):
        return Request([], [{"role": "user", "parts": [value_part(value, at)]}], [])
    inner = langchain.unwrapped(value)
    if _is_message(inner):
        return Request([], messages(inner, at), [])
    said: Any = None
    for key in ("messages", "contents", "input", "prompt", "inputs"):
        if inner.get(key) is not None and (key not in ("input", "inputs") or len(inner) == 1 or inner.keys() & _ASIDE):
            said = inner[key]
            break
    if said is None:
        return Request([], [{"role": "user", "parts": [value_part(inner, at)]}] if inner else [], [])
    system: list[Part] = []
    config = _object(inner, "config")  # Gemini
    for key in ("system", "instructions", "system_instruction", "systemInstruction"):
        system = system or instructions(inner.get(key) or config.get(key), at)
    tools = tool_definitions(next((inner[key] for key in ("tools", "functions", "toolConfig") if inner.get(key)), config.get("tools")), at)
    return Request(system, messages(said, at), tools)


def response(value: Any, at: At) -> list[Message]:
    """The messages a response's JSON holds, one for each choice, or the JSON itself as a part of type `json`."""
    if not isinstance(value, dict):
        if isinstance(value, list | str) or value is None:
            return messages(value, at, "assistant")
        return [{"role": "assistant", "parts": [value_part(value, at)]}]
    inner = langchain.unwrapped(value)
    for key, read in (("choices", _choices), ("candidates", _candidates), ("generations", _generations)):
        if isinstance(inner.get(key), list):
            return read(inner[key], at)
    if _is_message(inner):
        return _finished([message(inner, at, "assistant")], inner.get("stop_reason"))
    output = inner.get("output")
    if isinstance(output, dict) and isinstance(output.get("message"), dict):  # Bedrock Converse
        return _finished([message(output["message"], at, "assistant")], inner.get("stopReason"))
    if isinstance(output, list) and ("object" in inner or "model" in inner):
        return _joined(messages(output, at, "assistant"), inner.get("status"))
    if (held := _held(inner)) is not None:
        return messages(held, at, "assistant")
    for key in ("output", "outputs", "result", "text", "completion"):
        if inner.get(key) and len(inner) == 1:
            return messages(inner[key], at, "assistant")
    return [{"role": "assistant", "parts": [value_part(inner, at)]}] if inner else []


def instructions(value: Any, at: At) -> list[Part]:
    """The parts of system instructions: text, parts, or messages whose parts they are."""
    if isinstance(value, list):
        return [part for item in value for part in instructions(item, at)]
    if isinstance(value, dict) and _is_message(value):
        return message(value, at, "system")["parts"]
    return parts(value, at)


def tool_definitions(value: Any, at: At) -> list[dict[str, Any]]:
    """`{type, name, description, parameters}` of each tool, whatever its provider calls them."""
    if isinstance(value, dict):
        for key in ("function_declarations", "functionDeclarations", "tools"):
            if isinstance(value.get(key), list):
                return tool_definitions(value[key], at)
        return [_definition(value)]
    if isinstance(value, list):
        return [tool for item in value for tool in tool_definitions(item, at)]
    if not isinstance(value, str) or not value:
        return []
    read = json_text.perhaps(value, at)
    return [{"type": "function", "name": read}] if isinstance(read, str) else tool_definitions(read, at)


def _definition(tool: dict[str, Any]) -> dict[str, Any]:
    outer = tool
    for key in ("function", "toolSpec", "json_schema"):
        if isinstance(tool.get(key), dict):
            tool = tool[key]
    keys = ("parameters", "input_schema", "inputSchema", "parameters_json_schema", "parametersJsonSchema", "args_schema")
    schema = next((tool[key] for key in keys if isinstance(tool.get(key), dict)), None)
    if schema is not None and schema.keys() == {"json"}:  # Bedrock
        schema = schema["json"]
    kind = outer.get("type") if isinstance(outer.get("type"), str) else "function"
    found = {"type": kind, "name": tool.get("name"), "description": tool.get("description"), "parameters": schema}
    return {key: item for key, item in found.items() if item is not None}


def _is_message(value: dict[str, Any]) -> bool:
    if isinstance(value.get("role"), str) and value.keys() & _SAID:
        return True
    return langchain.role(value) is not None or isinstance(value.get("parts"), list)


def _object(value: dict[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _held(value: dict[str, Any]) -> list[Any] | None:
    """The messages of a state that has some, or of LangGraph's command to update one."""
    inner = _object(value, "update") or value
    return inner["messages"] if isinstance(inner.get("messages"), list) else None


def _speaker(item: Any, role: str) -> str:
    """Who says a block that stands alone."""
    kind = item.get("type") if isinstance(item, dict) else None
    if not isinstance(kind, str):
        return role
    if kind in _ANSWERS:
        return "tool"
    return "assistant" if kind in _ITEMS or (kind.endswith("_call") and "status" in item) else role


def _gather(found: list[Message], loose: list[tuple[str, Any]], at: At) -> None:
    """Loose blocks of one speaker in a row become one message."""
    speaker = ""
    for said, item in loose:
        made = parts(item, at)
        if said == speaker:
            found[-1]["parts"] += made
        elif made:
            found.append({"role": said, "parts": made})
            speaker = said
    loose.clear()


def _answer(value: dict[str, Any], at: At) -> Part:
    id = value.get("tool_call_id") or value.get("id")
    return tool_response(id, value.get("content"), at, value.get("name"))


def _thoughts(value: dict[str, Any], at: At) -> list[Part]:
    """Reasoning beside the content: DeepSeek, vLLM, OpenRouter, LangChain."""
    for place in (value, _object(value, "additional_kwargs")):
        for key in ("reasoning_content", "reasoning"):
            if isinstance(place.get(key), str) and place[key]:
                return [{"type": "reasoning", "content": place[key]}]
    return []


def _add_calls(found: list[Part], value: dict[str, Any], at: At) -> None:
    """Tool calls beside the content, but for those that the content has as well."""
    calls: list[Any] = []
    for key in ("tool_calls", "invalid_tool_calls", "toolCalls"):
        said = value.get(key)
        calls += said if isinstance(said, list) else []
    if isinstance(value.get("function_call"), dict):
        calls.append(value["function_call"])
    known = [part for part in found if part["type"] == "tool_call"]
    for call in calls:
        if isinstance(call, dict):
            made = tool_call(call, at)
            if not any(_same(made, each) for each in known):
                found.append(made)


def _same(one: Part, other: Part) -> bool:
    if "id" in one and "id" in other:
        return one["id"] == other["id"]
    return one.get("name") == other.get("name") and one["arguments"] == other["arguments"]


def _finished(found: list[Message], reason: Any) -> list[Message]:
    for each in found:
        if isinstance(reason, str) and reason:
            each.setdefault("finish_reason", reason)
    return found


def _joined(found: list[Message], status: Any) -> list[Message]:
    """OpenAI Responses: items of one answer, not choices."""
    if not found:
        return []
    return _finished([{"role": found[0]["role"], "parts": [part for each in found for part in each["parts"]]}], status)


def _choices(choices: list[Any], at: At) -> list[Message]:
    found: list[Message] = []
    for choice in choices:
        if not isinstance(choice, dict):
            continue
        inner = next((choice[key] for key in ("message", "delta", "text") if choice.get(key) is not None), None)
        found += _finished(messages(inner, at, "assistant") or [{"role": "assistant", "parts": []}], choice.get("finish_reason"))
    return found


def _candidates(candidates: list[Any], at: At) -> list[Message]:
    found: list[Message] = []
    for each in candidates:
        if isinstance(each, dict):
            reason = each.get("finish_reason") or each.get("finishReason")
            found += _finished(messages(each.get("content"), at, "assistant"), reason)
    return found


def _generations(generations: list[Any], at: At) -> list[Message]:
    """LangChain: a list for each prompt of a list of candidates."""
    found: list[Message] = []
    for each in [item for row in generations for item in (row if isinstance(row, list) else [row])]:
        if not isinstance(each, dict):
            continue
        made = messages(each.get("message"), at, "assistant") or [{"role": "assistant", "parts": parts(each.get("text"), at)}]
        found += _finished(made, _object(each, "generation_info").get("finish_reason"))
    return found


__all__ = ["Message", "Request", "instructions", "message", "messages", "request", "response", "text", "tool_definitions"]
