"""What the API says of itself: OpenAPI 3.1. Tests send what it allows, and more, to a running server and hold it to every answer."""

from __future__ import annotations

import json
from typing import Any

from observatory.api import openapi_pages, openapi_server
from observatory.api.messages import LONGEST_REF
from observatory.api.openapi_parts import (
    ANY_OBJECT as _ANY_OBJECT,
    COUNT as _COUNT,
    CURSOR as _CURSOR,
    FILTER as _FILTER,
    MAYBE_NUMBER as _MAYBE_NUMBER,
    MAYBE_TEXT as _MAYBE_TEXT,
    MAYBE_TIME as _MAYBE_TIME,
    MAYBE_WHOLE as _MAYBE_WHOLE,
    NANOS as _NANOS,
    NUMBER as _NUMBER,
    SPAN_ID as _SPAN_ID,
    TEXT as _TEXT,
    TIME as _TIME,
    TRACE_ID as _TRACE_ID,
    TZ as _TZ,
    USD as _USD,
    WHOLE as _WHOLE,
    WINDOW as _WINDOW,
    get_of as _get,
    id_path as _path,
    json_answer as _json,
    limit_of as _limit,
    list_of as _list,
    named_path as _named_path,
    object_of as _object,
    parameter as _query,
    ref as _ref,
    refusals as _errors,
    word as _word,
)
from observatory.api.sql import ARROW, SqlRequest
from observatory.query.buckets import UNITS
from observatory.query.llm_calls import DOLLARS, INTEGERS, SORTS, WORDS
from observatory.query.llm_summary import DIMENSIONS, ORDERS
from observatory.query.logs import MAX_TEXT
from observatory.query.sessions import SORTS as GROUP_SORTS
from observatory.query.traces import sort_names

_TRACE_FACTS = {
    "trace_id": _TRACE_ID,
    "state": {"enum": ["open", "kept"], "description": "`open` while spans of it are still in the journal."},
    "root_name": _TEXT,
    "service_name": _MAYBE_TEXT,
    "services": _list(_TEXT),
    "start": _TIME,
    "start_ns": _NANOS,
    "duration_ms": {"type": "number"},
    "duration_ns": _NANOS,
    "span_count": _COUNT,
    "error_count": _COUNT,
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
    "models": _list(_TEXT),
    "session_id": _MAYBE_TEXT,
    "user_id": _MAYBE_TEXT,
    "adjusted_count": {"type": ["number", "null"], "description": "How many received traces it stands for; null: undecided, or unknown."},
    "decided_by": {**_MAYBE_TEXT, "description": "The sampling policies that kept it."},
}
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "http_status_code")
_WORDS = ("observation_kind", "operation", "provider", "request_model", "response_model", "error_type", "agent_name", "tool_name")
_FULL_WORDS = ("convention", "response_id", "finish_reasons", "session_id", "user_id", "environment", "project", "service_name")
_TYPED = {
    **{name: {"type": ["integer", "string"], "description": "Text beyond 2^53."} for name in _TOKENS},
    **{name: _TEXT for name in (*_WORDS, *_FULL_WORDS)},
    "time_to_first_token_s": {"type": "number"},
    "streaming": {"type": "boolean"},
}
_LOCAL_TIME = {"type": "string", "description": "RFC 3339 with the offset that holds there."}
_SUMS = {
    "llm_calls": {**_COUNT, "description": "Calls of models that count."},
    "input_tokens": _WHOLE,
    "output_tokens": _WHOLE,
    "total_tokens": _WHOLE,
    "total_cost_usd": _USD,
    "unpriced_calls": _COUNT,
}
_SPAN_SAYS_OF_CALLS = {
    "call": {
        "type": "object",
        "required": ["counted", "total_cost_usd"],
        "properties": {
            "counted": {"type": "boolean"},
            "not_counted_reason": _TEXT,
            "provider": _TEXT,
            "model_name": _TEXT,
            **{f"{kind}_tokens": _WHOLE for kind in ("input", "output", "cache_read", "cache_write", "reasoning", "total")},
            "total_cost_usd": _USD,
            "reported_cost_usd": _USD,
            "price_source": _TEXT,
            "unpriced_reason": _TEXT,
        },
        "description": "Where the span is, or looks like, a call of a model.",
    },
    "subtree": {
        "type": "object",
        "required": ["llm_calls", "error_count"],
        "properties": {**_SUMS, "error_count": {**_COUNT, "description": "Spans that failed."}},
        "description": "Of the span and all below it. Left out where nothing is below it (its own call and status say the same), and "
        "where nothing there is a call that counts and nothing failed.",
    },
}
_SPAN_FACTS = {
    "span_id": _SPAN_ID,
    "parent_span_id": {**_SPAN_ID, "type": ["string", "null"]},
    "name": _TEXT,
    "kind": {"type": "string", "examples": ["internal", "server", "client", "producer", "consumer", "unspecified"]},
    "start_ns": _NANOS,
    "duration_ns": _NANOS,
    "status": _object({"code": {"type": "string", "examples": ["unset", "ok", "error"]}, "message": _TEXT}, ("message",)),
}
_SCOPE = _object(
    {"name": _TEXT, "version": _TEXT, "attributes": _ANY_OBJECT, "schema_url": _TEXT, "dropped_attributes_count": _COUNT},
    ("schema_url", "dropped_attributes_count"),
)
_ATTRIBUTES = {
    "attributes": {"type": "object", "description": "Values with their types; integers beyond 2^53 and bytes (base64) are text."},
    "attribute_types": {
        "type": "string",
        "description": "One letter an attribute, in order: s string, i int, d double, b bool, y bytes, e empty, a array, k key-value list.",
    },
}
_EVENT = _object({"time_ns": _NANOS, "name": _TEXT, **_ATTRIBUTES, "dropped_attributes_count": _COUNT}, ("dropped_attributes_count",))
_LINK = _object(
    {"trace_id": _TEXT, "span_id": _TEXT, "trace_state": _TEXT, **_ATTRIBUTES, "flags": _COUNT, "dropped_attributes_count": _COUNT},
    ("trace_state", "dropped_attributes_count"),
)
_ORIGIN = {"resource": _ANY_OBJECT, "resource_dropped_attributes_count": _COUNT, "resource_schema_url": _TEXT, "scope": _SCOPE}
_SPARSE_ORIGIN = ("resource_dropped_attributes_count", "resource_schema_url")
_FILES = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/wav", "audio/mpeg", "audio/ogg", "audio/flac")
_BYTES = {name: {"schema": {"type": "string", "format": "binary"}} for name in ("application/octet-stream", *_FILES)}
_PART = _object(
    {"type": {"type": "string", "examples": ["text", "tool_call", "tool_call_response", "reasoning", "blob", "uri", "file", "json"]}},
    description="A part of the GenAI conventions; `blob` parts above 64 kB have `ref`, `size_bytes` and `sha256` instead of `content`.",
)
_MESSAGE = _object({"role": _TEXT, "parts": _list(_PART), "name": _TEXT, "finish_reason": _TEXT}, ("name", "finish_reason"))
_DOCUMENT = _object(
    {"id": {}, "content": {}, "score": {}, "metadata": {}},
    ("id", "content", "score", "metadata"),
)
_CONVERSATION = {
    "system_instructions": _list(_PART),
    "input": _list(_MESSAGE),
    "output": _list(_MESSAGE),
    "tool_definitions": _list(_ANY_OBJECT),
    "tool": {"type": ["object", "null"], "description": "Of a tool's span: name, id, type, description, arguments, result."},
    "query": {**_MAYBE_TEXT, "description": "Of a retriever's or reranker's span: what was asked for."},
    "documents": {"type": ["array", "null"], "items": _DOCUMENT, "description": "Of a retriever's or reranker's span: what was found."},
    "flags": _list(
        _object(
            {"flag": {"enum": ["malformed_json", "truncated", "not_captured", "stored_elsewhere"]}, "where": _TEXT},
            description="What is wrong with the place that `where` names, or which field was not captured.",
        )
    ),
    "source": {"type": "object", "additionalProperties": _TEXT, "description": "For each field the form it came in."},
}

_QUANTILES = _object({name: _MAYBE_NUMBER for name in ("p50", "p95", "p99")})
_FIGURES = {
    "calls": _COUNT,
    "errors": _COUNT,
    "error_rate": _MAYBE_NUMBER,
    **{f"{kind}_tokens": _WHOLE for kind in ("input", "output", "cache_read", "cache_write", "reasoning", "total")},
    **{f"{part}_cost_usd": _USD for part in ("input", "cache_read", "cache_write", "output", "other", "total")},
    "unpriced_calls": _COUNT,
    "latency_ms": _QUANTILES,
    "ttft_ms": _QUANTILES,
    "tokens_per_second": _object({"p50": _MAYBE_NUMBER}),
}
_SPENT = {
    "calls": _COUNT,
    "errors": _COUNT,
    "input_tokens": _WHOLE,
    "output_tokens": _WHOLE,
    "total_tokens": _WHOLE,
    "total_cost_usd": _USD,
    "unpriced_calls": _COUNT,
}
_GROUP = {
    "traces": _COUNT,
    **_SPENT,
    "error_spans": {"type": ["integer", "null"], "description": "Spans that failed, of traces that name it."},
    "models": _list(_TEXT),
    "first": _TIME,
    "last": _TIME,
    "duration_ms": _NUMBER,
}
_SESSION = {"session_id": _TEXT, "users": _list(_TEXT), **_GROUP}
_USER = {"user_id": _TEXT, "sessions": _list(_TEXT), **_GROUP}
_SESSION_TRACE = {
    "trace_id": _TRACE_ID,
    "root_name": _MAYBE_TEXT,
    "start": _TIME,
    "start_ns": _NANOS,
    "duration_ms": _NUMBER,
    "span_count": {"type": ["integer", "null"]},
    **_SPENT,
    "error_spans": {"type": ["integer", "null"]},
    "models": _list(_TEXT),
    "first_call_span_id": {**_SPAN_ID, "type": ["string", "null"]},
    "last_call_span_id": {**_SPAN_ID, "type": ["string", "null"]},
}

_SCHEMAS: dict[str, Any] = {
    "Error": _object(
        {"error": _object({"code": _TEXT, "message": _TEXT, "where": {"type": "string", "description": "The parameter or place meant."}})}
    ),
    "TraceItem": _object({**_TRACE_FACTS, **_TRACE_SUMS}),
    "TracePage": _object({"items": _list(_ref("TraceItem")), "next_cursor": _MAYBE_TEXT, "from": _MAYBE_TIME, "to": _MAYBE_TIME}),
    "Span": _object(
        {
            **_SPAN_FACTS,
            **_ATTRIBUTES,
            "trace_state": _TEXT,
            "flags": _COUNT,
            "events": _list(_EVENT),
            "links": _list(_LINK),
            "dropped_attributes_count": _COUNT,
            "dropped_events_count": _COUNT,
            "dropped_links_count": _COUNT,
            **_ORIGIN,
            "received_at_ns": _NANOS,
            **_TYPED,
            **_SPAN_SAYS_OF_CALLS,
            "origins": {
                "type": "object",
                "description": "Of one span: by column the attribute that fed it.",
                "additionalProperties": _object(
                    {"where": {"enum": ["span", "resource", "scope"]}, "key": _TEXT, "also": _list(_TEXT)}, ("also",)
                ),
            },
        },
        ("trace_state", "origins", *_SPARSE_ORIGIN, *(name for name in _TYPED if name != "project"), *_SPAN_SAYS_OF_CALLS),
    ),
    "TreeSpan": _object(
        {**_SPAN_FACTS, "has_events": {"type": "boolean"}, "event_count": _COUNT, **_TYPED, **_SPAN_SAYS_OF_CALLS},
        (*_TYPED, *_SPAN_SAYS_OF_CALLS),
    ),
    "Conversation": _object(_CONVERSATION),
    "Trace": _object(
        {
            **_TRACE_FACTS,
            **_SUMS,
            "models": _list(_TEXT),
            "session_id": _MAYBE_TEXT,
            "user_id": _MAYBE_TEXT,
            "view": {"enum": ["full", "tree"]},
            "spans": _list({"anyOf": [_ref("Span"), _ref("TreeSpan")]}),
        },
    ),
    "Log": _object(
        {
            "time_ns": _NANOS,
            "observed_time_ns": _NANOS,
            "severity_number": {"type": "integer"},
            "severity_text": _TEXT,
            "event_name": _TEXT,
            "service_name": _TEXT,
            "body": {},
            "body_type": _TEXT,
            **_ATTRIBUTES,
            "dropped_attributes_count": _COUNT,
            "flags": _COUNT,
            "trace_id": {**_TRACE_ID, "type": ["string", "null"]},
            "span_id": {**_SPAN_ID, "type": ["string", "null"]},
            **_ORIGIN,
            "received_at_ns": _NANOS,
            "project": _TEXT,
            "environment": _TEXT,
        },
        ("event_name", "service_name", "dropped_attributes_count", *_SPARSE_ORIGIN, "environment"),
    ),
    "LogPage": _object({"items": _list(_ref("Log")), "next_cursor": _MAYBE_TEXT, "from": _MAYBE_TIME, "to": _MAYBE_TIME}),
    "FeedbackRequest": {
        "oneOf": [_ref("FeedbackSent"), {**_list(_ref("FeedbackSent")), "minItems": 1, "maxItems": 1000}],
    },
    "FeedbackSent": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "allOf": [
            {"anyOf": [{"required": ["trace_id"]}, {"required": ["response_id"]}]},
            {"anyOf": [{"required": ["score"]}, {"required": ["label"]}]},
        ],
        "dependentRequired": {"span_id": ["trace_id"]},
        "properties": {
            "trace_id": _path("trace_id", 32)["schema"],
            "span_id": {**_path("span_id", 16)["schema"], "description": "Of the same trace."},
            "response_id": {**_word(1000), "description": "The provider's id of the response, `gen_ai.response.id`."},
            "name": {**_word(200), "pattern": "\\S", "description": "What is judged, such as `helpful`."},
            "score": {"type": "number"},
            "label": _word(200),
            "comment": {**_word(65536), "description": "At most 65,536 bytes of UTF-8."},
            "user_id": _word(1000),
            "time": {"description": "RFC 3339 or nanoseconds since 1970. Default: when it comes.", "type": ["string", "integer"]},
            "id": {**_word(200), "description": "The same id again replaces what was said before. Default: made by the server."},
        },
    },
    "FeedbackAnswer": _object(
        {
            "accepted": _COUNT,
            "rejected": _COUNT,
            "errors": {**_list(_object({"where": _TEXT, "message": _TEXT})), "description": "At most 100."},
        }
    ),
    "Feedback": _object(
        {
            "feedback_id": _TEXT,
            "time": _TIME,
            "time_ns": _NANOS,
            "trace_id": {**_TRACE_ID, "type": ["string", "null"]},
            "span_id": {**_SPAN_ID, "type": ["string", "null"]},
            "response_id": _MAYBE_TEXT,
            "name": _MAYBE_TEXT,
            "score": {"type": ["number", "null"]},
            "label": _MAYBE_TEXT,
            "comment": _MAYBE_TEXT,
            "user_id": _MAYBE_TEXT,
            "source": {"enum": ["api", "event"], "description": "`event`: a log record named `gen_ai.evaluation.result`."},
            "error_type": {**_MAYBE_TEXT, "description": "Why an evaluation gave no result."},
            "project": _TEXT,
            "received_at": _TIME,
        }
    ),
    "FeedbackPage": _object({"items": _list(_ref("Feedback")), "next_cursor": _MAYBE_TEXT, "from": _MAYBE_TIME, "to": _MAYBE_TIME}),
    "Figures": _object(_FIGURES),
    "Summary": _object(
        {
            "source": {"enum": ["rollups", "calls"], "description": "`rollups`: sums of minutes; `calls`: the calls themselves."},
            "exact": {"type": "boolean", "description": "Whether quantiles are exact as well; otherwise they are within 1.1 %."},
            "population": _TEXT,
            "from": _MAYBE_TIME,
            "to": _MAYBE_TIME,
            "tz": _TEXT,
            "group_by": _list(_TEXT),
            "groups": {**_COUNT, "description": "How many groups there are, told or not."},
            "notes": _list(_TEXT),
            "totals": _ref("Figures"),
            "items": _list(_object({"group": {"type": "object", "additionalProperties": _MAYBE_TEXT}, **_FIGURES})),
        }
    ),
    "Call": _object(
        {
            "trace_id": _TRACE_ID,
            "span_id": _SPAN_ID,
            "start": _TIME,
            "start_ns": _NANOS,
            "duration_ms": _NUMBER,
            "duration_ns": _NANOS,
            "ttft_ms": {**_MAYBE_NUMBER, "description": "Time to first token."},
            **{name: _MAYBE_TEXT for name in WORDS},
            "revision": _COUNT,
            "counted": {"type": "boolean"},
            "tags": _list(_TEXT),
            "streaming": {"type": ["boolean", "null"]},
            "is_error": {"type": "boolean"},
            "adjusted_count": {**_MAYBE_NUMBER, "description": "How many calls it stands for, by an incoming `ot=th`; null: unknown."},
            **{name: _MAYBE_WHOLE for name in INTEGERS},
            **{name: _USD for name in DOLLARS},
        }
    ),
    "CallPage": _object({"items": _list(_ref("Call")), "next_cursor": _MAYBE_TEXT, "from": _MAYBE_TIME, "to": _MAYBE_TIME}),
    "Forecast": _object(
        {
            "tz": _TEXT,
            "month": _TEXT,
            "complete": {"type": "boolean", "description": "The month is over."},
            "spent_usd": _USD,
            "calls": _COUNT,
            "unpriced_calls": _COUNT,
            "trend": {
                "anyOf": [
                    {"type": "null"},
                    _object({"last_7_days_usd": _USD, "previous_7_days_usd": _USD, "change": _MAYBE_NUMBER}),
                ]
            },
            "forecast": {
                "anyOf": [{"type": "null"}, _object({"total_usd": _USD, "low_usd": _USD, "high_usd": _USD, "interval": _NUMBER})],
                "description": "Of the whole month, what was spent included; `interval` is the share of futures from low to high.",
            },
            "reason": {**_MAYBE_TEXT, "description": "Why there is no forecast."},
            "method": _TEXT,
            "history_days": _COUNT,
            "days": _list(
                _object(
                    {
                        "date": {"type": "string", "format": "date"},
                        "spent_usd": _USD,
                        "calls": _COUNT,
                        "unpriced_calls": _COUNT,
                        "expected_usd": _USD,
                    },
                    ("calls", "unpriced_calls"),
                )
            ),
        }
    ),
    "Session": _object(_SESSION),
    "SessionPage": _object({"items": _list(_ref("Session")), "next_cursor": _MAYBE_TEXT, "from": _MAYBE_TIME, "to": _MAYBE_TIME}),
    "SessionDetail": _object(
        {
            **_SESSION,
            "trace_items": _list(_object(_SESSION_TRACE)),
            "more_traces": {"type": "boolean", "description": "There are more than 1,000."},
            "from": _MAYBE_TIME,
            "to": _MAYBE_TIME,
        }
    ),
    "User": _object(_USER),
    "UserPage": _object({"items": _list(_ref("User")), "next_cursor": _MAYBE_TEXT, "from": _MAYBE_TIME, "to": _MAYBE_TIME}),
    "UserDetail": _object(
        {
            **_USER,
            "days": _list(_object({"day": _LOCAL_TIME, **_SPENT})),
            "models": _list(_object({"model": _MAYBE_TEXT, **_SPENT})),
            "sessions": _list(_ref("Session")),
            "from": _MAYBE_TIME,
            "to": _MAYBE_TIME,
        }
    ),
    "ServiceList": _object({"items": _list(_object({"name": _TEXT, "count": _COUNT}))}),
    "SqlRequest": SqlRequest.model_json_schema(),
    "SqlAnswer": _object(
        {
            "columns": _list(_object({"name": _TEXT, "type": {"type": "string", "description": "DuckDB's name of the type."}})),
            "rows": _list({"type": "array"}),
            "truncated": {"type": "boolean", "description": "There were more rows than are told."},
            "row_count": _COUNT,
            "elapsed_ms": {"type": "number"},
        }
    ),
    "Status": {"type": "object", "required": ["version"], "properties": {"version": _TEXT}},
    "Ready": _object({"ready": {"type": "boolean"}, "reason": _TEXT}),
    "Health": _object({"ok": {"const": True}}),
}


def _llm_paths() -> dict[str, Any]:
    """What is asked of calls, sessions and users."""
    list_errors, one_errors = (400, 408, 421, 503), (400, 404, 408, 421, 503)
    grouping = f"Up to three of {', '.join(DIMENSIONS)}, and a time ({', '.join(UNITS)}), parted by commas."
    sort = _query("sort", {"enum": GROUP_SORTS, "default": "-last"}, "`-`: largest (latest) first.")
    return {
        "/api/v1/llm/summary": _get(
            "Calls, tokens, cost and times of calls that start in [from, to), by group and time.",
            _json(_ref("Summary"), "The groups, the dearest first; with a time every group in every bucket."),
            [
                *_WINDOW,
                _TZ,
                _query("group_by", {"type": "string", "minLength": 1, "maxLength": 200, "examples": ["model,day"]}, grouping),
                _FILTER,
                _query("order", {"enum": list(ORDERS), "default": "-cost"}, "Which groups come first."),
                _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Most groups."),
            ],
            list_errors,
            "summarizeCalls",
        ),
        "/api/v1/llm/calls": _get(
            "Calls that start in [from, to).",
            _json(_ref("CallPage"), "A page of calls."),
            [
                *_WINDOW,
                _FILTER,
                _query("counted", {"enum": ["true", "false", "all"], "default": "true"}, "Those that count, those that do not, or all."),
                _query("unpriced", {"enum": ["true", "false"], "default": "false"}, "Only those without a price."),
                _query("session", _word(), "Calls of this session."),
                _query("user", _word(), "Calls of this user."),
                _query("sort", {"enum": SORTS, "default": "-start"}, "`-`: largest (latest) first."),
                _limit(50),
                _CURSOR,
            ],
            list_errors,
            "listCalls",
        ),
        "/api/v1/llm/forecast": _get(
            "What a month cost, day by day, and what it will have cost.",
            _json(_ref("Forecast"), "The month."),
            [_TZ, _query("month", {"type": "string", "pattern": "^20[0-2][0-9]-(0[1-9]|1[0-2])$"}, "Such as 2026-01. Default: this one.")],
            list_errors,
            "forecastCost",
        ),
        "/api/v1/sessions": _get(
            "Sessions with a call or a trace that starts in [from, to); the figures are of that window.",
            _json(_ref("SessionPage"), "A page of sessions."),
            [*_WINDOW, _FILTER, _query("user", _word(1024), "Only of this user."), sort, _limit(50), _CURSOR],
            list_errors,
            "listSessions",
        ),
        "/api/v1/sessions/{id}": _get(
            "One session with its traces in order.",
            _json(_ref("SessionDetail"), "The session."),
            [_named_path("The session's id, percent-encoded."), *_WINDOW],
            one_errors,
            "getSession",
        ),
        "/api/v1/users": _get(
            "Users with a call or a trace that starts in [from, to); the figures are of that window.",
            _json(_ref("UserPage"), "A page of users."),
            [*_WINDOW, _FILTER, sort, _limit(50), _CURSOR],
            list_errors,
            "listUsers",
        ),
        "/api/v1/users/{id}": _get(
            "One user: what each day and each model cost, and the latest sessions.",
            _json(_ref("UserDetail"), "The user."),
            [_named_path("The user's id, percent-encoded."), *_WINDOW, _TZ],
            one_errors,
            "getUser",
        ),
    }


def document(version: str) -> dict[str, Any]:
    """The OpenAPI document of this server."""
    list_errors = (400, 408, 421, 503)
    one_errors = (400, 404, 408, 410, 421, 503)
    paths: dict[str, Any] = {
        "/api/v1/traces": _get(
            "Traces that start in [from, to), one item each.",
            _json(_ref("TracePage"), "A page of traces."),
            [
                *_WINDOW,
                _query("service", _word(), "Traces with a span of this service."),
                _query("status", {"enum": ["ok", "error"]}, "`error`: any span failed; `ok`: none did."),
                _query("filter", _word(), "The filter language: `cost>0.01 model:gpt-4o* status:error`; docs/FILTER.md."),
                _query("min_duration_ms", {"type": "number", "minimum": 0, "maximum": 9.2e12}, "Lasting at least this long."),
                _limit(50),
                _CURSOR,
                _query("sort", {"enum": sort_names(), "default": "-start"}, "`-`: largest (latest) first."),
            ],
            list_errors,
            "listTraces",
        ),
        "/api/v1/traces/{trace_id}": _get(
            "One trace with its spans as a flat list. `view=tree` leaves out attributes, events, links, resource and scope.",
            _json(_ref("Trace"), "The trace, streamed."),
            [_path("trace_id", 32), _query("view", {"enum": ["full", "tree"], "default": "full"}, "How much of each span.")],
            one_errors,
            "getTrace",
        ),
        "/api/v1/traces/{trace_id}/otlp": _get(
            "One trace as OTLP/JSON, as an exporter would send it; its logs are not in it.",
            _json(_object({"resourceSpans": _list(_ANY_OBJECT)}), "An `ExportTraceServiceRequest`, streamed."),
            [_path("trace_id", 32)],
            one_errors,
            "getTraceAsOtlp",
        ),
        "/api/v1/traces/{trace_id}/spans/{span_id}": _get(
            "One span in full.",
            _json(_ref("Span"), "The span."),
            [_path("trace_id", 32), _path("span_id", 16)],
            one_errors,
            "getSpan",
        ),
        "/api/v1/traces/{trace_id}/spans/{span_id}/messages": _get(
            "What was said in one span, as the GenAI conventions write it, whatever form it came in; log records of the span are joined.",
            _json(_ref("Conversation"), "The conversation."),
            [_path("trace_id", 32), _path("span_id", 16)],
            one_errors,
            "getMessages",
        ),
        "/api/v1/traces/{trace_id}/spans/{span_id}/messages/blob": _get(
            "The bytes of one large blob part, as a file to save.",
            {"description": "Known pictures and sounds by their type, else bytes.", "content": _BYTES},
            [
                _path("trace_id", 32),
                _path("span_id", 16),
                {**_query("ref", _word(LONGEST_REF), "A blob part's `ref`, unchanged."), "required": True},
            ],
            one_errors,
            "getMessageBlob",
        ),
        "/api/v1/services": _get(
            "Services of traces active in [from, to), most frequent first, at most 1,000.",
            _json(
                _ref("ServiceList"),
                "Services, and how many fragments of traces name each; a trace has one in each segment.",
            ),
            _WINDOW,
            list_errors,
            "listServices",
        ),
        "/api/v1/logs": _get(
            "Log records, latest first.",
            _json(_ref("LogPage"), "A page of log records."),
            [
                *_WINDOW,
                _query("trace_id", _path("trace_id", 32)["schema"], "Records of this trace."),
                _query("span_id", _path("span_id", 16)["schema"], "Records of this span."),
                _query("service", _word(), "Records of this service."),
                _query(
                    "severity_min", {"type": "integer", "minimum": 0, "maximum": 24}, "OTLP severity number: 9 info, 13 warn, 17 error."
                ),
                _query("text", _word(MAX_TEXT), "Records whose body contains this text, in either case."),
                _limit(100),
                _CURSOR,
            ],
            list_errors,
            "listLogs",
        ),
        "/api/v1/feedback": {
            **_get(
                "Feedback and evaluations, latest first.",
                _json(_ref("FeedbackPage"), "A page of feedback."),
                [
                    *_WINDOW,
                    _query("trace_id", _path("trace_id", 32)["schema"], "Of this trace, or of a response of it."),
                    _query("name", _word(), "What was judged."),
                    _limit(100),
                    _CURSOR,
                ],
                list_errors,
                "listFeedback",
            ),
            "post": {
                "operationId": "sendFeedback",
                "summary": "Say what a trace, a span or a response was worth. Durable when answered; a mistake refuses its object alone.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("FeedbackRequest")}}},
                "responses": {
                    "200": _json(_ref("FeedbackAnswer"), "What was taken, and every mistake."),
                    **_errors(400, 401, 403, 413, 415, 421, 503),
                },
            },
        },
        **_llm_paths(),
        **openapi_pages.paths(),
        **openapi_server.paths(),
        "/api/v1/sql": {
            "post": {
                "operationId": "sql",
                "summary": "Run one read-only SELECT (DuckDB) over the views spans, logs, metric_points, traces and feedback.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("SqlRequest")}}},
                "responses": {
                    "200": {
                        "description": "The rows; an Arrow IPC stream when `Accept` asks for it.",
                        "content": {
                            "application/json": {"schema": _ref("SqlAnswer")},
                            ARROW: {"schema": {"type": "string", "format": "binary"}},
                        },
                    },
                    **_errors(400, 403, 408, 413, 415, 421, 503),
                },
            }
        },
        "/api/v1/status": _get("What the server is doing.", _json(_ref("Status"), "Status by room."), [], (400, 421), "getStatus"),
        "/api/v1/openapi.json": _get("This document.", _json(_ANY_OBJECT, "OpenAPI 3.1."), [], (400, 421), "getOpenapi"),
        "/healthz": _get("The process answers.", _json(_ref("Health"), "It does."), [], (400, 421), "healthz"),
        "/readyz": _get("Exports are accepted.", _json(_ref("Ready"), "They are."), [], (400, 421), "readyz"),
        "/metrics": _get(
            "Prometheus metrics.", {"description": "Text exposition.", "content": {"text/plain": {"schema": _TEXT}}}, [], (421,), "metrics"
        ),
    }
    paths["/readyz"]["get"]["responses"]["503"] = _json(_ref("Ready"), "They are not, and why.")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "LLM Observatory",
            "version": version,
            "description": "Ask what was received. OTLP itself is sent to /v1/traces, /v1/logs and /v1/metrics.",
        },
        "paths": paths,
        "components": {"schemas": {**_SCHEMAS, **openapi_pages.SCHEMAS, **openapi_server.SCHEMAS}},
    }


if __name__ == "__main__":  # for the page's build, which makes its types of this
    print(json.dumps(document("0")))
