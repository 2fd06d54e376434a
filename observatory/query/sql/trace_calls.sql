-- The calls of one trace, those that do not count as well. The times of its spans bound the files that are read.
SELECT
    span_id,
    counted,
    not_counted_reason,
    provider,
    model_name,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    total_tokens,
    total_cost_usd,
    reported_cost_usd,
    price_source,
    unpriced_reason,
    session_id,
    user_id
FROM llm_calls
WHERE start_ns BETWEEN $low AND $high AND trace_id = $trace_id
ORDER BY start_ns, span_id
