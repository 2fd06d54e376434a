"""A provider's answer as JSON, where an instrumentation keeps the whole of it: its id, why it ended, what it used."""

from __future__ import annotations

from typing import Any

from observatory.semconv.finish import reason
from observatory.semconv.tokens import Found, usage_of


def response_of(said: Any) -> Found:
    """Of OpenAI's chat completions and responses, Anthropic's messages, Gemini's candidates and LangChain's LLMResult.

    Any other object gives nothing, even when it has an `id`: an answer in JSON that a model wrote is not a response.
    """
    if not isinstance(said, dict):
        return {}
    if isinstance(said.get("generations"), list):
        return _langchain(said)
    if isinstance(said.get("choices"), list):
        finish = next(
            (choice.get("finish_reason") for choice in said["choices"] if isinstance(choice, dict) and choice.get("finish_reason")), None
        )
        return _found(said, said.get("id"), finish, said.get("usage"))
    if said.get("object") == "response" and isinstance(said.get("output"), list):
        # responses have a status, not a reason
        asked = any(isinstance(item, dict) and item.get("type") == "function_call" for item in said["output"])
        return _found(said, said.get("id"), said.get("status"), said.get("usage")) | ({"asked_tools": True} if asked else {})
    if said.get("type") == "message" and "stop_reason" in said:
        return _found(said, said.get("id"), said.get("stop_reason"), said.get("usage"))
    if isinstance(said.get("candidates"), list):
        first = next((each for each in said["candidates"] if isinstance(each, dict)), {})
        headers = _dict(_dict(said, "sdk_http_response"), "headers")
        streamed = {"streamed": True} if str(headers.get("content-type", "")).startswith("text/event-stream") else {}
        return streamed | _found(
            said,
            said.get("response_id") or said.get("responseId"),
            first.get("finish_reason") or first.get("finishReason"),
            said.get("usage_metadata") or said.get("usageMetadata"),
        )
    return {}


def finish_of_messages(said: Any) -> Found:
    """The first finish reason of `gen_ai.output.messages`; that tools were asked for, where none is given."""
    messages = [message for message in said if isinstance(message, dict)] if isinstance(said, list) else []
    for message in messages:
        if isinstance(message.get("finish_reason"), str) and (ended := reason(message["finish_reason"])):
            return {"finish_reason": ended}
    parts = [part for message in messages if isinstance(message.get("parts"), list) for part in message["parts"] if isinstance(part, dict)]
    return {"asked_tools": True} if any(part.get("type") == "tool_call" for part in parts) else {}


def finish_of_choices(said: Any) -> Found:
    """The same of message events in one attribute, as older pydantic-ai has them: `[{"event.name": "gen_ai.choice", "message": {…}}]`."""
    for event in said if isinstance(said, list) else ():
        if isinstance(event, dict) and event.get("event.name") == "gen_ai.choice":
            if isinstance(event.get("finish_reason"), str) and (ended := reason(event["finish_reason"])):
                return {"finish_reason": ended}
            return asks_tools(event.get("message"))
    return {}


def asks_tools(message: Any) -> Found:
    """Whether an answer in OpenAI's form asks for tools."""
    return (
        {"asked_tools": True} if isinstance(message, dict) and message.get("tool_calls") and isinstance(message["tool_calls"], list) else {}
    )


def _found(said: dict[str, Any], id_: Any, finish: Any, usage: Any) -> Found:
    found = usage_of(usage)
    model = said.get("model") or said.get("model_version") or said.get("modelVersion")
    tier = said.get("service_tier") or (usage.get("service_tier") if isinstance(usage, dict) else None)
    for name, value in (("response_id", id_), ("response_model", model), ("service_tier", tier)):
        if isinstance(value, str) and value:
            found[name] = value
    if isinstance(finish, str) and (ended := reason(finish)):
        found["finish_reason"] = ended
    return found


def _langchain(said: dict[str, Any]) -> Found:
    """`{"generations": [[{"generation_info": …, "message": {"kwargs": …}}]], "llm_output": …}`."""
    first = said["generations"][0] if said["generations"] else None
    first = first[0] if isinstance(first, list) and first else first
    first = first if isinstance(first, dict) else {}
    message = _dict(_dict(first, "message"), "kwargs") or _dict(first, "message")
    about, info, output = _dict(message, "response_metadata"), _dict(first, "generation_info"), _dict(said, "llm_output")
    found = usage_of(_dict(message, "usage_metadata") or _dict(output, "token_usage"))
    for name, values in (
        ("response_id", (about.get("id"), output.get("id"))),
        ("response_model", (about.get("model_name"), about.get("model"), info.get("model_name"), output.get("model_name"))),
        ("service_tier", (about.get("service_tier"), info.get("service_tier"))),
    ):
        if (value := next((each for each in values if isinstance(each, str) and each), None)) is not None:
            found[name] = value
    finish = next((each for each in _reasons(about, info) if isinstance(each, str) and each), None)
    if finish and (ended := reason(finish)):
        found["finish_reason"] = ended
    if str(first.get("type", "")).endswith("Chunk") or str(message.get("type", "")).endswith("Chunk"):
        found["streamed"] = True  # pieces were put together; the parameters, made before, may say otherwise
    return found


def _reasons(*places: dict[str, Any]) -> list[Any]:
    return [place.get(key) for place in places for key in ("finish_reason", "stop_reason", "done_reason")]


def _dict(said: dict[str, Any], key: str) -> dict[str, Any]:
    inner = said.get(key)
    return inner if isinstance(inner, dict) else {}
