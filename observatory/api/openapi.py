"""What the API says of itself: OpenAPI 3.1. Tests send what it allows, and more, to a running server and hold it to every answer."""

from __future__ import annotations

import json
from typing import Any

from observatory.api import openapi_llm, openapi_pages, openapi_server, openapi_traces
from observatory.api.openapi_parts import (
    ANY_OBJECT,
    COUNT,
    CURSOR,
    MAYBE_TEXT,
    MAYBE_TIME,
    NANOS,
    SPAN_ID,
    TEXT,
    TIME,
    TRACE_ID,
    WINDOW,
    get_of,
    id_path,
    json_answer,
    limit_of,
    list_of,
    object_of,
    parameter,
    ref,
    refusals,
    word,
)
from observatory.api.sql import ARROW, SqlRequest

SCHEMAS: dict[str, Any] = {
    "Error": object_of(
        {"error": object_of({"code": TEXT, "message": TEXT, "where": {"type": "string", "description": "The parameter or place meant."}})}
    ),
    "FeedbackRequest": {
        "oneOf": [ref("FeedbackSent"), {**list_of(ref("FeedbackSent")), "minItems": 1, "maxItems": 1000}],
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
            "trace_id": id_path("trace_id", 32)["schema"],
            "span_id": {**id_path("span_id", 16)["schema"], "description": "Of the same trace."},
            "response_id": {**word(1000), "description": "The provider's id of the response, `gen_ai.response.id`."},
            "name": {**word(200), "pattern": "\\S", "description": "What is judged, such as `helpful`."},
            "score": {"type": "number"},
            "label": word(200),
            "comment": {**word(65536), "description": "At most 65,536 bytes of UTF-8."},
            "user_id": word(1000),
            "time": {"description": "RFC 3339 or nanoseconds since 1970. Default: when it comes.", "type": ["string", "integer"]},
            "id": {**word(200), "description": "The same id again replaces what was said before. Default: made by the server."},
        },
    },
    "FeedbackAnswer": object_of(
        {
            "accepted": COUNT,
            "rejected": COUNT,
            "errors": {**list_of(object_of({"where": TEXT, "message": TEXT})), "description": "At most 100."},
        }
    ),
    "Feedback": object_of(
        {
            "feedback_id": TEXT,
            "time": TIME,
            "time_ns": NANOS,
            "trace_id": {**TRACE_ID, "type": ["string", "null"]},
            "span_id": {**SPAN_ID, "type": ["string", "null"]},
            "response_id": MAYBE_TEXT,
            "name": MAYBE_TEXT,
            "score": {"type": ["number", "null"]},
            "label": MAYBE_TEXT,
            "comment": MAYBE_TEXT,
            "user_id": MAYBE_TEXT,
            "source": {"enum": ["api", "event"], "description": "`event`: a log record named `gen_ai.evaluation.result`."},
            "error_type": {**MAYBE_TEXT, "description": "Why an evaluation gave no result."},
            "project": TEXT,
            "received_at": TIME,
        }
    ),
    "FeedbackPage": object_of({"items": list_of(ref("Feedback")), "next_cursor": MAYBE_TEXT, "from": MAYBE_TIME, "to": MAYBE_TIME}),
    "SqlRequest": SqlRequest.model_json_schema(),
    "SqlAnswer": object_of(
        {
            "columns": list_of(object_of({"name": TEXT, "type": {"type": "string", "description": "DuckDB's name of the type."}})),
            "rows": list_of({"type": "array"}),
            "truncated": {"type": "boolean", "description": "There were more rows than are told."},
            "row_count": COUNT,
            "elapsed_ms": {"type": "number"},
        }
    ),
    "Status": {"type": "object", "required": ["version"], "properties": {"version": TEXT}},
    "Ready": object_of({"ready": {"type": "boolean"}, "reason": TEXT}),
    "Health": object_of({"ok": {"const": True}}),
}


def document(version: str) -> dict[str, Any]:
    """The OpenAPI document of this server."""
    list_errors = (400, 408, 421, 503)
    paths: dict[str, Any] = {
        **openapi_traces.paths(),
        "/api/v1/feedback": {
            **get_of(
                "Feedback and evaluations, latest first.",
                json_answer(ref("FeedbackPage"), "A page of feedback."),
                [
                    *WINDOW,
                    parameter("trace_id", id_path("trace_id", 32)["schema"], "Of this trace, or of a response of it."),
                    parameter("name", word(), "What was judged."),
                    limit_of(100),
                    CURSOR,
                ],
                list_errors,
                "listFeedback",
            ),
            "post": {
                "operationId": "sendFeedback",
                "summary": "Say what a trace, a span or a response was worth. Durable when answered; a mistake refuses its object alone.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": ref("FeedbackRequest")}}},
                "responses": {
                    "200": json_answer(ref("FeedbackAnswer"), "What was taken, and every mistake."),
                    **refusals(400, 401, 403, 413, 415, 421, 503),
                },
            },
        },
        **openapi_llm.paths(),
        **openapi_pages.paths(),
        **openapi_server.paths(),
        "/api/v1/sql": {
            "post": {
                "operationId": "sql",
                "summary": "Run one read-only SELECT (DuckDB) over the views spans, logs, metric_points, traces and feedback.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": ref("SqlRequest")}}},
                "responses": {
                    "200": {
                        "description": "The rows; an Arrow IPC stream when `Accept` asks for it.",
                        "content": {
                            "application/json": {"schema": ref("SqlAnswer")},
                            ARROW: {"schema": {"type": "string", "format": "binary"}},
                        },
                    },
                    **refusals(400, 403, 408, 413, 415, 421, 503),
                },
            }
        },
        "/api/v1/status": get_of("What the server is doing.", json_answer(ref("Status"), "Status by room."), [], (400, 421), "getStatus"),
        "/api/v1/openapi.json": get_of("This document.", json_answer(ANY_OBJECT, "OpenAPI 3.1."), [], (400, 421), "getOpenapi"),
        "/healthz": get_of("The process answers.", json_answer(ref("Health"), "It does."), [], (400, 421), "healthz"),
        "/readyz": get_of("Exports are accepted.", json_answer(ref("Ready"), "They are."), [], (400, 421), "readyz"),
        "/metrics": get_of(
            "Prometheus metrics.", {"description": "Text exposition.", "content": {"text/plain": {"schema": TEXT}}}, [], (421,), "metrics"
        ),
    }
    paths["/readyz"]["get"]["responses"]["503"] = json_answer(ref("Ready"), "They are not, and why.")
    rooms = (openapi_traces, openapi_llm, openapi_pages, openapi_server)
    schemas = SCHEMAS | {name: schema for room in rooms for name, schema in room.SCHEMAS.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "LLM Observatory",
            "version": version,
            "description": "Ask what was received. OTLP itself is sent to /v1/traces, /v1/logs and /v1/metrics.",
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


if __name__ == "__main__":  # for the page's build, which makes its types of this
    print(json.dumps(document("0")))
