-- Which spans are on a page: three narrow columns of the window, so that whole rows are read for the page only.
SELECT key, trace_id, span_id, start_ns
FROM (SELECT start_ns, trace_id, span_id, {key} AS key FROM spans WHERE start_ns >= $from_ns AND start_ns < $to_ns AND {filter})
WHERE {behind}
ORDER BY key {direction}, trace_id {direction}, span_id {direction}
LIMIT $rows
