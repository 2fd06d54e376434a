"""The part of the OpenAPI document about traces, their spans and what was said in them, and logs."""

from __future__ import annotations

from typing import Any

from observatory.api.messages import LONGEST_REF
from observatory.api.openapi_parts import (
    ANY_OBJECT,
    COUNT,
    CURSOR,
    MAYBE_TEXT,
    MAYBE_TIME,
    NANOS,
    NUMBER,
    SPAN_ID,
    TEXT,
    TIME,
    TRACE_ID,
    USD,
    WHOLE,
    WINDOW,
    get_of,
    id_path,
    json_answer,
    limit_of,
    list_of,
    object_of,
    parameter,
    ref,
    word,
)
from observatory.query.logs import MAX_TEXT
from observatory.query.trace import VIEWS
from observatory.query.traces import sort_names

_TRACE_FACTS = {
    "trace_id": TRACE_ID,
    "state": {"enum": ["open", "kept"], "description": "`open` while spans of it are still in the journal."},
    "root_name": TEXT,
    "service_name": MAYBE_TEXT,
    "services": list_of(TEXT),
    "start": TIME,
    "start_ns": NANOS,
    "duration_ms": {"type": "number"},
    "duration_ns": NANOS,
    "span_count": COUNT,
    "error_count": COUNT,
}
_VERDICT = {
    "adjusted_count": {
        "type": ["number", "null"],
        "description": "How many received traces it stands for. Null: unknown where `decided_by` names a policy, else not decided yet.",
    },
    "decided_by": {**MAYBE_TEXT, "description": "The sampling policies that kept it, parted by commas."},
}
_TRACE_SUMS = {
    "llm_calls": {"type": "integer", "description": "Calls of models that count; the sums are theirs."},
    "input_tokens": {"type": "integer"},
    "output_tokens": {"type": "integer"},
    "total_cost_usd": {
        "type": ["string", "null"],
        "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
        "description": "Null when no call has a known price.",
    },
    "unpriced_calls": {"type": "integer"},
    "models": list_of(TEXT),
    "session_id": MAYBE_TEXT,
    "user_id": MAYBE_TEXT,
    **_VERDICT,
}
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "http_status_code")
_WORDS = ("observation_kind", "operation", "provider", "request_model", "response_model", "error_type", "agent_name", "tool_name")
_FULL_WORDS = ("convention", "response_id", "finish_reasons", "session_id", "user_id", "environment", "project", "service_name")
_TYPED = {
    **{name: {"type": ["integer", "string"], "description": "Text beyond 2^53."} for name in _TOKENS},
    **{name: TEXT for name in (*_WORDS, *_FULL_WORDS)},
    "time_to_first_token_s": {"type": "number"},
    "streaming": {"type": "boolean"},
}
_SUMS = {
    "llm_calls": {**COUNT, "description": "Calls of models that count."},
    "input_tokens": WHOLE,
    "output_tokens": WHOLE,
    "total_tokens": WHOLE,
    "total_cost_usd": USD,
    "unpriced_calls": COUNT,
}
_SPAN_SAYS_OF_CALLS = {
    "call": {
        "type": "object",
        "required": ["counted", "total_cost_usd"],
        "properties": {
            "counted": {"type": "boolean"},
            "not_counted_reason": TEXT,
            "provider": TEXT,
            "model_name": TEXT,
            **{f"{kind}_tokens": WHOLE for kind in ("input", "output", "cache_read", "cache_write", "reasoning", "total")},
            "total_cost_usd": USD,
            "reported_cost_usd": USD,
            "price_source": TEXT,
            "unpriced_reason": TEXT,
        },
        "description": "Where the span is, or looks like, a call of a model.",
    },
    "subtree": {
        "type": "object",
        "required": ["llm_calls", "error_count"],
        "properties": {**_SUMS, "error_count": {**COUNT, "description": "Spans that failed."}},
        "description": "Of the span and all below it. Left out where nothing is below it (its own call and status say the same), and "
        "where nothing there is a call that counts and nothing failed.",
    },
}
_SPAN_FACTS = {
    "span_id": SPAN_ID,
    "parent_span_id": {**SPAN_ID, "type": ["string", "null"]},
    "name": TEXT,
    "kind": {"type": "string", "examples": ["internal", "server", "client", "producer", "consumer", "unspecified"]},
    "start_ns": NANOS,
    "duration_ns": NANOS,
    "status": object_of({"code": {"type": "string", "examples": ["unset", "ok", "error"]}, "message": TEXT}, ("message",)),
}
_SCOPE = object_of(
    {"name": TEXT, "version": TEXT, "attributes": ANY_OBJECT, "schema_url": TEXT, "dropped_attributes_count": COUNT},
    ("schema_url", "dropped_attributes_count"),
)
_ATTRIBUTES = {
    "attributes": {"type": "object", "description": "Values with their types; integers beyond 2^53 and bytes (base64) are text."},
    "attribute_types": {
        "type": "string",
        "description": "One letter an attribute, in order: s string, i int, d double, b bool, y bytes, e empty, a array, k key-value list.",
    },
}
_EVENT = object_of({"time_ns": NANOS, "name": TEXT, **_ATTRIBUTES, "dropped_attributes_count": COUNT}, ("dropped_attributes_count",))
_LINK = object_of(
    {"trace_id": TEXT, "span_id": TEXT, "trace_state": TEXT, **_ATTRIBUTES, "flags": COUNT, "dropped_attributes_count": COUNT},
    ("trace_state", "dropped_attributes_count"),
)
_ORIGIN = {"resource": ANY_OBJECT, "resource_dropped_attributes_count": COUNT, "resource_schema_url": TEXT, "scope": _SCOPE}
_SPARSE_ORIGIN = ("resource_dropped_attributes_count", "resource_schema_url")
_FILES = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/wav", "audio/mpeg", "audio/ogg", "audio/flac")
_BYTES = {name: {"schema": {"type": "string", "format": "binary"}} for name in ("application/octet-stream", *_FILES)}
_PART = object_of(
    {"type": {"type": "string", "examples": ["text", "tool_call", "tool_call_response", "reasoning", "blob", "uri", "file", "json"]}},
    description="A part of the GenAI conventions; `blob` parts above 64 kB have `ref`, `size_bytes` and `sha256` instead of `content`.",
)
_MESSAGE = object_of({"role": TEXT, "parts": list_of(_PART), "name": TEXT, "finish_reason": TEXT}, ("name", "finish_reason"))
_DOCUMENT = object_of(
    {"id": {}, "content": {}, "score": {}, "metadata": {}},
    ("id", "content", "score", "metadata"),
)
_CONVERSATION = {
    "system_instructions": list_of(_PART),
    "input": list_of(_MESSAGE),
    "output": list_of(_MESSAGE),
    "tool_definitions": list_of(ANY_OBJECT),
    "tool": {"type": ["object", "null"], "description": "Of a tool's span: name, id, type, description, arguments, result."},
    "query": {**MAYBE_TEXT, "description": "Of a retriever's or reranker's span: what was asked for."},
    "documents": {"type": ["array", "null"], "items": _DOCUMENT, "description": "Of a retriever's or reranker's span: what was found."},
    "flags": list_of(
        object_of(
            {"flag": {"enum": ["malformed_json", "truncated", "not_captured", "stored_elsewhere"]}, "where": TEXT},
            description="What is wrong with the place that `where` names, or which field was not captured.",
        )
    ),
    "source": {"type": "object", "additionalProperties": TEXT, "description": "For each field the form it came in."},
}

SCHEMAS: dict[str, Any] = {
    "TraceItem": object_of({**_TRACE_FACTS, **_TRACE_SUMS}),
    "TracePage": object_of({"items": list_of(ref("TraceItem")), "next_cursor": MAYBE_TEXT, "from": MAYBE_TIME, "to": MAYBE_TIME}),
    "Span": object_of(
        {
            **_SPAN_FACTS,
            **_ATTRIBUTES,
            "trace_state": TEXT,
            "flags": COUNT,
            "events": list_of(_EVENT),
            "links": list_of(_LINK),
            "dropped_attributes_count": COUNT,
            "dropped_events_count": COUNT,
            "dropped_links_count": COUNT,
            **_ORIGIN,
            "received_at_ns": NANOS,
            **_TYPED,
            "adjusted_count": {**NUMBER, "description": "How many spans it stands for."},
            "decided_by": {**TEXT, "description": "The sampling policies that kept its trace, parted by commas."},
            **_SPAN_SAYS_OF_CALLS,
            "origins": {
                "type": "object",
                "description": "Of one span: by column the attribute that fed it.",
                "additionalProperties": object_of(
                    {"where": {"enum": ["span", "resource", "scope"]}, "key": TEXT, "also": list_of(TEXT)}, ("also",)
                ),
            },
        },
        ("trace_state", "origins", *_VERDICT, *_SPARSE_ORIGIN, *(name for name in _TYPED if name != "project"), *_SPAN_SAYS_OF_CALLS),
    ),
    "TreeSpan": object_of(
        {**_SPAN_FACTS, "has_events": {"type": "boolean"}, "event_count": COUNT, **_TYPED, **_SPAN_SAYS_OF_CALLS},
        (*_TYPED, *_SPAN_SAYS_OF_CALLS),
    ),
    "Conversation": object_of(_CONVERSATION),
    "Trace": object_of(
        {
            **_TRACE_FACTS,
            **_SUMS,
            "models": list_of(TEXT),
            "session_id": MAYBE_TEXT,
            "user_id": MAYBE_TEXT,
            **_VERDICT,
            "view": {"enum": list(VIEWS)},
            "spans": {**list_of({"anyOf": [ref("Span"), ref("TreeSpan")]}), "description": "With `view=full` and `view=tree`."},
            "blocks": {**list_of(ref("SpanBlock")), "description": "With `view=columns`."},
        },
        ("spans", "blocks"),
    ),
    "SpanBlock": object_of(
        {
            "rows": COUNT,
            "columns": ref("SpanColumns"),
            "calls": object_of({"at": list_of(COUNT), "columns": ref("SpanColumns")}),
            "subtrees": object_of({"at": list_of(COUNT), "columns": ref("SpanColumns")}),
        },
    ),
    "SpanColumns": {
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}},
                object_of({"of": list_of(TEXT), "at": list_of({"type": "integer", "minimum": -1})}),
            ]
        },
        "description": "By the names of `TreeSpan`, `status` being its code and `message` its message: a value for each row (null: "
        "none), or places in `of` (-1: none).",
    },
    "Log": object_of(
        {
            "time_ns": NANOS,
            "observed_time_ns": NANOS,
            "severity_number": {"type": "integer"},
            "severity_text": TEXT,
            "event_name": TEXT,
            "service_name": TEXT,
            "body": {},
            "body_type": TEXT,
            **_ATTRIBUTES,
            "dropped_attributes_count": COUNT,
            "flags": COUNT,
            "trace_id": {**TRACE_ID, "type": ["string", "null"]},
            "span_id": {**SPAN_ID, "type": ["string", "null"]},
            **_ORIGIN,
            "received_at_ns": NANOS,
            "project": TEXT,
            "environment": TEXT,
        },
        ("event_name", "service_name", "dropped_attributes_count", *_SPARSE_ORIGIN, "environment"),
    ),
    "LogPage": object_of({"items": list_of(ref("Log")), "next_cursor": MAYBE_TEXT, "from": MAYBE_TIME, "to": MAYBE_TIME}),
    "ServiceList": object_of({"items": list_of(object_of({"name": TEXT, "count": COUNT}))}),
}


def paths() -> dict[str, Any]:
    """What is asked."""
    list_errors = (400, 408, 421, 503)
    one_errors = (400, 404, 408, 410, 421, 503)
    return {
        "/api/v1/traces": get_of(
            "Traces that start in [from, to), one item each.",
            json_answer(ref("TracePage"), "A page of traces."),
            [
                *WINDOW,
                parameter("service", word(), "Traces with a span of this service."),
                parameter("status", {"enum": ["ok", "error"]}, "`error`: any span failed; `ok`: none did."),
                parameter("filter", word(), "The filter language: `cost>0.01 model:gpt-4o* status:error`; docs/FILTER.md."),
                parameter("min_duration_ms", {"type": "number", "minimum": 0, "maximum": 9.2e12}, "Lasting at least this long."),
                limit_of(50),
                CURSOR,
                parameter("sort", {"enum": sort_names(), "default": "-start"}, "`-`: largest (latest) first."),
            ],
            list_errors,
            "listTraces",
        ),
        "/api/v1/traces/{trace_id}": get_of(
            "One trace with its spans as a flat list. `view=tree` leaves out attributes, events, links, resource and scope; `view=columns` "
            "says the same in a third of the bytes.",
            json_answer(ref("Trace"), "The trace, streamed."),
            [id_path("trace_id", 32), parameter("view", {"enum": list(VIEWS), "default": "full"}, "How much of each span.")],
            one_errors,
            "getTrace",
        ),
        "/api/v1/traces/{trace_id}/otlp": get_of(
            "One trace as OTLP/JSON, as an exporter would send it; its logs are not in it.",
            json_answer(object_of({"resourceSpans": list_of(ANY_OBJECT)}), "An `ExportTraceServiceRequest`, streamed."),
            [id_path("trace_id", 32)],
            one_errors,
            "getTraceAsOtlp",
        ),
        "/api/v1/traces/{trace_id}/spans/{span_id}": get_of(
            "One span in full.",
            json_answer(ref("Span"), "The span."),
            [id_path("trace_id", 32), id_path("span_id", 16)],
            one_errors,
            "getSpan",
        ),
        "/api/v1/traces/{trace_id}/spans/{span_id}/messages": get_of(
            "What was said in one span, as the GenAI conventions write it, whatever form it came in; log records of the span are joined.",
            json_answer(ref("Conversation"), "The conversation."),
            [id_path("trace_id", 32), id_path("span_id", 16)],
            one_errors,
            "getMessages",
        ),
        "/api/v1/traces/{trace_id}/spans/{span_id}/messages/blob": get_of(
            "The bytes of one large blob part, as a file to save.",
            {"description": "Known pictures and sounds by their type, else bytes.", "content": _BYTES},
            [
                id_path("trace_id", 32),
                id_path("span_id", 16),
                {**parameter("ref", word(LONGEST_REF), "A blob part's `ref`, unchanged."), "required": True},
            ],
            one_errors,
            "getMessageBlob",
        ),
        "/api/v1/services": get_of(
            "Services of traces active in [from, to), most frequent first, at most 1,000.",
            json_answer(
                ref("ServiceList"),
                "Services, and how many fragments of traces name each; a trace has one in each segment.",
            ),
            WINDOW,
            list_errors,
            "listServices",
        ),
        "/api/v1/logs": get_of(
            "Log records, latest first.",
            json_answer(ref("LogPage"), "A page of log records."),
            [
                *WINDOW,
                parameter("trace_id", id_path("trace_id", 32)["schema"], "Records of this trace."),
                parameter("span_id", id_path("span_id", 16)["schema"], "Records of this span."),
                parameter("service", word(), "Records of this service."),
                parameter(
                    "severity_min", {"type": "integer", "minimum": 0, "maximum": 24}, "OTLP severity number: 9 info, 13 warn, 17 error."
                ),
                parameter("text", word(MAX_TEXT), "Records whose body contains this text, in either case."),
                limit_of(100),
                CURSOR,
            ],
            list_errors,
            "listLogs",
        ),
    }
