"""The part of the OpenAPI document about calls of models, and the sessions and users they are of."""

from __future__ import annotations

from typing import Any

from observatory.api.openapi_parts import (
    COUNT,
    CURSOR,
    FILTER,
    MAYBE_NUMBER,
    MAYBE_TEXT,
    MAYBE_TIME,
    MAYBE_WHOLE,
    NANOS,
    NUMBER,
    SPAN_ID,
    TEXT,
    TIME,
    TRACE_ID,
    TZ,
    USD,
    WHOLE,
    WINDOW,
    counted_as,
    get_of,
    json_answer,
    limit_of,
    list_of,
    named_path,
    object_of,
    parameter,
    ref,
    word,
)
from observatory.query.buckets import UNITS
from observatory.query.llm_calls import DOLLARS, INTEGERS, SORTS, WORDS
from observatory.query.llm_summary import DIMENSIONS, ORDERS
from observatory.query.sessions import SORTS as GROUP_SORTS

_LOCAL_TIME = {"type": "string", "description": "RFC 3339 with the offset that holds there."}
_QUANTILES = object_of({name: MAYBE_NUMBER for name in ("p50", "p95", "p99")})
_FIGURES = {
    "calls": COUNT,
    "errors": COUNT,
    "error_rate": MAYBE_NUMBER,
    **{f"{kind}_tokens": WHOLE for kind in ("input", "output", "cache_read", "cache_write", "reasoning", "total")},
    **{f"{part}_cost_usd": USD for part in ("input", "cache_read", "cache_write", "output", "other", "total")},
    "unpriced_calls": COUNT,
    "latency_ms": _QUANTILES,
    "ttft_ms": _QUANTILES,
    "tokens_per_second": object_of({"p50": MAYBE_NUMBER}),
}
_SPENT = {
    "calls": COUNT,
    "errors": COUNT,
    "input_tokens": WHOLE,
    "output_tokens": WHOLE,
    "total_tokens": WHOLE,
    "total_cost_usd": USD,
    "unpriced_calls": COUNT,
}
_GROUP = {
    "traces": COUNT,
    **_SPENT,
    "error_spans": {**COUNT, "description": "Spans that failed, of traces that name it."},
    **counted_as("traces", "error_spans"),
    "models": list_of(TEXT),
    "first": TIME,
    "last": TIME,
    "duration_ms": NUMBER,
}
_SESSION = {"session_id": TEXT, "users": list_of(TEXT), **_GROUP}
_USER = {"user_id": TEXT, "sessions": list_of(TEXT), **_GROUP}
_SESSION_TRACE = {
    "trace_id": TRACE_ID,
    "root_name": MAYBE_TEXT,
    "start": TIME,
    "start_ns": NANOS,
    "duration_ms": NUMBER,
    "span_count": {"type": ["integer", "null"]},
    **_SPENT,
    "error_spans": {"type": ["integer", "null"]},
    "models": list_of(TEXT),
    "first_call_span_id": {**SPAN_ID, "type": ["string", "null"]},
    "last_call_span_id": {**SPAN_ID, "type": ["string", "null"]},
}

SCHEMAS: dict[str, Any] = {
    "Figures": object_of(_FIGURES),
    "Summary": object_of(
        {
            "source": {"enum": ["rollups", "calls"], "description": "`rollups`: sums of minutes; `calls`: the calls themselves."},
            "exact": {"type": "boolean", "description": "Whether quantiles are exact as well; otherwise they are within 1.1 %."},
            "population": TEXT,
            "from": MAYBE_TIME,
            "to": MAYBE_TIME,
            "tz": TEXT,
            "group_by": list_of(TEXT),
            "groups": {**COUNT, "description": "How many groups there are, told or not."},
            "notes": list_of(TEXT),
            "totals": ref("Figures"),
            "items": list_of(object_of({"group": {"type": "object", "additionalProperties": MAYBE_TEXT}, **_FIGURES})),
        }
    ),
    "Top": object_of(
        {
            "by": {"enum": list(DIMENSIONS)},
            "population": TEXT,
            "from": MAYBE_TIME,
            "to": MAYBE_TIME,
            "groups": {**COUNT, "description": "How many groups there are, told or not."},
            "items": list_of(
                object_of(
                    {
                        "name": MAYBE_TEXT,
                        "calls": COUNT,
                        "errors": COUNT,
                        "total_tokens": WHOLE,
                        "total_cost_usd": USD,
                        "unpriced_calls": COUNT,
                    }
                )
            ),
        }
    ),
    "Call": object_of(
        {
            "trace_id": TRACE_ID,
            "span_id": SPAN_ID,
            "start": TIME,
            "start_ns": NANOS,
            "duration_ms": NUMBER,
            "duration_ns": NANOS,
            "ttft_ms": {**MAYBE_NUMBER, "description": "Time to first token."},
            **{name: MAYBE_TEXT for name in WORDS},
            "revision": COUNT,
            "counted": {"type": "boolean"},
            "tags": list_of(TEXT),
            "streaming": {"type": ["boolean", "null"]},
            "is_error": {"type": "boolean"},
            "adjusted_count": {**MAYBE_NUMBER, "description": "How many calls it stands for, by an incoming `ot=th`; null: unknown."},
            **{name: MAYBE_WHOLE for name in INTEGERS},
            **{name: USD for name in DOLLARS},
        }
    ),
    "CallPage": object_of({"items": list_of(ref("Call")), "next_cursor": MAYBE_TEXT, "from": MAYBE_TIME, "to": MAYBE_TIME}),
    "Forecast": object_of(
        {
            "tz": TEXT,
            "month": TEXT,
            "complete": {"type": "boolean", "description": "The month is over."},
            "spent_usd": USD,
            "calls": COUNT,
            "unpriced_calls": COUNT,
            "trend": {
                "anyOf": [
                    {"type": "null"},
                    object_of({"last_7_days_usd": USD, "previous_7_days_usd": USD, "change": MAYBE_NUMBER}),
                ]
            },
            "forecast": {
                "anyOf": [{"type": "null"}, object_of({"total_usd": USD, "low_usd": USD, "high_usd": USD, "interval": NUMBER})],
                "description": "Of the whole month, what was spent included; `interval` is the share of futures from low to high.",
            },
            "reason": {**MAYBE_TEXT, "description": "Why there is no forecast."},
            "method": TEXT,
            "history_days": COUNT,
            "days": list_of(
                object_of(
                    {
                        "date": {"type": "string", "format": "date"},
                        "spent_usd": USD,
                        "calls": COUNT,
                        "unpriced_calls": COUNT,
                        "expected_usd": USD,
                    },
                    ("calls", "unpriced_calls"),
                )
            ),
        }
    ),
    "Session": object_of(_SESSION),
    "SessionPage": object_of({"items": list_of(ref("Session")), "next_cursor": MAYBE_TEXT, "from": MAYBE_TIME, "to": MAYBE_TIME}),
    "SessionDetail": object_of(
        {
            **_SESSION,
            "trace_items": list_of(object_of(_SESSION_TRACE)),
            "more_traces": {"type": "boolean", "description": "There are more than 1,000."},
            "from": MAYBE_TIME,
            "to": MAYBE_TIME,
        }
    ),
    "User": object_of(_USER),
    "UserPage": object_of({"items": list_of(ref("User")), "next_cursor": MAYBE_TEXT, "from": MAYBE_TIME, "to": MAYBE_TIME}),
    "UserDetail": object_of(
        {
            **_USER,
            "days": list_of(object_of({"day": _LOCAL_TIME, **_SPENT})),
            "models": list_of(object_of({"model": MAYBE_TEXT, **_SPENT})),
            "sessions": list_of(ref("Session")),
            "from": MAYBE_TIME,
            "to": MAYBE_TIME,
        }
    ),
}


def paths() -> dict[str, Any]:
    """What is asked."""
    list_errors, one_errors = (400, 408, 421, 503), (400, 404, 408, 421, 503)
    grouping = f"Up to three of {', '.join(DIMENSIONS)}, and a time ({', '.join(UNITS)}), parted by commas."
    sort = parameter("sort", {"enum": GROUP_SORTS, "default": "-last"}, "`-`: largest (latest) first.")
    return {
        "/api/v1/llm/summary": get_of(
            "Calls, tokens, cost and times of calls that start in [from, to), by group and time.",
            json_answer(ref("Summary"), "The groups, the dearest first; with a time every group in every bucket."),
            [
                *WINDOW,
                TZ,
                parameter("group_by", {"type": "string", "minLength": 1, "maxLength": 200, "examples": ["model,day"]}, grouping),
                FILTER,
                parameter("order", {"enum": list(ORDERS), "default": "-cost"}, "Which groups come first."),
                parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Most groups."),
            ],
            list_errors,
            "summarizeCalls",
        ),
        "/api/v1/llm/top": get_of(
            "The first groups of one dimension, with few figures: a quick summary of calls that start in [from, to).",
            json_answer(ref("Top"), "The groups, the dearest first."),
            [
                *WINDOW,
                parameter("by", {"enum": list(DIMENSIONS), "default": "model"}, "The dimension."),
                FILTER,
                parameter("order", {"enum": list(ORDERS), "default": "-cost"}, "Which groups come first."),
                limit_of(10),
            ],
            list_errors,
            "rankCalls",
        ),
        "/api/v1/llm/calls": get_of(
            "Calls that start in [from, to).",
            json_answer(ref("CallPage"), "A page of calls."),
            [
                *WINDOW,
                FILTER,
                parameter("counted", {"enum": ["true", "false", "all"], "default": "true"}, "Those that count, those that do not, or all."),
                parameter("unpriced", {"enum": ["true", "false"], "default": "false"}, "Only those without a price."),
                parameter("session", word(), "Calls of this session."),
                parameter("user", word(), "Calls of this user."),
                parameter("sort", {"enum": SORTS, "default": "-start"}, "`-`: largest (latest) first."),
                limit_of(50),
                CURSOR,
            ],
            list_errors,
            "listCalls",
        ),
        "/api/v1/llm/forecast": get_of(
            "What a month cost, day by day, and what it will have cost.",
            json_answer(ref("Forecast"), "The month."),
            [
                TZ,
                parameter("month", {"type": "string", "pattern": "^20[0-2][0-9]-(0[1-9]|1[0-2])$"}, "Such as 2026-01. Default: this one."),
            ],
            list_errors,
            "forecastCost",
        ),
        "/api/v1/sessions": get_of(
            "Sessions with a call or a trace that starts in [from, to); the figures are of that window.",
            json_answer(ref("SessionPage"), "A page of sessions."),
            [*WINDOW, FILTER, parameter("user", word(1024), "Only of this user."), sort, limit_of(50), CURSOR],
            list_errors,
            "listSessions",
        ),
        "/api/v1/sessions/{id}": get_of(
            "One session with its traces in order.",
            json_answer(ref("SessionDetail"), "The session."),
            [named_path("The session's id, percent-encoded."), *WINDOW],
            one_errors,
            "getSession",
        ),
        "/api/v1/users": get_of(
            "Users with a call or a trace that starts in [from, to); the figures are of that window.",
            json_answer(ref("UserPage"), "A page of users."),
            [*WINDOW, FILTER, sort, limit_of(50), CURSOR],
            list_errors,
            "listUsers",
        ),
        "/api/v1/users/{id}": get_of(
            "One user: what each day and each model cost, and the latest sessions.",
            json_answer(ref("UserDetail"), "The user."),
            [named_path("The user's id, percent-encoded."), *WINDOW, TZ],
            one_errors,
            "getUser",
        ),
    }
