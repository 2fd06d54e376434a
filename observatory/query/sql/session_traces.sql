-- What the traces of a window say of sessions and users, one row for each trace: its fragments added up. Most traces name neither and are left out.
-- `stands_for` is as in `trace_weights.sql`.
SELECT
    lower(hex(trace_id)) AS trace_id,
    arg_min(root_name, start_ns)::VARCHAR AS root_name,
    arg_min(session_id, start_ns) FILTER (session_id IS NOT NULL) AS session_id,
    arg_min(user_id, start_ns) FILTER (user_id IS NOT NULL) AS user_id,
    min(start_ns) AS start_ns,
    max(end_ns) AS end_ns,
    sum(span_count)::BIGINT AS span_count,
    sum(error_count)::BIGINT AS error_count,
    coalesce(max(adjusted_count), 1) AS stands_for,
    coalesce(max(adjusted_count), 1) <= 1 AND bool_or(adjusted_count IS NULL AND decided_by IS NOT NULL) AS unknown_count
FROM trace_fragments
WHERE start_ns >= $from_ns AND start_ns < $to_ns
GROUP BY trace_fragments.trace_id
HAVING count(session_id) > 0 OR count(user_id) > 0
