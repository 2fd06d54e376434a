"""What a span says of a call of a model, in one vocabulary: the columns that counting and pricing work on."""

from __future__ import annotations

import pyarrow as pa

from observatory.model.schema import SPAN_ID, TEXT, TRACE_ID, USD

CANDIDATES = pa.schema(
    [
        # identity, as in spans
        ("trace_id", TRACE_ID),
        ("span_id", SPAN_ID),
        ("parent_span_id", SPAN_ID),
        ("start_ns", pa.int64()),
        ("duration_ns", pa.int64()),  # mended: never shorter than the time to first token or than what the span itself says it took
        ("received_at", pa.int64()),
        ("project", TEXT),
        ("service_name", TEXT),
        ("environment", TEXT),
        ("application", TEXT),
        # what it is
        ("observation_kind", TEXT),  # llm, embedding, reranker; agent or chain for a span that only repeats or sums up usage
        ("native_sdk", pa.bool_()),  # made by the provider's own SDK, which others wrap
        ("never_counts", TEXT),  # a reason why it is no call whatever else arrives; null: it may count
        ("has_usage", pa.bool_()),
        ("has_output", pa.bool_()),  # messages, a text or a finish reason came back
        ("is_error", pa.bool_()),
        ("provider", TEXT),
        ("model_name", TEXT),
        ("request_model", TEXT),
        ("operation", TEXT),
        ("convention", TEXT),
        ("prompt_name", TEXT),
        ("prompt_version", TEXT),
        ("ttft_ns", pa.int64()),
        ("streaming", pa.bool_()),
        # usage: input with the cached tokens, output with the reasoning ones
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("cache_read_tokens", pa.int64()),
        ("cache_write_tokens", pa.int64()),
        ("reasoning_tokens", pa.int64()),
        ("cache_write_1h_tokens", pa.int64()),
        ("input_audio_tokens", pa.int64()),
        ("output_audio_tokens", pa.int64()),
        ("usage_flags", TEXT),
        ("service_tier", TEXT),
        ("server_address", TEXT),
        ("reported_cost_usd", USD),
        ("finish_reason", TEXT),
        ("error_type", TEXT),
        ("error_class", TEXT),
        ("http_status_code", pa.int64()),
        ("response_id", pa.string()),
        ("adjusted_count", pa.float64()),
    ]
)
