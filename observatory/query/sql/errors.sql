-- Failures of a window by what failed and how: service, span, class of the error, and its message with numbers and ids taken out. The list of
-- distinct traces is quicker than DuckDB's count(DISTINCT …), which groups everything twice. `{began}` is `errors_began.sql`.
WITH {began}
SELECT
    service_name,
    name,
    error_type,
    pattern,
    any_value(observation_kind) AS observation_kind,
    count_if(here)::BIGINT AS "count",
    count_if(NOT here)::BIGINT AS before,
    len(list_distinct(list(trace_id) FILTER (here)))::BIGINT AS traces,
    list_sort(list_distinct(list(model) FILTER (here AND model IS NOT NULL)))[1:20] AS models,
    min(start_ns) FILTER (here) AS first_ns,
    max(start_ns) FILTER (here) AS last_ns,
    arg_max(message, start_ns) FILTER (here) AS message,
    arg_max(trace_id, start_ns) FILTER (here) AS trace_id,
    arg_max(span_id, start_ns) FILTER (here) AS span_id,
    histogram((start_ns - $from_ns) // $slot_ns) FILTER (here) AS slots,
    count(*) OVER () AS groups,
    sum(count_if(here)) OVER ()::BIGINT AS failures
FROM began
GROUP BY service_name, name, error_type, pattern
HAVING count_if(here) > 0
ORDER BY {order}, service_name, name, error_type, pattern
LIMIT $rows
