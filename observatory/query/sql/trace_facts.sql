-- Traces put together from all their fragments, for a few candidates: what a list item says. The root is chosen as fragments are folded: a root
-- before none, then the earliest. Hugeints within bounds because a nonsense time may be at either end of int64, and an end may have wrapped.
-- `{fragments}` are `trace_ranges.sql`, one for each range of time where fragments of the candidates are.
WITH
    facts AS (
        SELECT
            trace_id,
            min(start_ns) AS start_ns,
            greatest(least(max(end_ns)::HUGEINT - min(start_ns), 9223372036854775807), -9223372036854775808)::BIGINT AS duration_ns,
            sum(span_count)::BIGINT AS span_count,
            sum(error_count)::BIGINT AS error_count,
            arg_min(
                {{'name': root_name::VARCHAR, 'service': service_name::VARCHAR}},
                {{'rootless': NOT has_root, 'start': root_start_ns, 'name': root_name::VARCHAR}}
            ) AS root,
            list_sort(list_distinct(flatten(list(services)))) AS services,
            bool_or(open) AS open
        FROM ({fragments})
        GROUP BY trace_id
    )
SELECT
    trace_id, start_ns, duration_ns, span_count, error_count, root.name AS root_name, root.service AS service_name, services, open
FROM facts
WHERE start_ns >= $from_ns AND start_ns < $to_ns AND {filter} AND {behind}
ORDER BY {order} {direction}, trace_id {direction}
LIMIT $rows
