-- `rows_histogram.sql` where rows stand for more than themselves: the parts, and (slot NULL) the whole window, whose error is none of the parts',
-- because a trace may lie in several. `$times` is how many a trace that was looked at stands for besides, where only some were.
WITH
    counted AS (
        SELECT trace_id, (start_ns - $from_ns) // $slot_ns AS slot, count(*) AS n, count_if({failed}) AS failed
        FROM {rows}
        WHERE start_ns >= $from_ns AND start_ns < $to_ns AND {filter}
        GROUP BY trace_id, slot
    ),
    weighed AS (
        SELECT slot, trace_id, n, failed, coalesce(stands_for, 1) * $times AS w, coalesce(unknown_count, false) AS unknown
        FROM counted
        LEFT JOIN trace_weights USING (trace_id)
    ),
    whole AS (
        SELECT NULL::BIGINT AS slot, sum(n) AS n, sum(failed) AS failed, any_value(w) AS w, bool_or(unknown) AS unknown
        FROM weighed
        GROUP BY trace_id
    )
SELECT
    slot,
    estimated(n, w),
    variance_of_estimate(n, w),
    estimated(failed, w),
    variance_of_estimate(failed, w),
    bool_or(unknown)
FROM (SELECT slot, n, failed, w, unknown FROM weighed UNION ALL SELECT * FROM whole)
GROUP BY slot
