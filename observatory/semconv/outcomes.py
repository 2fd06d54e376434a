"""How calls ended, where only log records say it: message events (`gen_ai.choice`) and the details event of the GenAI conventions.

The same events repeat usage; it is never counted a second time. Their content is read when a span is opened (`messages/`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from observatory.model.schema import SPAN_ID, TRACE_ID
from observatory.semconv import finish
from observatory.semconv.response import finish_of_messages

EVENTS = ("gen_ai.choice", "gen_ai.client.inference.operation.details")
COLUMNS = ("trace_id", "span_id", "event_name", "body", "attributes")
"""What is read of log records."""

OUTCOMES = pa.schema([("trace_id", TRACE_ID), ("span_id", SPAN_ID), ("finish_reason", pa.string())])


def outcome_events(records: pa.RecordBatch) -> pa.RecordBatch:
    """The records (with at least COLUMNS) that may say how a call ended; asks each distinct event name once."""
    names = records.column("event_name")
    wanted = pc.call_function("is_in", [names.dictionary], pc.SetLookupOptions(value_set=pa.array(EVENTS)))
    if not pc.call_function("any", [wanted]).as_py():
        return records.slice(0, 0).select(COLUMNS)
    return records.select(COLUMNS).filter(wanted.take(names.indices))


def read_outcomes(events: Sequence[pa.RecordBatch]) -> pa.Table:
    """Of `outcome_events`: for each that belongs to a span and names a reason, the reason in our words. Never raises for content."""
    found: list[dict[str, Any]] = []
    for event in (row for batch in events for row in batch.to_pylist()):
        if event["trace_id"] is None or event["span_id"] is None:
            continue
        reason = _of_choice(event["body"]) if event["event_name"] == EVENTS[0] else _of_details(dict(event["attributes"]))
        if reason is not None:
            found.append({"trace_id": event["trace_id"], "span_id": event["span_id"], "finish_reason": reason})
    return pa.Table.from_pylist(found, OUTCOMES)


def _of_choice(body: str) -> str | None:
    choice = _json(body)
    said = choice.get("finish_reason") if isinstance(choice, dict) else None
    return finish.reason(said) if isinstance(said, str) else None


def _of_details(attributes: dict[str, str]) -> str | None:
    said = finish.normalise(attributes.get("gen_ai.response.finish_reasons", ""))
    if said is None and (messages := attributes.get("gen_ai.output.messages")):
        said = finish_of_messages(_json(messages)).get("finish_reason")
    return said


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
