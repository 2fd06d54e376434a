-- One page of traces in any order, by what the order and the filter need; their facts are fetched afterwards for the page. `{only}` narrows to traces
-- that some fragment recommends (a service, an error), `{behind}` is where the page before ended, `{order}` and `{direction}` are the sort key,
-- `{columns}` is `trace_columns.sql`. A trace that starts in the window has no fragment before it, so only the window is grouped (0.2 s at 1.4 M
-- fragments for numbers) and what has an older fragment is taken out (45 ms).
WITH
    grouped AS (
        SELECT {columns}
        FROM trace_fragments
        WHERE start_ns >= $from_ns AND {only}
        GROUP BY trace_id
    )
SELECT trace_id
FROM grouped
WHERE
    start_ns < $to_ns
    AND {filter}
    AND {behind}
    AND trace_id NOT IN (SELECT trace_id FROM trace_fragments WHERE start_ns < $from_ns)
ORDER BY {order} {direction}, trace_id {direction}
LIMIT $rows
