"""The words that the OpenAPI document is put together from."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}
COUNT = {"type": "integer", "minimum": 0}
NANOS = {"type": "string", "pattern": "^-?[0-9]+$", "description": "Nanoseconds (since 1970 where it is a time), as text."}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$", "description": "RFC 3339 in UTC with nine digits."}
MAYBE_TIME = {**TIME, "type": ["string", "null"]}
TRACE_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
SPAN_ID = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
ANY_OBJECT = {"type": "object"}
TIME_IN = {
    "type": "string",
    "pattern": r"^(-?[0-9]{1,18}|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z)$",
    "description": "RFC 3339 (any offset), or nanoseconds since 1970.",
    "examples": ["2026-01-31T09:30:00Z", "1769851800000000000"],
}


def object_of(properties: dict[str, Any], optional: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """An object that has all these properties but the optional ones."""
    return {"type": "object", "required": [name for name in properties if name not in optional], "properties": properties, **more}


def list_of(of: dict[str, Any]) -> dict[str, Any]:
    """An array."""
    return {"type": "array", "items": of}


def ref(name: str) -> dict[str, Any]:
    """A schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def word(longest: int = 4096) -> dict[str, Any]:
    """Text that is not empty and has no zero character."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": "^[^\\u0000]*$"}


def id_path(name: str, digits: int) -> dict[str, Any]:
    """A hexadecimal id in the path."""
    pattern = f"^[0-9a-fA-F]{{{digits - 1}}}[1-9a-fA-F]$"
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": f"^[0-9a-fA-F]{{{digits}}}$"},
        "example": "1" * digits,
    } | ({"schema": {"type": "string", "pattern": pattern}})


NUMBER = {"type": "number"}
MAYBE_NUMBER = {"type": ["number", "null"]}
WHOLE = {"type": ["integer", "string"], "description": "Text beyond 2^53."}
MAYBE_WHOLE = {"type": ["integer", "string", "null"], "description": "Text beyond 2^53."}
USD = {
    "type": ["string", "null"],
    "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
    "description": "Dollars, exactly. Null where no dollar is known: `unpriced_calls` says how many calls have no price.",
}


def json_answer(schema: dict[str, Any], description: str) -> dict[str, Any]:
    """An answer of JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def refusals(*statuses: int) -> dict[str, Any]:
    """What else may be answered."""
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
    return {str(status): json_answer(ref("Error"), said[status]) for status in statuses}


def parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """A parameter of the query string that may be left out."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


WINDOW = [
    parameter("from", TIME_IN, "Not before this time. Default: everything."),
    parameter("to", TIME_IN, "Before this time. Default: everything."),
]
CURSOR = parameter("cursor", {"type": "string", "minLength": 1}, "`next_cursor` of the page before, unchanged.")


def limit_of(default: int) -> dict[str, Any]:
    """How many items a page has."""
    return parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": default}, "Most items of the page.")


def get_of(
    summary: str, answer: dict[str, Any], parameters: list[dict[str, Any]], statuses: tuple[int, ...], operation: str
) -> dict[str, Any]:
    """What one `GET` is."""
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "parameters": parameters,
            "responses": {"200": answer, **refusals(*statuses)},
        }
    }


TZ = parameter(
    "tz", {"type": "string", "minLength": 1, "maxLength": 64}, "Time zone of days and buckets, such as Europe/Berlin. Default: UTC."
)
FILTER = parameter("filter", word(), "In the filter language, such as `model:gpt-4o cost>0.01`.")


def named_path(description: str) -> dict[str, Any]:
    """A name in the path."""
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1},
        "example": "a",
    }


def counted_as(*counts: str, parts: tuple[str, ...] = ()) -> dict[str, Any]:
    """What is said of counts that are estimates where sampling thinned: of those of the same object, by name, and of arrays of them."""
    errors = {**{name: MAYBE_NUMBER for name in counts}, **{name: list_of(MAYBE_NUMBER) for name in parts}}
    return {
        "exact": {"type": "boolean", "description": "False: some traces of the window stand for others, or only some rows were looked at."},
        "standard_error": {
            **object_of(errors),
            "type": ["object", "null"],
            "description": "Of each count that is estimated; null in it: cannot be told. Null where all are exact.",
        },
    }
