"""The columns of every signal, in the order of `pyarrow` schemas; the kernel, the journal, segments and SQL all follow this file.

Conventions
  * Ids are fixed-size binary here and in files; views, the API and writers show lower-case hex.
  * Times are int64 nanoseconds since 1970. OTLP's are uint64: they are stored bit for bit, so a nonsense time beyond 2262 reads
    negative but round-trips; `end = start_ns + duration_ns` modulo 2**64.
  * Text that repeats (names, keys, resources) is a dictionary: in the journal an index of 4 bytes instead of the text.
  * `attributes` is a map of text in the order received; `attribute_types` has one letter for each entry, so that every OTLP value
    round-trips: `s` string, `i` int, `d` double, `b` bool, `y` bytes (base64), `e` empty, `a` array, `k` key-value list.
    Arrays, key-value lists, `resource` and `scope_attributes` are JSON text by the rules of `model/anyvalue.py`.
    A key that occurs again in one attribute list (OTLP forbids it, DuckDB refuses such maps) is stored as `key#2`, `key#3` …, and
    its letter is upper case.
  * Typed columns (`service_name`, `operation`, …) are derived from attributes by the routes of `semconv/routes.py`; the attributes stay.
"""

from __future__ import annotations

from functools import cache

import pyarrow as pa

from observatory.model.signal import Signal

SCHEMA_VERSION = 3

TEXT = pa.dictionary(pa.int32(), pa.string())
ATTRIBUTES = pa.map_(TEXT, pa.string())
TRACE_ID = pa.binary(16)
SPAN_ID = pa.binary(8)
USD = pa.decimal128(18, 12)
"""Money, exact in any order of addition: 64 bits of 10^-12 dollars, up to 9.2 million dollars a row."""


def _field(name: str, type_: pa.DataType, null: bool = False) -> pa.Field:
    return pa.field(name, type_, nullable=null)


EVENT = pa.struct(
    [
        _field("time_ns", pa.int64()),
        _field("name", TEXT),
        _field("attributes", ATTRIBUTES),
        _field("attribute_types", pa.string()),
        _field("dropped_attributes_count", pa.uint32()),
    ]
)
LINK = pa.struct(
    [
        # plain binary: a link's ids are kept as sent, whatever their length
        _field("trace_id", pa.binary()),
        _field("span_id", pa.binary()),
        _field("trace_state", pa.string()),
        _field("attributes", ATTRIBUTES),
        _field("attribute_types", pa.string()),
        _field("dropped_attributes_count", pa.uint32()),
        _field("flags", pa.uint32()),
    ]
)
QUANTILE = pa.struct([_field("quantile", pa.float64()), _field("value", pa.float64())])
EXEMPLAR = pa.struct(
    [
        _field("time_ns", pa.int64()),
        _field("double_value", pa.float64(), null=True),
        _field("int_value", pa.int64(), null=True),
        _field("trace_id", pa.binary()),
        _field("span_id", pa.binary()),
        _field("attributes", ATTRIBUTES),
        _field("attribute_types", pa.string()),
    ]
)

_ORIGIN = [
    _field("resource", TEXT),
    _field("resource_dropped_attributes_count", pa.uint32()),
    _field("resource_schema_url", TEXT),
    _field("scope_name", TEXT),
    _field("scope_version", TEXT),
    _field("scope_attributes", TEXT),
    _field("scope_dropped_attributes_count", pa.uint32()),
    _field("scope_schema_url", TEXT),
]
_ARRIVAL = [
    _field("service_name", TEXT, null=True),
    _field("environment", TEXT, null=True),
    _field("received_at", pa.int64()),
    _field("project", TEXT),
]

_SPANS = [
    _field("trace_id", TRACE_ID),
    _field("span_id", SPAN_ID),
    _field("parent_span_id", SPAN_ID, null=True),
    _field("trace_state", pa.string()),
    _field("flags", pa.uint32()),
    _field("name", TEXT),
    _field("kind", pa.int32()),
    _field("start_ns", pa.int64()),
    _field("duration_ns", pa.int64()),
    _field("status_code", pa.int32()),
    _field("status_message", pa.string()),
    _field("attributes", ATTRIBUTES),
    _field("attribute_types", pa.string()),
    _field("dropped_attributes_count", pa.uint32()),
    _field("events", pa.list_(_field("item", EVENT))),
    _field("dropped_events_count", pa.uint32()),
    _field("links", pa.list_(_field("item", LINK))),
    _field("dropped_links_count", pa.uint32()),
    *_ORIGIN,
    *_ARRIVAL,
    _field("operation", TEXT, null=True),
    _field("provider", TEXT, null=True),
    _field("request_model", TEXT, null=True),
    _field("response_model", TEXT, null=True),
    _field("response_id", pa.string(), null=True),
    _field("input_tokens", pa.int64(), null=True),
    _field("output_tokens", pa.int64(), null=True),
    _field("cache_read_tokens", pa.int64(), null=True),
    _field("cache_write_tokens", pa.int64(), null=True),
    _field("reasoning_tokens", pa.int64(), null=True),
    _field("time_to_first_token_s", pa.float64(), null=True),
    _field("streaming", pa.bool_(), null=True),
    _field("finish_reasons", TEXT, null=True),
    _field("error_type", TEXT, null=True),
    _field("http_status_code", pa.int64(), null=True),
    _field("session_id", pa.string(), null=True),
    _field("user_id", pa.string(), null=True),
    _field("agent_name", TEXT, null=True),
    _field("tool_name", TEXT, null=True),
    _field(
        "observation_kind", TEXT, null=True
    ),  # llm, embedding, agent, chain, tool, retriever, reranker, guardrail, evaluator; null: other
    _field("convention", TEXT, null=True),  # whose attribute names the span speaks: otel, openinference, openllmetry, vercel, langfuse …
    _field("input_audio_tokens", pa.int64(), null=True),
    _field("output_audio_tokens", pa.int64(), null=True),
    _field("cache_write_1h_tokens", pa.int64(), null=True),  # the part of cache_write_tokens that is kept for an hour
    _field("service_tier", TEXT, null=True),
    _field("reported_cost_usd", pa.float64(), null=True),  # what the client says the call cost
    _field("server_address", TEXT, null=True),
    _field("tags", TEXT, null=True),  # as received: an array as JSON text, or names parted by commas
    _field("prompt_name", TEXT, null=True),
    _field("prompt_version", TEXT, null=True),
    # what sampling made of its trace; null in the journal
    _field("adjusted_count", pa.float64(), null=True),  # how many traces this one stands for; null: unknown, or not decided
    _field("decided_by", TEXT, null=True),  # the policies that kept it, parted by commas
]

_LOGS = [
    _field("time_ns", pa.int64()),
    _field("observed_time_ns", pa.int64()),
    _field("severity_number", pa.int32()),
    _field("severity_text", TEXT),
    _field("event_name", TEXT),
    _field("body", pa.string()),
    _field("body_type", TEXT),
    _field("attributes", ATTRIBUTES),
    _field("attribute_types", pa.string()),
    _field("dropped_attributes_count", pa.uint32()),
    _field("flags", pa.uint32()),
    _field("trace_id", TRACE_ID, null=True),
    _field("span_id", SPAN_ID, null=True),
    *_ORIGIN,
    *_ARRIVAL,
]

_METRIC_POINTS = [
    _field("name", TEXT),
    _field("description", TEXT),
    _field("unit", TEXT),
    _field("metadata", TEXT),
    _field("kind", TEXT),  # gauge, sum, histogram, exponential_histogram, summary
    _field("temporality", pa.int32()),
    _field("is_monotonic", pa.bool_()),
    _field("start_ns", pa.int64()),
    _field("time_ns", pa.int64()),
    _field("flags", pa.uint32()),
    _field("attributes", ATTRIBUTES),
    _field("attribute_types", pa.string()),
    _field("double_value", pa.float64(), null=True),
    _field("int_value", pa.int64(), null=True),
    _field("count", pa.uint64(), null=True),
    _field("sum", pa.float64(), null=True),
    _field("min", pa.float64(), null=True),
    _field("max", pa.float64(), null=True),
    _field("bucket_counts", pa.list_(pa.uint64())),
    _field("explicit_bounds", pa.list_(pa.float64())),
    _field("scale", pa.int32(), null=True),
    _field("zero_count", pa.uint64(), null=True),
    _field("zero_threshold", pa.float64(), null=True),
    _field("positive_offset", pa.int32(), null=True),
    _field("positive_counts", pa.list_(pa.uint64())),
    _field("negative_offset", pa.int32(), null=True),
    _field("negative_counts", pa.list_(pa.uint64())),
    _field("quantiles", pa.list_(_field("item", QUANTILE))),
    _field("exemplars", pa.list_(_field("item", EXEMPLAR))),
    *_ORIGIN,
    *_ARRIVAL,
]

# One row for each trace and segment that holds spans of it; readers add the rows of one trace together.
_TRACES = [
    _field("trace_id", TRACE_ID),
    _field("project", TEXT),
    _field("start_ns", pa.int64()),
    _field("end_ns", pa.int64()),
    _field("span_count", pa.int64()),
    _field("error_count", pa.int64()),
    _field("has_root", pa.bool_()),
    _field("root_start_ns", pa.int64()),  # of the root span, or of the earliest span while no root is known
    _field("root_name", TEXT),
    _field("service_name", TEXT, null=True),  # of the same span
    _field("services", pa.list_(_field("item", pa.string()))),  # every service of the trace, sorted, distinct
    _field("received_at", pa.int64()),  # the latest
    # of the calls that count; signed, because a call that turns out not to count is taken back by a row of its own
    _field("llm_calls", pa.int64()),
    _field("input_tokens", pa.int64()),
    _field("output_tokens", pa.int64()),
    _field("total_cost_usd", USD),
    _field("unpriced_calls", pa.int64()),
    _field("models", pa.list_(_field("item", pa.string()))),  # every model that was called, sorted, distinct
    _field("session_id", pa.string(), null=True),  # the first that a span of the trace names
    _field("user_id", pa.string(), null=True),
    _field("adjusted_count", pa.float64(), null=True),  # as of its spans
    _field("decided_by", TEXT, null=True),
]

# What a person, a program or an evaluator said of a trace, a span or a response; at least one of the three is named.
_FEEDBACK = [
    _field("feedback_id", pa.string()),
    _field("time_ns", pa.int64()),
    _field("trace_id", TRACE_ID, null=True),
    _field("span_id", SPAN_ID, null=True),
    _field("response_id", pa.string(), null=True),
    _field("name", TEXT),  # what was judged: `helpful`, `correctness`
    _field("score", pa.float64(), null=True),
    _field("label", TEXT, null=True),
    _field("comment", pa.string(), null=True),
    _field("user_id", pa.string(), null=True),
    _field("received_at", pa.int64()),
    _field("project", TEXT),
]

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens")
COSTS = ("input_cost_usd", "cache_read_cost_usd", "cache_write_cost_usd", "output_cost_usd", "other_cost_usd", "total_cost_usd")
"""The parts of a call's cost and their sum: input that was not cached, reads and writes of the cache, output (reasoning included), and fees
by request or second."""

# One row for each revision of a call. The key is (start_ns, trace_id, span_id); the highest revision is the truth.
_LLM_CALLS = [
    _field("start_ns", pa.int64()),
    _field("trace_id", TRACE_ID),
    _field("span_id", SPAN_ID),
    # for judging again after a restart: null where nothing above can change how the call counts. 5 B a call, an eighth of what one takes
    _field("parent_span_id", SPAN_ID, null=True),
    _field("revision", pa.int32()),
    _field("counted", pa.bool_()),
    _field("not_counted_reason", TEXT, null=True),
    _field("provider", TEXT, null=True),
    _field("model_name", TEXT, null=True),  # the response's model, else the request's
    _field("request_model", TEXT, null=True),
    _field("operation", TEXT, null=True),
    _field("observation_kind", TEXT),
    _field("convention", TEXT, null=True),
    _field("application", TEXT),  # observatory.project, else service.namespace, else service.name
    _field("service_name", TEXT, null=True),
    _field("environment", TEXT, null=True),
    _field("user_id", pa.string(), null=True),
    _field("session_id", pa.string(), null=True),
    _field("tags", pa.list_(_field("item", pa.string()))),
    _field("prompt_name", TEXT, null=True),
    _field("prompt_version", TEXT, null=True),
    _field("duration_ns", pa.int64()),
    _field("ttft_ns", pa.int64(), null=True),
    _field("streaming", pa.bool_(), null=True),
    *(_field(name, pa.int64(), null=True) for name in _TOKENS),  # input: cached ones included; output: reasoning included
    _field("cache_write_1h_tokens", pa.int64(), null=True),
    _field("input_audio_tokens", pa.int64(), null=True),
    _field("output_audio_tokens", pa.int64(), null=True),
    _field("service_tier", TEXT, null=True),
    _field("server_address", TEXT, null=True),
    *(_field(name, USD, null=True) for name in COSTS),
    _field("reported_cost_usd", USD, null=True),
    _field("price_source", TEXT, null=True),  # which price was applied; null when none was
    _field("unpriced_reason", TEXT, null=True),  # why there is no cost: unknown_model, no_usage; null when there is one or none is due
    _field("usage_flags", TEXT, null=True),  # what was mended in the usage: clamped, made_inclusive
    _field("finish_reason", TEXT, null=True),  # stop, length, tool_call, content_filter, error, or as received
    _field("is_error", pa.bool_()),
    _field("error_type", TEXT, null=True),
    _field("error_class", TEXT, null=True),
    _field("http_status_code", pa.int64(), null=True),
    _field("response_id", pa.string(), null=True),
    _field("adjusted_count", pa.float64(), null=True),  # how many calls it stands for, by an incoming `ot=th`; null: unknown
    _field("facts", pa.int32()),  # bits that judging needs again after a restart: 1 is a call, 2 the SDK's own span, 4 never counts
    _field("received_at", pa.int64()),
    _field("project", TEXT),
]


def _histogram(name: str) -> list[pa.Field]:
    """An exponential histogram of scale 6 in sparse, signed buckets: bucket i holds values in (2^(i/64), 2^((i+1)/64)]; ascending."""
    item = pa.list_(_field("item", pa.int32())), pa.list_(_field("item", pa.int64()))
    return [_field(f"{name}_buckets", item[0]), _field(f"{name}_counts", item[1])]


_SPAN_ROLLUPS = [
    _field("start_ns", pa.int64()),  # of the minute
    _field("project", TEXT),
    _field("service_name", TEXT, null=True),
    _field("name", TEXT),  # `<other>` beyond 2,000 keys of a service and minute
    _field("kind", pa.int32()),
    _field("observation_kind", TEXT),
    _field("status_code", pa.int32()),
    _field("count", pa.int64()),
    _field("error_count", pa.int64()),
    _field("duration_ns_sum", pa.float64()),
    *_histogram("duration_ns"),
    _field("received_at", pa.int64()),  # the latest
]

_LLM_ROLLUPS = [
    _field("start_ns", pa.int64()),  # of the minute
    _field("project", TEXT),
    _field("application", TEXT),
    _field("service_name", TEXT, null=True),
    _field("environment", TEXT, null=True),
    _field("provider", TEXT, null=True),
    _field("model_name", TEXT, null=True),  # `<other>` beyond 2,000 keys of a service and minute
    _field("operation", TEXT, null=True),
    _field("calls", pa.int64()),
    _field("error_calls", pa.int64()),
    _field("unpriced_calls", pa.int64()),
    *(_field(name, pa.int64()) for name in _TOKENS),
    *(_field(name, USD) for name in COSTS),
    _field("duration_ns_sum", pa.float64()),
    *_histogram("duration_ns"),
    *_histogram("ttft_ns"),
    *_histogram("tokens_per_1000_s"),  # output tokens per 1,000 seconds, so that slow calls are told apart as finely as fast ones
    _field("received_at", pa.int64()),  # the latest
]

_FIELDS = {
    Signal.SPANS: _SPANS,
    Signal.LOGS: _LOGS,
    Signal.METRIC_POINTS: _METRIC_POINTS,
    Signal.TRACES: _TRACES,
    Signal.FEEDBACK: _FEEDBACK,
    Signal.LLM_CALLS: _LLM_CALLS,
    Signal.SPAN_ROLLUPS: _SPAN_ROLLUPS,
    Signal.LLM_ROLLUPS: _LLM_ROLLUPS,
}


@cache
def schema(signal: Signal) -> pa.Schema:
    """The columns of `signal` at the current `SCHEMA_VERSION`."""
    return pa.schema(_FIELDS[signal])


def time_column(signal: Signal) -> str:
    """The column that dates a row of `signal` (int64 nanoseconds)."""
    return "time_ns" if signal in (Signal.LOGS, Signal.METRIC_POINTS, Signal.FEEDBACK) else "start_ns"
