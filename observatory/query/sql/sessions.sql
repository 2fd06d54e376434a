-- Sessions (or users: `{key}`) put together from the calls that count and from what their traces know. A session without a call is one all the same.
-- `{others}` is the other of the two columns. `traces_of` has one row for each trace and key; a call's own session may differ from its trace's.
-- A trace with a call is known whether its spans were kept or not; one without stands for as many of its like as sampling says, and so do failed
-- spans (query/estimate.py). `{asked}` is everything, or only the id: then DuckDB leaves out what the order does not need, above all the lists, and
-- everything is asked of those on a page alone: a third of the processor for a million traces. Counted by `alone`, whether a kept trace has no call here, which is only asked where some trace stands for more.
WITH
    of_calls AS (
        SELECT
            {key} AS id,
            trace_id,
            count(*) AS calls,
            count_if(is_error) AS errors,
            count_if(unpriced_reason IS NOT NULL) AS unpriced_calls,
            coalesce(sum(input_tokens), 0) AS input_tokens,
            coalesce(sum(output_tokens), 0) AS output_tokens,
            coalesce(sum(total_tokens), 0) AS total_tokens,
            coalesce(sum(total_cost_usd), 0) AS total_cost_usd,
            list_distinct(list(model_name)) AS models,
            list_distinct(list({others})) AS others,
            min(start_ns) AS first_ns,
            max(least(start_ns::HUGEINT + duration_ns, 9223372036854775807))::BIGINT AS last_ns
        FROM llm_calls
        WHERE counted AND {key} IS NOT NULL AND start_ns >= $from_ns AND start_ns < $to_ns AND {filter}
        GROUP BY ALL
    ),
    told AS (
        SELECT * FROM of_calls
        UNION ALL BY NAME
        SELECT
            {key} AS id, trace_id, error_count AS trace_errors, start_ns AS first_ns, end_ns AS last_ns,
            stands_for AS w, unknown_count AS unknown, {alone} AS alone,
            CASE WHEN {others} IS NULL THEN [] ELSE [{others}] END AS others
        FROM traces_of
        WHERE {key} IS NOT NULL AND {among}
    ),
    facts AS (
        SELECT
            id,
            count(DISTINCT trace_id) + coalesce(sum(w - 1) FILTER (alone), 0) AS traces,
            variance_of_estimate(alone::INTEGER, w) AS traces_variance,
            coalesce(bool_or(unknown AND alone), false) AS traces_unknown,
            coalesce(sum(calls), 0)::BIGINT AS calls,
            coalesce(sum(errors), 0)::BIGINT AS errors,
            estimated(trace_errors, w) AS error_spans,
            variance_of_estimate(trace_errors, w) AS error_spans_variance,
            coalesce(bool_or(unknown), false) AS error_spans_unknown,
            coalesce(sum(unpriced_calls), 0)::BIGINT AS unpriced_calls,
            least(coalesce(sum(input_tokens), 0), 9223372036854775807)::BIGINT AS input_tokens,
            least(coalesce(sum(output_tokens), 0), 9223372036854775807)::BIGINT AS output_tokens,
            least(coalesce(sum(total_tokens), 0), 9223372036854775807)::BIGINT AS total_tokens,
            coalesce(sum(total_cost_usd), 0) AS total_cost_usd,
            list_sort(list_distinct(flatten(list(models) FILTER (models IS NOT NULL)))) AS models,
            list_sort(list_distinct(flatten(list(others) FILTER (others IS NOT NULL)))) AS others,
            min(first_ns) AS first_ns,
            max(last_ns) AS last_ns
        FROM told
        GROUP BY id
    )
SELECT {asked}
FROM facts
WHERE {one} AND {behind}
ORDER BY ({order})::BIGINT {direction}, id {direction}
LIMIT $rows
