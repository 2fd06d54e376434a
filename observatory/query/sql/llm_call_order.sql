-- Which calls are on a page, by the narrow columns only: their whole rows are read afterwards. `{key}` is a BIGINT or a decimal, so that a cursor says it exactly;
-- what has none is smaller than everything that has.
SELECT start_ns, trace_id, span_id, key
FROM (SELECT start_ns, trace_id, span_id, {key} AS key FROM llm_calls WHERE start_ns >= $from_ns AND start_ns < $to_ns AND {filter})
WHERE {behind}
ORDER BY key {direction}, trace_id {direction}, span_id {direction}
LIMIT $rows
