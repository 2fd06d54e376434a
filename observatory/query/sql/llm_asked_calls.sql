-- The calls of a window as a summary sees them: `{dimensions}` (k0, k1, k2) are what it groups by, `slot` leads to a bucket of time.
-- Tokens per second are of the time in which tokens came: the whole call, or what followed the first token when they came one by one. The same rule
-- as in the rollups, so that both sources mean the same. Not of `llm_metrics`: a filter may name columns that only `llm_calls` has.
SELECT
    {dimensions}
    (start_ns - $first_ns) // $slot_ns AS slot,
    is_error,
    unpriced_reason,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    total_tokens,
    input_cost_usd,
    cache_read_cost_usd,
    cache_write_cost_usd,
    output_cost_usd,
    other_cost_usd,
    total_cost_usd,
    duration_ns,
    ttft_ns,
    CASE
        WHEN output_tokens <= 0 THEN NULL
        WHEN streaming AND ttft_ns > 0 AND output_tokens >= 2 AND duration_ns > ttft_ns THEN output_tokens * 1e9 / (duration_ns - ttft_ns)
        WHEN duration_ns > 0 THEN output_tokens * 1e9 / duration_ns
    END AS tokens_per_second
FROM llm_calls
WHERE counted AND start_ns >= $from_ns AND start_ns < $to_ns AND {filter}
