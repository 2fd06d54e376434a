-- `errors.sql` where some traces stand for more than themselves (`trace_weights`): first what each trace adds to each kind of failure.
WITH
    {began},
    weighed AS (
        SELECT
            *,
            {{'service': service_name, 'name': name, 'type': error_type, 'pattern': pattern}} AS failure,
            coalesce(stands_for, 1) AS w,
            coalesce(unknown_count, false) AS unknown
        FROM began
        LEFT JOIN trace_weights USING (trace_id)
    ),
    of_traces AS (
        SELECT
            failure,
            trace_id,
            any_value(w) AS w,
            bool_or(unknown) AS unknown,
            any_value(observation_kind) AS observation_kind,
            count_if(here) AS n,
            count_if(NOT here) AS n_before,
            list_distinct(list(model) FILTER (here AND model IS NOT NULL)) AS models,
            min(start_ns) FILTER (here) AS first_ns,
            max(start_ns) FILTER (here) AS last_ns,
            arg_max(message, start_ns) FILTER (here) AS message,
            arg_max(span_id, start_ns) FILTER (here) AS span_id
        FROM weighed
        GROUP BY failure, trace_id
    ),
    of_slots AS (
        SELECT failure, map(list(slot), list(n)) AS slots
        FROM (SELECT failure, (start_ns - $from_ns) // $slot_ns AS slot, round(sum(w))::BIGINT AS n FROM weighed WHERE here GROUP BY ALL)
        GROUP BY failure
    ),
    whole AS (
        SELECT
            estimated(n, w) AS failures,
            variance_of_estimate(n, w) AS failures_variance,
            bool_or(unknown AND n > 0) AS failures_unknown
        FROM (SELECT sum(n) AS n, any_value(w) AS w, bool_or(unknown) AS unknown FROM of_traces GROUP BY trace_id)
    ),
    groups AS (
        SELECT
            failure,
            failure.service AS service_name,
            failure.name AS name,
            failure.type AS error_type,
            failure.pattern AS pattern,
            any_value(observation_kind) AS observation_kind,
            estimated(n, w) AS "count",
            variance_of_estimate(n, w) AS count_variance,
            estimated(n_before, w) AS before,
            variance_of_estimate(n_before, w) AS before_variance,
            estimated((n > 0)::INTEGER, w) AS traces,
            variance_of_estimate((n > 0)::INTEGER, w) AS traces_variance,
            bool_or(unknown) AS unknown,
            list_sort(list_distinct(flatten(list(models) FILTER (models IS NOT NULL))))[1:20] AS models,
            min(first_ns) AS first_ns,
            max(last_ns) AS last_ns,
            arg_max(message, last_ns) AS message,
            arg_max(trace_id, last_ns) AS trace_id,
            arg_max(span_id, last_ns) AS span_id,
            count(*) OVER () AS groups
        FROM of_traces
        GROUP BY failure
        HAVING sum(n) > 0
    )
SELECT groups.*, slots, whole.*
FROM groups
JOIN of_slots USING (failure)
CROSS JOIN whole
ORDER BY {order}, service_name, name, error_type, pattern
LIMIT $rows
