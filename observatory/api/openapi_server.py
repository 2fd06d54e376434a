"""The part of the OpenAPI document about the server itself: what it keeps for people, what is configured, sampled and priced anew."""

from __future__ import annotations

from typing import Any

from observatory.api.openapi_parts import (
    ANY_OBJECT,
    COUNT,
    MAYBE_TEXT,
    TEXT,
    TIME,
    get_of,
    json_answer,
    list_of,
    object_of,
    ref,
    refusals,
)
from observatory.api.saved import KIND, LONGEST_NAME

SCHEMAS: dict[str, Any] = {
    "Sampling": object_of(
        {
            "keeps_everything": {"type": "boolean"},
            "policies": list_of(
                object_of(
                    {
                        "name": TEXT,
                        "settles": {"enum": ["at once", "grows", "at end"]},
                        **{f"{what}_{of}": COUNT for what in ("kept", "dropped") for of in ("traces", "spans")},
                    }
                )
            ),
            "spans": object_of({"taken": COUNT, "kept": COUNT, "dropped": ANY_OBJECT, "open": COUNT}),
            "traces": object_of({"kept": COUNT, "dropped": COUNT, "open": COUNT}),
            "open": object_of({"bytes": COUNT, "oldest_s": {"type": "number"}}),
            "late": ANY_OBJECT,
            "evicted_early": COUNT,
            "decisions": object_of({"bytes": COUNT, "reaches_back_s": {"type": ["number", "null"]}}),
        }
    ),
    "Recomputation": {
        "type": "object",
        "required": ["state"],
        "properties": {
            "state": {"enum": ["none", "running", "done"]},
            **{name: TEXT for name in ("from", "to", "done_to")},
            **{name: COUNT for name in ("calls", "changed")},
            **{name: {**TEXT, "description": "Decimal, exact."} for name in ("cost_before_usd", "cost_after_usd")},
        },
    },
    "Saved": object_of({"kind": TEXT, "name": TEXT, "body": ANY_OBJECT, "updated_at": TIME}),
    "SavedList": object_of({"items": list_of(ref("Saved"))}),
    "Settings": object_of(
        {
            "file": {**MAYBE_TEXT, "description": "The configuration file."},
            "sections": list_of(
                object_of(
                    {
                        "name": TEXT,
                        "says": TEXT,
                        "keys": list_of(
                            object_of(
                                {
                                    "key": TEXT,
                                    "value": {"description": "In force; a secret is `***`, a list of secrets has one for each."},
                                    "default": {},
                                    "set_by": {
                                        **MAYBE_TEXT,
                                        "description": "The file, a variable or a flag; null: the default.",
                                    },
                                    "environment": {"type": "string", "description": "The environment variable that sets it."},
                                    "takes": TEXT,
                                    "says": {"type": "string", "description": "What it means."},
                                    "secret": {"type": "boolean"},
                                }
                            )
                        ),
                    }
                )
            ),
        }
    ),
}


def paths() -> dict[str, Any]:
    """What is asked."""
    return {
        **_saved(),
        "/api/v1/prices/recompute": _recompute(),
        "/api/v1/sampling": get_of(
            "What sampling keeps, by policy.", json_answer(ref("Sampling"), "Figures of this moment."), [], (400, 421), "getSampling"
        ),
        "/api/v1/settings": get_of(
            "What is configured, what set it, and what it means.", json_answer(ref("Settings"), "Every key."), [], (400, 421), "getSettings"
        ),
    }


def _recompute() -> dict[str, Any]:
    answer = json_answer(ref("Recomputation"), "How far it is.")
    window = {"type": "object", "required": ["from", "to"], "properties": {"from": TEXT, "to": TEXT}, "additionalProperties": False}
    return {
        **get_of("How far the last repricing is.", answer, [], (400, 421), "getRecomputation"),
        "post": {
            "operationId": "recomputePrices",
            "summary": "Price stored calls that started in [from, to) anew, at the prices in force now. GET says how far it is.",
            "requestBody": {"required": True, "content": {"application/json": {"schema": window}}},
            "responses": {"200": answer, **refusals(400, 403, 415, 421)},
        },
    }


def _saved() -> dict[str, Any]:
    """What people save."""
    kind = {
        "name": "kind",
        "in": "path",
        "required": True,
        "description": "What sort of document: `query` and `view` are the page's; any other name may be used.",
        "schema": {"type": "string", "pattern": f"^{KIND}$"},
        "example": "query",
    }
    name = {
        "name": "name",
        "in": "path",
        "required": True,
        "description": "Printable characters, percent-encoded.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": "^[!-~]+( [!-~]+)*$"},
        "example": "tokens by model",
    }
    return {
        "/api/v1/saved/{kind}": get_of(
            "The documents of a kind that people saved, by name.",
            json_answer(ref("SavedList"), "The documents, whole."),
            [kind],
            (400, 421),
            "listSaved",
        ),
        "/api/v1/saved/{kind}/{name}": {
            **get_of("One document.", json_answer(ref("Saved"), "The document."), [kind, name], (400, 404, 421), "getSaved"),
            "put": {
                "operationId": "save",
                "summary": "Save a document, in place of the one of that name. Durable when answered.",
                "parameters": [kind, name],
                "requestBody": {"required": True, "content": {"application/json": {"schema": ANY_OBJECT}}},
                "responses": {"200": json_answer(ref("Saved"), "As it was saved."), **refusals(400, 403, 408, 413, 415, 421, 503)},
            },
            "delete": {
                "operationId": "deleteSaved",
                "summary": "Forget a document. Durable when answered.",
                "parameters": [kind, name],
                "responses": {"204": {"description": "It is gone."}, **refusals(400, 403, 404, 408, 421, 503)},
            },
        },
    }
