"""What the API says of itself: OpenAPI 3.1. Tests send what it allows, and more, to a running server and hold it to every answer."""

from __future__ import annotations

from typing import Any

from observatory.api.sql import ARROW, SqlRequest
from observatory.query.logs import MAX_TEXT
from observatory.query.traces import sort_names

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_NANOS = {"type": "string", "pattern": "^-?[0-9]+$", "description": "Nanoseconds (since 1970 where it is a time), as text."}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$", "description": "RFC 3339 in UTC with nine digits."}
_MAYBE_TIME = {**_TIME, "type": ["string", "null"]}
_TRACE_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_SPAN_ID = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_ANY_OBJECT = {"type": "object"}
_TIME_IN = {
    "type": "string",
    "pattern": r"^(-?[0-9]{1,18}|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z)$",
    "description": "RFC 3339 (any offset), or nanoseconds since 1970.",
    "examples": ["2026-01-31T09:30:00Z", "1769851800000000000"],
}


def _object(properties: dict[str, Any], optional: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": [name for name in properties if name not in optional], "properties": properties, **more}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _word(longest: int = 4096) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": "^[^\\u0000]*$"}


def _path(name: str, digits: int) -> dict[str, Any]:
    pattern = f"^[0-9a-fA-F]{{{digits - 1}}}[1-9a-fA-F]$"
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": f"^[0-9a-fA-F]{{{digits}}}$"},
        "example": "1" * digits,
    } | ({"schema": {"type": "string", "pattern": pattern}})


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
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "http_status_code")
_WORDS = ("operation", "provider", "request_model", "response_model", "error_type", "agent_name", "tool_name")
_FULL_WORDS = ("response_id", "finish_reasons", "session_id", "user_id", "environment", "project", "service_name")
_TYPED = {
    **{name: {"type": ["integer", "string"], "description": "Text beyond 2^53."} for name in _TOKENS},
    **{name: _TEXT for name in (*_WORDS, *_FULL_WORDS)},
    "time_to_first_token_s": {"type": "number"},
    "streaming": {"type": "boolean"},
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

_SCHEMAS: dict[str, Any] = {
    "Error": _object(
        {"error": _object({"code": _TEXT, "message": _TEXT, "where": {"type": "string", "description": "The parameter or place meant."}})}
    ),
    "TraceItem": _object(_TRACE_FACTS),
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
        },
        ("trace_state", *_SPARSE_ORIGIN, *(name for name in _TYPED if name != "project")),
    ),
    "TreeSpan": _object({**_SPAN_FACTS, "has_events": {"type": "boolean"}, "event_count": _COUNT, **_TYPED}, tuple(_TYPED)),
    "Trace": _object(
        {**_TRACE_FACTS, "view": {"enum": ["full", "tree"]}, "spans": _list({"anyOf": [_ref("Span"), _ref("TreeSpan")]})},
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


def _json(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _errors(*statuses: int) -> dict[str, Any]:
    said = {
        400: "The request is not understood; `where` names the parameter or the place in the query.",
        401: "A key of `receivers.api_keys` is needed.",
        403: "A page of another origin may not do this.",
        404: "Nothing of that name was ever stored here.",
        408: "It took longer than its deadline.",
        410: "It was stored here and no longer is; the message says why.",
        413: "The body is too large.",
        415: "The body is not uncompressed JSON.",
        421: "The Host header names another server.",
        503: "Too much is being asked, or the server is not ready; Retry-After says when to ask again.",
    }
    return {str(status): _json(_ref("Error"), said[status]) for status in statuses}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_WINDOW = [
    _query("from", _TIME_IN, "Not before this time. Default: everything."),
    _query("to", _TIME_IN, "Before this time. Default: everything."),
]
_CURSOR = _query("cursor", {"type": "string", "minLength": 1}, "`next_cursor` of the page before, unchanged.")


def _limit(default: int) -> dict[str, Any]:
    return _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": default}, "Most items of the page.")


def _get(summary: str, answer: dict[str, Any], parameters: list[dict[str, Any]], errors: tuple[int, ...], operation: str) -> dict[str, Any]:
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "parameters": parameters,
            "responses": {"200": answer, **_errors(*errors)},
        }
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
        "/api/v1/traces/{trace_id}/spans/{span_id}": _get(
            "One span in full.",
            _json(_ref("Span"), "The span."),
            [_path("trace_id", 32), _path("span_id", 16)],
            one_errors,
            "getSpan",
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
        "components": {"schemas": _SCHEMAS},
    }
