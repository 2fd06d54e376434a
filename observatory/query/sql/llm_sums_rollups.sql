-- `llm_sums_calls.sql` from the sums of minutes: exact too, decimals in any order. The quantiles are `llm_histogram.sql`.
WITH asked AS ({asked})
SELECT
    series,
    nth,
    sum(calls)::BIGINT AS calls,
    sum(error_calls)::BIGINT AS errors,
    sum(unpriced_calls)::BIGINT AS unpriced_calls,
    least(sum(input_tokens), 9223372036854775807)::BIGINT AS input_tokens,
    least(sum(output_tokens), 9223372036854775807)::BIGINT AS output_tokens,
    least(sum(cache_read_tokens), 9223372036854775807)::BIGINT AS cache_read_tokens,
    least(sum(cache_write_tokens), 9223372036854775807)::BIGINT AS cache_write_tokens,
    least(sum(reasoning_tokens), 9223372036854775807)::BIGINT AS reasoning_tokens,
    least(sum(total_tokens), 9223372036854775807)::BIGINT AS total_tokens,
    sum(input_cost_usd) AS input_cost_usd,
    sum(cache_read_cost_usd) AS cache_read_cost_usd,
    sum(cache_write_cost_usd) AS cache_write_cost_usd,
    sum(output_cost_usd) AS output_cost_usd,
    sum(other_cost_usd) AS other_cost_usd,
    sum(total_cost_usd) AS total_cost_usd
FROM asked {placed}
GROUP BY series, nth
HAVING sum(calls) > 0
ORDER BY series, nth
