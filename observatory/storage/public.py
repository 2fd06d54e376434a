"""What the public views say of stored columns: ids as hex, times as timestamps beside exact nanoseconds, numbers of OTLP as words."""

from __future__ import annotations

import pyarrow as pa

from observatory.model.schema import schema
from observatory.model.signal import Signal

_HEX = "lower(hex({0}))"
_TIME = "make_timestamptz({0} // 1000)"  # microseconds; comparable with now(); the exact nanoseconds stand beside it
_MAP = "{0}::MAP(VARCHAR, VARCHAR)"
_JSON = "try_cast({0} AS JSON)"  # an absent resource is empty text
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_KIND = "CASE kind " + " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(_KINDS)) + " ELSE kind::VARCHAR END"
_STATUS = "CASE status_code WHEN 1 THEN 'ok' WHEN 2 THEN 'error' ELSE 'unset' END"
_TEMPORALITY = "CASE temporality WHEN 1 THEN 'delta' WHEN 2 THEN 'cumulative' ELSE 'unspecified' END"
_EVENTS = "list_transform(events, LAMBDA e : struct_update(e, time := make_timestamptz(e.time_ns // 1000)))"
_WITH_HEX = "list_transform({0}, LAMBDA l : struct_update(l, trace_id := lower(hex(l.trace_id)), span_id := lower(hex(l.span_id))))"
_DURATION = (("duration_ms", "duration_ns / 1e6"), ("duration_ns", "duration_ns"))
_UNKNOWN = "coalesce({0}::VARCHAR, 'unknown')"  # so that every call has a provider and a model to group by
_SPEED = """CASE WHEN output_tokens > 0 AND duration_ns > 0 THEN output_tokens * 1e9 / (
    duration_ns - CASE WHEN streaming AND ttft_ns > 0 AND output_tokens >= 2 AND ttft_ns < duration_ns THEN ttft_ns ELSE 0 END) END"""
"""As `rollups.tokens_per_1000_s` has it."""

_SAID: dict[Signal, dict[str, tuple[tuple[str, str], ...]]] = {
    Signal.SPANS: {
        "kind": (("kind", _KIND),),
        "start_ns": (("start_time", _TIME.format("start_ns")), ("start_ns", "start_ns")),
        "duration_ns": _DURATION,
        "status_code": (("status", _STATUS), ("status_code", "status_code")),  # the number is looked for without reading the rest
        "events": (("events", _EVENTS),),
        "links": (("links", _WITH_HEX.format("links")),),
        "observation_kind": (("observation_kind", "coalesce(observation_kind::VARCHAR, 'other')"),),
    },
    Signal.LOGS: {
        "time_ns": (("time", _TIME.format("time_ns")), ("time_ns", "time_ns")),
        "observed_time_ns": (("observed_time", _TIME.format("observed_time_ns")), ("observed_time_ns", "observed_time_ns")),
    },
    Signal.METRIC_POINTS: {
        "start_ns": (("start_time", _TIME.format("start_ns")), ("start_ns", "start_ns")),
        "time_ns": (("time", _TIME.format("time_ns")), ("time_ns", "time_ns")),
        "temporality": (("temporality", _TEMPORALITY),),
        "metadata": (("metadata", _JSON.format("metadata")),),
        "exemplars": (("exemplars", _WITH_HEX.format("exemplars")),),
    },
    Signal.FEEDBACK: {"time_ns": (("time", _TIME.format("time_ns")), ("time_ns", "time_ns"))},
    Signal.LLM_CALLS: {
        "start_ns": (("ts", _TIME.format("start_ns")), ("start_ns", "start_ns")),
        "provider": (("provider", _UNKNOWN.format("provider")),),
        "model_name": (("model_name", _UNKNOWN.format("model_name")),),
        "duration_ns": _DURATION,
        "ttft_ns": (("ttft_ms", "ttft_ns / 1e6"), ("ttft_ns", "ttft_ns")),
        "facts": (),  # for judging again, of no use to anyone else
        "parent_span_id": (),  # likewise, and mostly null: the span says it
        "total_tokens": (("total_tokens", "total_tokens"), ("tokens_per_second", _SPEED)),
    },
    Signal.SPAN_ROLLUPS: {
        "start_ns": (("minute", _TIME.format("start_ns")), ("start_ns", "start_ns")),
        "kind": (("kind", _KIND),),
        "status_code": (("status", _STATUS),),
    },
    Signal.LLM_ROLLUPS: {
        "start_ns": (("minute", _TIME.format("start_ns")), ("start_ns", "start_ns")),
        "provider": (("provider", _UNKNOWN.format("provider")),),
        "model_name": (("model_name", _UNKNOWN.format("model_name")),),
    },
}
_SAID_OF_ALL = {
    "trace_id": (("trace_id", _HEX.format("trace_id")),),
    "span_id": (("span_id", _HEX.format("span_id")),),
    "parent_span_id": (("parent_span_id", _HEX.format("parent_span_id")),),
    "attributes": (("attributes", _MAP.format("attributes")),),
    "resource": (("resource", _JSON.format("resource")),),
    "scope_attributes": (("scope_attributes", _JSON.format("scope_attributes")),),
    "received_at": (("received_at", _TIME.format("received_at")),),
}


def public_columns(signal: Signal) -> list[tuple[str, str, str]]:
    """The columns of a view: (name, SQL expression, stored column it stands for)."""
    found: list[tuple[str, str, str]] = []
    for field in schema(signal):
        text = pa.types.is_dictionary(field.type)
        plain = ((field.name, f"{field.name}::VARCHAR" if text else field.name),)
        said = _SAID[signal].get(field.name, _SAID_OF_ALL.get(field.name, plain))
        found.extend((name, expression, field.name) for name, expression in said)
    return found


def selected(signal: Signal) -> str:
    """What a SELECT over stored rows says to give the view's columns."""
    return ", ".join(f"{expression} AS {name}" for name, expression, _ in public_columns(signal))


def parquet(files: list[str]) -> str:
    """A table function over these files."""
    return "read_parquet([" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "])"
