"""One span's messages, whatever form they came in."""

from __future__ import annotations

import hashlib
from typing import Any

from observatory.semconv.messages import events, genai, json_text, openinference, openllmetry, tracers, vercel
from observatory.semconv.messages.found import Conversation, Finds, Reader
from observatory.semconv.messages.kinds import TOOL, kind_of, missing
from observatory.semconv.messages.media import INLINE_BYTES, decoded
from observatory.semconv.messages.span import At, CarriedSpan

# most canonical first: among forms that say equally much the first is shown
READERS: tuple[Reader, ...] = (
    genai.read,
    events.read,
    vercel.read,
    openinference.read,
    openllmetry.read,
    tracers.read_pydantic_ai,
    tracers.read_langfuse,
    tracers.read_langsmith,
    tracers.read_litellm,
    openllmetry.read_entity,
)
_INDEXED = {openinference.INDEXED, openllmetry.INDEXED}


def conversation(span: CarriedSpan) -> Conversation:
    """What a span and its log records say, as the GenAI convention writes it. Never raises, whatever the attributes are."""
    finds, kind = Finds(), kind_of(span)
    for read in READERS:
        read(span, kind, finds)
    if kind == TOOL:
        finds.add("span_name", "tool.name", span.name, At("name"))

    def cut(form: str, at: At) -> bool:
        # 128 attributes are the SDKs' default limit: a long conversation that is spelled out loses its end
        return (form in _INDEXED and span.dropped_attributes > 0) or (at.where.startswith("events") and span.dropped_events > 0)

    return finds.conversation(missing(span, kind), cut)


def needs_logs(span: CarriedSpan) -> bool:
    """Whether log records could still add to what the span itself says: not when its own attributes have the conversation whole."""
    finds = Finds()
    genai.read(span, kind_of(span), finds)
    return not finds.whole(genai.ATTRIBUTES, "input", "output")


def blob(span: CarriedSpan, ref: str) -> bytes | None:
    """The bytes a `ref` of this span's conversation names; None when it names none of them."""
    where, _, digest = ref.rpartition("@")
    for place in dict.fromkeys((where, "")):  # log records may be numbered anew when more have come
        for _, value in span.carriers(place):
            if (found := _with_digest(value, digest, 0)) is not None:
                return found
    return None


def _with_digest(value: Any, digest: str, depth: int) -> bytes | None:
    if depth > 2 * json_text.DEPTH:
        return None
    if isinstance(value, str):
        if len(value) <= INLINE_BYTES:
            return None
        read = json_text.perhaps(value, At(""))
        if read is not value:
            return _with_digest(read, digest, depth + 1)
        data = decoded(value)
        return data if hashlib.sha256(data).hexdigest() == digest else None
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for item in inside if (found := _with_digest(item, digest, depth + 1)) is not None), None)
