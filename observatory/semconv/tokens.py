"""Usage objects of providers and frameworks, as they come inside JSON: one function that knows every shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Found = dict[str, Any]
"""What was found in one text: by column, see `packed.FINDS`."""


def usage_of(said: Any) -> Found:
    """The counts of one usage object, with input that includes cached tokens and output that includes reasoning ones.

    `raw_input_tokens` is the input as it stood there: where a span's own count equals it, the span repeats it and means the same by it.
    Shapes: OpenAI chat and responses, Anthropic, Gemini (camel and snake case), Bedrock Converse, LangChain's usage_metadata, Vercel,
    Langfuse's buckets. Anything else gives nothing.
    """
    if not isinstance(said, dict):
        return {}
    if _any(said, "promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count"):
        counts = _gemini({_snake(key): value for key, value in said.items()})
    elif _any(said, "inputTokens", "outputTokens", "promptTokens", "completionTokens"):
        counts = _camel(said)
    elif _any(said, "input", "output"):
        counts = _buckets(said)
    elif _any(said, "prompt_tokens", "completion_tokens"):
        counts = _openai(said, "prompt_tokens", "completion_tokens")
    elif _any(said, "input_token_details", "output_token_details"):
        counts = _langchain(said)
    elif _any(said, "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation"):
        counts = _anthropic(said)
    else:
        counts = _openai(said, "input_tokens", "output_tokens")
    return {name: value for name, value in counts.items() if value is not None}


def details_of(said: Any) -> Found:
    """The parts of input that LangChain names: `{"cache_read": 3, "cache_creation": 1, "audio": 0}`; of output: `{"reasoning": 2}`."""
    if not isinstance(said, dict):
        return {}
    hour, minutes = number(said, "ephemeral_1h_input_tokens"), number(said, "ephemeral_5m_input_tokens")
    # langchain-anthropic writes 0 under cache_creation when it splits it by lifetime
    written = number(said, "cache_creation") or (_sum(hour, minutes) if hour or minutes else number(said, "cache_creation"))
    counts = {
        "cache_read_tokens": number(said, "cache_read"),
        "cache_write_tokens": written,
        "cache_write_1h_tokens": hour,
        "reasoning_tokens": number(said, "reasoning"),
    }
    return {name: value for name, value in counts.items() if value is not None}


def number(said: Any, *path: str) -> int | None:
    """The whole number at a path of keys; None where there is none."""
    for key in path:
        if not isinstance(said, Mapping):
            return None
        said = said.get(key)
    if isinstance(said, bool) or not isinstance(said, int | float) or said != said:
        return None
    return int(said) if abs(said) < 1 << 62 and int(said) == said else None


def _openai(said: dict[str, Any], into: str, out: str) -> Found:
    read = _first(
        number(said, f"{into}_details", "cached_tokens"), number(said, "cache_read_input_tokens"), number(said, "prompt_cache_hit_tokens")
    )
    return {
        "raw_input_tokens": number(said, into),
        "input_tokens": number(said, into),
        "output_tokens": number(said, out),
        "cache_read_tokens": read,
        "cache_write_tokens": _first(number(said, f"{into}_details", "cache_write_tokens"), number(said, "cache_creation_input_tokens")),
        "cache_write_1h_tokens": number(said, f"{into}_details", "cache_creation_token_details", "ephemeral_1h_input_tokens"),
        "reasoning_tokens": number(said, f"{out}_details", "reasoning_tokens"),
        "input_audio_tokens": number(said, f"{into}_details", "audio_tokens"),
        "output_audio_tokens": number(said, f"{out}_details", "audio_tokens"),
    }


def _anthropic(said: dict[str, Any]) -> Found:
    hour = number(said, "cache_creation", "ephemeral_1h_input_tokens")
    written = _first(number(said, "cache_creation_input_tokens"), _sum(hour, number(said, "cache_creation", "ephemeral_5m_input_tokens")))
    return _beside(number(said, "input_tokens"), number(said, "output_tokens"), number(said, "cache_read_input_tokens"), written) | {
        "cache_write_1h_tokens": hour
    }


def _camel(said: dict[str, Any]) -> Found:
    into, out = (
        _first(number(said, "inputTokens"), number(said, "promptTokens")),
        _first(number(said, "outputTokens"), number(said, "completionTokens")),
    )
    if _any(said, "cacheReadInputTokens", "cacheWriteInputTokens"):  # Bedrock Converse
        return _beside(into, out, number(said, "cacheReadInputTokens"), number(said, "cacheWriteInputTokens"))
    return {
        "raw_input_tokens": into,
        "input_tokens": into,
        "output_tokens": out,
        "cache_read_tokens": _first(number(said, "inputTokenDetails", "cacheReadTokens"), number(said, "cachedInputTokens")),
        "cache_write_tokens": number(said, "inputTokenDetails", "cacheWriteTokens"),
        "reasoning_tokens": _first(number(said, "outputTokenDetails", "reasoningTokens"), number(said, "reasoningTokens")),
    }


def _beside(into: int | None, out: int | None, read: int | None, written: int | None) -> Found:
    """Counts of a provider that counts cached tokens beside the input."""
    return {
        "raw_input_tokens": into,
        "input_tokens": _sum(into, read or 0, written or 0) if into is not None else None,
        "output_tokens": out,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
    }


def _gemini(said: dict[str, Any]) -> Found:
    thoughts, answer = number(said, "thoughts_token_count"), number(said, "candidates_token_count")
    asked = number(said, "prompt_token_count")
    return {
        "raw_input_tokens": asked,
        # what a tool call brought into the prompt is counted, and charged, beside it
        "input_tokens": None if asked is None else asked + (number(said, "tool_use_prompt_token_count") or 0),
        "output_tokens": _sum(answer, thoughts),
        "cache_read_tokens": number(said, "cached_content_token_count"),
        "reasoning_tokens": thoughts,
        "input_audio_tokens": _modality(said.get("prompt_tokens_details"), "AUDIO"),
        "output_audio_tokens": _modality(said.get("candidates_tokens_details"), "AUDIO"),
    }


def _langchain(said: dict[str, Any]) -> Found:
    into, out = said.get("input_token_details"), said.get("output_token_details")
    return (
        {
            "raw_input_tokens": number(said, "input_tokens"),
            "input_tokens": number(said, "input_tokens"),
            "output_tokens": number(said, "output_tokens"),
            "input_audio_tokens": number(into, "audio"),
            "output_audio_tokens": number(out, "audio"),
        }
        | details_of(into)
        | details_of(out)
    )


def _buckets(said: dict[str, Any]) -> Found:
    """Langfuse's: `input` and `output` with parts beside them or inside them; the total tells which, where there is one."""
    into, out = number(said, "input"), number(said, "output")
    parts = {name: value for key in said if key not in ("input", "output", "total") and (value := number(said, name := key)) is not None}
    read = _first(*(parts.get(key) for key in ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens", "input_cached")))
    written = _first(*(parts.get(key) for key in ("input_cache_creation", "input_cache_write", "cache_creation_input_tokens")))
    audio, spoken = parts.get("input_audio_tokens"), parts.get("output_audio_tokens")
    reasoned = _first(parts.get("output_reasoning_tokens"), parts.get("output_reasoning"))
    total = number(said, "total")
    inside = total is None or total == (into or 0) + (out or 0)
    return {
        "raw_input_tokens": into,
        "input_tokens": into if inside or into is None else into + (read or 0) + (written or 0) + (audio or 0),
        "output_tokens": out if inside or out is None else out + (reasoned or 0) + (spoken or 0),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "reasoning_tokens": reasoned,
        "input_audio_tokens": audio,
        "output_audio_tokens": spoken,
    }


def _modality(details: Any, modality: str) -> int | None:
    if not isinstance(details, list):
        return None
    for item in details:
        if isinstance(item, dict) and item.get("modality") == modality:
            return _first(number(item, "token_count"), number(item, "tokenCount"))
    return None


def _snake(key: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in key)


def _any(said: dict[str, Any], *keys: str) -> bool:
    return any(key in said for key in keys)


def _first(*numbers: int | None) -> int | None:
    return next((each for each in numbers if each is not None), None)


def _sum(*numbers: int | None) -> int | None:
    known = [each for each in numbers if each is not None]
    return sum(known) if known else None
