-- `trace_walk.sql` from the other end: the oldest fragments of a window.
SELECT trace_id, start_ns
FROM trace_fragments
WHERE start_ns >= $from_ns AND start_ns < $to_ns
ORDER BY start_ns ASC
LIMIT $fragments
