"""What attributes hold packed inside them: JSON in strings, Python's repr of a dict, a time in quotes; and attributes that mean two things.

`class_of` numbers the keys of interest; `READERS` says how the text of each is read, in order of priority. A reader is a pure function of
the text and never raises; what it finds goes into a row's columns where nothing is known yet.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from observatory.semconv import finish
from observatory.semconv.entries import Entries
from observatory.semconv.provider import normalise
from observatory.semconv.response import asks_tools, finish_of_choices, finish_of_messages, response_of
from observatory.semconv.tokens import details_of, usage_of

Found = defaultdict[str, dict[int, Any]]
"""What was unpacked: by the name of what it says, by row."""

_LONGEST_JSON = 4 << 20
"""Longer texts are not parsed: 4 MiB take some 10 ms."""
_LONGEST_REPR = 20_000
"""Python's own parser takes 5 ms for it."""


class Reader(NamedTuple):
    """How the text of an attribute is read. `feeds`: the columns it is read for; rows where all of them are known are passed by.
    `calls_only`: means something on the kinds that are calls by themselves, not on agents and chains."""

    key: str
    read: Callable[[str], dict[str, Any]]
    feeds: tuple[str, ...]
    calls_only: bool = False


def parse(text: str) -> Any:
    """JSON, or None."""
    if len(text) > _LONGEST_JSON:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def parse_repr(text: str) -> Any:
    """JSON, or a literal as Python writes it (`{'a': None}`), or None."""
    said = parse(text)
    if said is None and len(text) <= _LONGEST_REPR:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None
    return said


def _usage(text: str) -> dict[str, Any]:
    return usage_of(parse_repr(text))


def _details(text: str) -> dict[str, Any]:
    return details_of(parse(text))


def _cost(text: str) -> dict[str, Any]:
    said = parse(text)
    if not isinstance(said, dict):
        return {}
    total = said.get("total")
    if total is None:  # Langfuse adds the parts up itself when nobody gave a total
        parts = [value for value in said.values() if isinstance(value, int | float)]
        total = sum(parts) if parts else None
    return {"reported_cost_usd": float(total)} if isinstance(total, int | float) and not isinstance(total, bool) else {}


def _parameters(text: str) -> dict[str, Any]:
    said = parse(text)
    if not isinstance(said, dict):
        return {}
    found: dict[str, Any] = {}
    if isinstance(said.get("stream"), bool):
        found["streaming"] = said["stream"]
    for name, key in (("request_model", "model"), ("request_model", "model_name"), ("service_tier", "service_tier")):
        if isinstance(said.get(key), str) and said[key]:
            found.setdefault(name, said[key])
    return found


def _first_token_time(text: str) -> dict[str, Any]:
    said = parse(text) if text.startswith('"') else text
    try:
        moment = datetime.fromisoformat(said)
        if moment.tzinfo is None:
            return {}
        since = moment - _EPOCH
    except (TypeError, ValueError, OverflowError):
        return {}
    return {"first_token_ns": (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000, "streaming": True}


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _finish(text: str) -> dict[str, Any]:
    said = finish.normalise(text)
    return {"finish_reason": said} if said else {}


def _choices(text: str) -> dict[str, Any]:
    return finish_of_choices(parse(text))


def _answer(text: str) -> dict[str, Any]:
    return asks_tools(parse(text)) if "tool_calls" in text else {}


def _messages(text: str) -> dict[str, Any]:
    return finish_of_messages(parse(text))


def _response(text: str) -> dict[str, Any]:
    return response_of(parse(text)) if text.startswith("{") else {}


def _provider_metadata(text: str) -> dict[str, Any]:
    """Vercel's: `{"anthropic": {"usage": {…}}, "openai": {"serviceTier": …}}`."""
    said = parse(text)
    if not isinstance(said, dict):
        return {}
    found: dict[str, Any] = {}
    for provider, each in said.items():
        if not isinstance(each, dict):
            continue
        found |= usage_of(each.get("usage") or each.get("usageMetadata"))
        tier = each.get("serviceTier") or (isinstance(each.get("usage"), dict) and each["usage"].get("service_tier"))
        if isinstance(tier, str):
            found["service_tier"] = tier
        if named := normalise(provider):
            found.setdefault("provider", named)
    return found


def _metadata(text: str) -> dict[str, Any]:
    """OpenInference's `metadata` where LangChain wrote it: who sells the model, and which it is."""
    said = parse(text)
    if not isinstance(said, dict):
        return {}
    found: dict[str, Any] = {}
    if isinstance(said.get("ls_provider"), str) and (named := normalise(said["ls_provider"])):
        found["provider"] = named
    if isinstance(said.get("ls_model_name"), str) and said["ls_model_name"]:
        found["request_model"] = said["ls_model_name"]
    return found


def _litellm_model(text: str) -> dict[str, Any]:
    provider, slash, _ = text.partition("/")
    named = normalise(provider) if slash else None
    return {"provider": named} if named else {}


def _whole(column: str) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        return {column: int(text)} if text.isascii() and text.isdigit() and len(text) < 16 else {}

    return read


def _seconds(column: str, scale: float) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        try:
            ns = float(text) * scale * 1e9
        except ValueError:
            return {}
        return {column: int(ns)} if 0 < ns < 1e17 else {}

    return read


def _level(text: str) -> dict[str, Any]:
    return {"is_error": True} if text == "ERROR" else {}


def _langsmith_kind(text: str) -> dict[str, Any]:
    return {"never_counts": "no_model_call"} if text in ("prompt", "parser") else {}


def _streamed_operation(text: str) -> dict[str, Any]:
    return {"streaming": text.endswith(("doStream", "streamText", "streamObject"))} if text.startswith("ai.") else {}


_ALL_USAGE = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cache_write_1h_tokens")
_IN, _OUT = ("cache_read_tokens", "cache_write_tokens"), ("reasoning_tokens",)
_RESPONSE = ("response_id", "finish_reason", "service_tier", "streaming", "response_model", *_ALL_USAGE)

READERS = (
    Reader("langfuse.observation.usage_details", _usage, _ALL_USAGE),
    Reader("langfuse.observation.cost_details", _cost, ("reported_cost_usd",)),
    Reader("langfuse.observation.completion_start_time", _first_token_time, ("first_token_ns",)),
    Reader("langfuse.observation.model.parameters", _parameters, ("streaming", "service_tier", "request_model")),
    Reader("langfuse.observation.metadata.finish_reason", _finish, ("finish_reason",)),
    Reader("gen_ai.usage.raw", _usage, _ALL_USAGE),
    Reader("langsmith.metadata.usage_metadata", _usage, _ALL_USAGE),
    Reader("gen_ai.usage.input_token_details", _details, _IN),
    Reader("gen_ai.usage.output_token_details", _details, _OUT),
    Reader("metadata.usage_object", _usage, _ALL_USAGE),
    Reader("ai.response.providerMetadata", _provider_metadata, ("service_tier", "provider", *_ALL_USAGE)),
    Reader("gen_ai.usage.details.cache_read_tokens", _whole("cache_read_tokens"), ("cache_read_tokens",)),
    Reader("gen_ai.usage.details.cache_read_input_tokens", _whole("cache_read_tokens"), ("cache_read_tokens",)),
    Reader("gen_ai.usage.details.cached_tokens", _whole("cache_read_tokens"), ("cache_read_tokens",)),
    Reader("gen_ai.usage.details.cache_write_tokens", _whole("cache_write_tokens"), ("cache_write_tokens",)),
    Reader("gen_ai.usage.details.cache_creation_input_tokens", _whole("cache_write_tokens"), ("cache_write_tokens",)),
    Reader("gen_ai.usage.details.reasoning_tokens", _whole("reasoning_tokens"), ("reasoning_tokens",)),
    Reader("gen_ai.usage.details.thoughts_tokens", _whole("reasoning_tokens"), ("reasoning_tokens",)),
    Reader("gen_ai.usage.details.input_audio_tokens", _whole("input_audio_tokens"), ("input_audio_tokens",)),
    Reader("gen_ai.usage.details.output_audio_tokens", _whole("output_audio_tokens"), ("output_audio_tokens",)),
    Reader("anthropic.usage.cache_creation.ephemeral_1h_input_tokens", _whole("cache_write_1h_tokens"), ("cache_write_1h_tokens",)),
    Reader("llm.invocation_parameters", _parameters, ("streaming", "request_model", "service_tier")),
    Reader("embedding.invocation_parameters", _parameters, ("request_model",)),
    Reader("ai.operationId", _streamed_operation, ("streaming",)),
    Reader("litellm.provider.model", _litellm_model, ("provider",)),
    Reader("metadata", _metadata, ("provider", "request_model"), calls_only=True),
    Reader("output.value", _response, _RESPONSE, calls_only=True),
    Reader("gen_ai.completion", _response, _RESPONSE, calls_only=True),
    Reader("anthropic.message.stop_reason", _finish, ("finish_reason",)),
    Reader("gen_ai.completion.0.finish_reason", _finish, ("finish_reason",)),
    Reader("events", _choices, ("finish_reason",), calls_only=True),
    Reader("langfuse.observation.output", _answer, ("finish_reason",), calls_only=True),
    Reader("gen_ai.output.messages", _messages, ("finish_reason",), calls_only=True),
    Reader("langfuse.observation.level", _level, ("is_error",)),
    Reader("langfuse.observation.status_message", lambda text: {"error_message": text}, ("error_message",)),
    Reader("error.message", lambda text: {"error_message": text}, ("error_message",)),
    Reader("error.code", _whole("http_status_code"), ("http_status_code",)),
    Reader("langsmith.span.kind", _langsmith_kind, ("never_counts",)),
    # in milliseconds of Strands, in seconds of OpenLIT: `ttft` decides by the scope
    Reader("gen_ai.server.time_to_first_token", _seconds("server_first_token_ns", 1), ("server_first_token_ns",)),
    Reader("gen_ai.client.operation.duration", _seconds("said_duration_ns", 1), ("said_duration_ns",), calls_only=True),
    Reader("ai.response.msToFinish", _seconds("said_duration_ns", 1e-3), ("said_duration_ns",), calls_only=True),
)

OUTPUT = 1
"""The class of keys whose presence alone says something: a model's answer is there."""
_FIRST = 2
_CLASSES = {reader.key: number for number, reader in enumerate(READERS, _FIRST)}
_OUTPUTS = frozenset(
    (
        *("gen_ai.output.messages", "gen_ai.output.messages.ref", "gen_ai.completion", "gen_ai.response.text", "output.value"),
        *("ai.response.text", "ai.response.toolCalls", "ai.response.object", "ai.response.reasoning", "ai.embedding", "ai.embeddings"),
        *("langfuse.observation.output", "llm.completions", "traceloop.entity.output"),
    )
)
_OUTPUT_PREFIXES = ("gen_ai.completion.", "llm.output_messages.", "llm.choices.", "embedding.embeddings.", "reranker.output_documents.")


def class_of(key: str) -> int:
    """0: of no interest; OUTPUT; else `_FIRST` and the place in READERS."""
    known = _CLASSES.get(key)
    return known if known is not None else int(key in _OUTPUTS or key.startswith(_OUTPUT_PREFIXES))


IS_OUTPUT = [OUTPUT, *(class_ for key, class_ in _CLASSES.items() if key in _OUTPUTS or key.startswith(_OUTPUT_PREFIXES))]
CARRY_USAGE = [class_ for class_ in range(_FIRST, _FIRST + len(READERS)) if READERS[class_ - _FIRST].read is _usage]


def unpack(columns: Mapping[str, pa.Array], entries: Entries, chosen: np.ndarray, calls: np.ndarray) -> Found:
    """Read the packed attributes of the chosen rows (sorted numbers among all; the result numbers them anew).

    `columns` are those of the chosen rows: what they know is not read again. `calls`: rows whose kind is a call by itself.
    Each distinct text is read once; the first reader that says something of a row's column wins.
    """
    found: Found = defaultdict(dict)
    special = np.flatnonzero(entries.classes >= _FIRST)
    if not len(special) or not len(chosen):
        return found
    places = np.searchsorted(chosen, entries.rows[special])
    here = chosen[np.minimum(places, len(chosen) - 1)] == entries.rows[special]
    special, places = special[here], places[here]
    classes = entries.classes[special]
    for class_ in np.unique(classes).tolist():
        reader = READERS[class_ - _FIRST]
        wanted = _unknown(columns, reader.feeds)
        if reader.calls_only:
            wanted = wanted & calls
        picked = (classes == class_) & wanted[places]
        read: dict[str, dict[str, Any]] = {}
        for row, text in zip(places[picked].tolist(), entries.pick(special[picked]).texts(), strict=True):
            said = read.get(text)
            if said is None:
                said = read[text] = reader.read(text)
            for name, value in said.items():
                found[name].setdefault(row, value)
    return found


def _unknown(columns: Mapping[str, pa.Array], feeds: tuple[str, ...]) -> np.ndarray:
    """Rows where any of the columns is not known yet; what is no column of spans never is."""
    rows = len(next(iter(columns.values())))
    unknown = np.zeros(rows, bool)
    for name in feeds:
        column = columns.get(_COLUMNS.get(name, name))
        if column is None or column.null_count == rows:
            return np.ones(rows, bool)
        if column.null_count:
            unknown |= column.is_null().to_numpy(zero_copy_only=False)
    return unknown


_COLUMNS = {"finish_reason": "finish_reasons"}
