"""The part of the OpenAPI document about what pages are made of: rows and what stands around them, failures, prices."""

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
    USD,
    WINDOW,
    counted_as,
    get_of,
    json_answer,
    limit_of,
    list_of,
    object_of,
    parameter,
    ref,
    word,
)
from observatory.query.errors import ORDERS
from observatory.query.explore import KINDS
from observatory.query.filtering.fields import Kind
from observatory.query.spans import SORTS, TOKENS, WORDS

_LIST = (400, 408, 421, 503)
_DOLLARS = {"type": "object", "additionalProperties": USD, "description": "Dollars for a million, by unit; per request or second for one."}

_OF = parameter("of", {"enum": list(KINDS), "default": "traces"}, "What the rows are.")
SCHEMAS: dict[str, Any] = {
    "SpanItem": object_of(
        {
            "trace_id": TRACE_ID,
            "span_id": SPAN_ID,
            "start": TIME,
            "start_ns": NANOS,
            "duration_ms": NUMBER,
            "duration_ns": NANOS,
            "ttft_ms": {**MAYBE_NUMBER, "description": "Time to first token."},
            **{name: MAYBE_TEXT for name in WORDS},
            **{name: MAYBE_WHOLE for name in TOKENS},
        }
    ),
    "SpanPage": object_of({"items": list_of(ref("SpanItem")), "next_cursor": MAYBE_TEXT, "from": MAYBE_TIME, "to": MAYBE_TIME}),
    "Histogram": object_of(
        {
            "of": {"enum": list(KINDS)},
            "from": TIME,
            "to": TIME,
            "slot_ns": {**NANOS, "description": "How long a part is; whole minutes where there are that many."},
            "total": COUNT,
            "failed": COUNT,
            **counted_as("total", "failed", parts=("counts", "errors")),
            "counts": list_of(COUNT),
            "errors": list_of(COUNT),
        }
    ),
    "Facets": object_of(
        {
            "of": {"enum": list(KINDS)},
            "exact": {"type": "boolean", "description": "False: some traces stand for others, or only `share` of the rows was looked at."},
            "share": NUMBER,
            "facets": list_of(
                object_of(
                    {
                        "field": TEXT,
                        "groups": {**COUNT, "description": "How many different values there are, told or not; of a sample, in it."},
                        "values": list_of(object_of({"value": TEXT, "count": COUNT, **counted_as("count")})),
                    }
                )
            ),
        }
    ),
    "Fields": object_of(
        {
            "of": {"enum": list(KINDS)},
            "fields": list_of(
                object_of(
                    {
                        "name": TEXT,
                        "also": list_of(TEXT),
                        "kind": {"enum": [str(kind) for kind in Kind]},
                        "about": TEXT,
                        "words": {**list_of(TEXT), "description": "All values there can be, where these are few."},
                        "values": {"type": "boolean", "description": "Whether `facets` counts its values."},
                    }
                )
            ),
        }
    ),
    "ErrorGroup": object_of(
        {
            "service_name": MAYBE_TEXT,
            "name": {**TEXT, "description": "Name of the span that failed."},
            "observation_kind": MAYBE_TEXT,
            "error_type": MAYBE_TEXT,
            "message": {**MAYBE_TEXT, "description": "Of the latest failure, at most 1,000 characters."},
            "pattern": {**MAYBE_TEXT, "description": "The message with numbers and ids taken out, as the group has it in common."},
            "count": {**COUNT, "description": "Failures in the window."},
            "before": {"type": ["integer", "null"], "description": "Failures in the seven days before it; null without `from`. 0: new."},
            "traces": {**COUNT, "description": "Traces that have them."},
            **counted_as("count", "before", "traces"),
            "models": list_of(TEXT),
            "first": TIME,
            "last": TIME,
            "trace_id": {**TRACE_ID, "description": "Of the latest failure."},
            "span_id": SPAN_ID,
            "slots": {**list_of(COUNT), "description": "Failures in each 40th of the window; `slot_ns` is how long that is."},
        }
    ),
    "ErrorList": object_of(
        {
            "items": list_of(ref("ErrorGroup")),
            "groups": {**COUNT, "description": "How many there are, told or not."},
            "failures": {**COUNT, "description": "In all of them."},
            **counted_as("failures"),
            "slot_ns": NANOS,
            "from": MAYBE_TIME,
            "to": MAYBE_TIME,
        }
    ),
    "ModelPrice": object_of(
        {
            "provider": TEXT,
            "model": {**TEXT, "description": "As the price list names it."},
            "source": {**TEXT, "description": "What calls that it was applied to have in `price_source`."},
            "free": {"type": "boolean"},
            "usd_per_million": _DOLLARS,
            "above": list_of(object_of({"input_tokens": COUNT, "usd_per_million": _DOLLARS})),
            "service_tiers": {**list_of(TEXT), "description": "Names under which other prices exist."},
        }
    ),
    "ModelPrices": object_of({"items": list_of(ref("ModelPrice"))}),
}


def paths() -> dict[str, Any]:
    """What is asked."""
    return {
        **_rows(),
        "/api/v1/errors": get_of(
            "Failed spans that start in [from, to), put together by service, span, class and message, where the failure began.",
            json_answer(ref("ErrorList"), "The groups."),
            [
                *WINDOW,
                FILTER,
                parameter("order", {"enum": list(ORDERS), "default": "-count"}, "Which groups come first."),
                limit_of(50),
            ],
            _LIST,
            "listErrors",
        ),
        "/api/v1/prices": get_of(
            "What a model costs now: the price that applies first, and the others.",
            json_answer(ref("ModelPrices"), "None when no such model is known."),
            [
                {**parameter("model", word(512), "A model as applications name it."), "required": True},
                parameter("provider", word(512), "A provider as applications name it."),
            ],
            (400, 421),
            "listPrices",
        ),
    }


def _rows() -> dict[str, Any]:
    return {
        "/api/v1/spans": get_of(
            "Spans that start in [from, to), one item each.",
            json_answer(ref("SpanPage"), "A page of spans."),
            [
                *WINDOW,
                FILTER,
                parameter("sort", {"enum": SORTS, "default": "-start"}, "`-`: largest (latest) first."),
                limit_of(50),
                CURSOR,
            ],
            _LIST,
            "listSpans",
        ),
        "/api/v1/histogram": get_of(
            "How rows lie in time: how many there are in equal parts of [from, to), and how many of them failed.",
            json_answer(ref("Histogram"), "The parts."),
            [_OF, *WINDOW, FILTER, parameter("slots", {"type": "integer", "minimum": 1, "maximum": 500, "default": 60}, "Most parts.")],
            _LIST,
            "histogram",
        ),
        "/api/v1/facets": get_of(
            "The most frequent values of some fields of the filter language, among rows that start in [from, to).",
            json_answer(ref("Facets"), "Values by field."),
            [
                _OF,
                *WINDOW,
                FILTER,
                {
                    **parameter("fields", {**word(400), "examples": ["service,status"]}, "At most twelve, by commas."),
                    "required": True,
                },
                parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}, "Most values of a field."),
                parameter("prefix", word(200), "Only values that have this text inside, in either case."),
            ],
            _LIST,
            "facets",
        ),
        "/api/v1/fields": get_of(
            "What a filter can ask of rows.", json_answer(ref("Fields"), "The fields."), [_OF], (400, 421), "listFields"
        ),
        "/api/v1/tail": get_of(
            "Spans as they become durable: an event `spans` at most every 250 ms, while there are any.",
            {
                "description": "`data`: `spans`, `matched`, `skipped` (not looked at: the listener was slow) and the latest 50 `items`.",
                "content": {"text/event-stream": {"schema": TEXT}},
            },
            [FILTER, parameter("rows", {"enum": ["true", "false"], "default": "true"}, "Whether spans are told, or only how many.")],
            (400, 421, 503),
            "tail",
        ),
    }
