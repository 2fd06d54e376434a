"""Why a model stopped, in five words: stop, length, tool_call, content_filter, error; a reason nobody here knows stays as it came."""

from __future__ import annotations

import orjson

_REASONS = {
    "stop": "stop end_turn stop_sequence completed complete finished eos eos_token",
    "length": "length max_tokens max_output_tokens incomplete model_context_window_exceeded",
    "tool_call": "tool_call tool_calls tool_use function_call malformed_function_call",
    "content_filter": "content_filter content_filtered safety refusal guardrail_intervened recitation prohibited_content blocklist spii",
    "error": "error failed cancelled canceled error_toxic",
}
_WORDS = {said: reason for reason, words in _REASONS.items() for said in words.split()}


def normalise(text: str) -> str | None:
    """Of a `finish_reasons` column: one reason, or an array of them as JSON text (the first that says something counts)."""
    text = text.strip()
    if text.startswith("[") or text.startswith('"'):
        try:
            parsed = orjson.loads(text)
        except orjson.JSONDecodeError:
            return reason(text)
        if isinstance(parsed, list):
            return next((said for item in parsed if isinstance(item, str) and (said := reason(item))), None)
        return reason(parsed) if isinstance(parsed, str) else None
    return reason(text)


def reason(said: str) -> str | None:
    """One provider's word for it (`end_turn`, `STOP`, `tool-calls`) normalised; None for an empty one or one that says nothing."""
    said = said.strip()
    plain = said.lower().replace("-", "_")
    plain = plain.removeprefix("finishreason.").removeprefix("finish_reason_")
    if plain in ("", "none", "null", "unknown", "finish_reason_unspecified", "unspecified", "other"):
        return "other" if plain == "other" else None
    return _WORDS.get(plain, said)
