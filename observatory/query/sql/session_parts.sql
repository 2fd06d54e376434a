-- The traces of one session (or user) in order, each with what its calls add up to, and the first and the last call: where the conversation begins and
-- where its last answer is.
WITH
    mine AS (
        SELECT * FROM llm_metrics WHERE {key} = $id AND start_ns >= $from_ns AND start_ns < $to_ns
    ),
    of_calls AS (
        SELECT
            trace_id,
            count(*)::BIGINT AS calls,
            count_if(is_error)::BIGINT AS errors,
            count_if(unpriced_reason IS NOT NULL)::BIGINT AS unpriced_calls,
            least(coalesce(sum(input_tokens), 0), 9223372036854775807)::BIGINT AS input_tokens,
            least(coalesce(sum(output_tokens), 0), 9223372036854775807)::BIGINT AS output_tokens,
            least(coalesce(sum(total_tokens), 0), 9223372036854775807)::BIGINT AS total_tokens,
            coalesce(sum(total_cost_usd), 0) AS total_cost_usd,
            list_sort(list_distinct(list(model_name))) AS models,
            arg_min(span_id, (start_ns, span_id)) AS first_call,
            arg_max(span_id, (start_ns::HUGEINT + duration_ns, span_id)) AS last_call,
            min(start_ns) AS first_ns,
            max(least(start_ns::HUGEINT + duration_ns, 9223372036854775807))::BIGINT AS last_ns
        FROM mine
        GROUP BY trace_id
    )
SELECT
    coalesce(t.trace_id, c.trace_id) AS trace_id,
    t.root_name,
    least(t.start_ns, c.first_ns) AS first_ns,
    greatest(t.end_ns, c.last_ns) AS last_ns,
    t.span_count,
    t.error_count AS error_spans,
    coalesce(c.calls, 0) AS calls,
    coalesce(c.errors, 0) AS errors,
    coalesce(c.unpriced_calls, 0) AS unpriced_calls,
    coalesce(c.input_tokens, 0) AS input_tokens,
    coalesce(c.output_tokens, 0) AS output_tokens,
    coalesce(c.total_tokens, 0) AS total_tokens,
    coalesce(c.total_cost_usd, 0) AS total_cost_usd,
    coalesce(c.models, []) AS models,
    c.first_call,
    c.last_call
FROM of_calls AS c
FULL JOIN (SELECT * FROM traces_of WHERE {key} = $id) AS t ON t.trace_id = c.trace_id
ORDER BY first_ns, trace_id
LIMIT $rows
