-- `facet.sql` where rows stand for more than themselves (`looked_at_weighed.sql`): first what each trace adds to each value, because it was kept whole.
-- `$times` is how many a trace that was looked at stands for besides, where only some were.
WITH
    told AS (
        SELECT value, trace_id, count(*) AS n, any_value(w) * $times AS w, bool_or(unknown) AS unknown
        FROM (SELECT {value}::VARCHAR AS value, trace_id, w, unknown FROM looked_at WHERE passes)
        WHERE value IS NOT NULL AND {only}
        GROUP BY value, trace_id
    )
SELECT
    value,
    estimated(n, w) AS "count",
    count(*) OVER () AS groups,
    variance_of_estimate(n, w),
    bool_or(unknown)
FROM told
GROUP BY value
ORDER BY "count" DESC, value
LIMIT $rows
