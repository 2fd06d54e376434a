-- The figures of each group and bucket, exactly. A quantile is a value that occurred, of rank ceil(q * n): between two far apart the sums of minutes
-- could not agree with an interpolated one. `{placed}` joins the groups and buckets that are told.
WITH asked AS ({asked})
SELECT
    series,
    nth,
    count(*) AS calls,
    count_if(is_error)::BIGINT AS errors,
    count_if(unpriced_reason IS NOT NULL)::BIGINT AS unpriced_calls,
    least(coalesce(sum(input_tokens), 0), 9223372036854775807)::BIGINT AS input_tokens,
    least(coalesce(sum(output_tokens), 0), 9223372036854775807)::BIGINT AS output_tokens,
    least(coalesce(sum(cache_read_tokens), 0), 9223372036854775807)::BIGINT AS cache_read_tokens,
    least(coalesce(sum(cache_write_tokens), 0), 9223372036854775807)::BIGINT AS cache_write_tokens,
    least(coalesce(sum(reasoning_tokens), 0), 9223372036854775807)::BIGINT AS reasoning_tokens,
    least(coalesce(sum(total_tokens), 0), 9223372036854775807)::BIGINT AS total_tokens,
    coalesce(sum(input_cost_usd), 0) AS input_cost_usd,
    coalesce(sum(cache_read_cost_usd), 0) AS cache_read_cost_usd,
    coalesce(sum(cache_write_cost_usd), 0) AS cache_write_cost_usd,
    coalesce(sum(output_cost_usd), 0) AS output_cost_usd,
    coalesce(sum(other_cost_usd), 0) AS other_cost_usd,
    coalesce(sum(total_cost_usd), 0) AS total_cost_usd,
    quantile_disc(duration_ns, [0.5, 0.95, 0.99]) AS duration_ns,
    quantile_disc(ttft_ns, [0.5, 0.95, 0.99]) AS ttft_ns,
    quantile_disc(tokens_per_second, [0.5]) AS tokens_per_second
FROM asked {placed}
GROUP BY series, nth
ORDER BY series, nth
