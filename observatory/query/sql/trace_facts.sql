-- Traces put together from all their fragments, for a few candidates: what a list item says. `{columns}` is `trace_columns.sql`; `{fragments}` are
-- `trace_ranges.sql`, one for each range of time where fragments of the candidates are.
WITH
    facts AS (
        SELECT {columns}
        FROM ({fragments})
        GROUP BY trace_id
    )
SELECT *
FROM facts
WHERE start_ns >= $from_ns AND start_ns < $to_ns AND {filter} AND {behind}
ORDER BY {order} {direction}, trace_id {direction}
LIMIT $rows
