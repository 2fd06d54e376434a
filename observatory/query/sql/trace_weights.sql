-- Which traces of a window stand for more than themselves, and for how many: usually none, so that exact counts go the short way. Asked of traces
-- and not of their spans, which say it only once they are in segments. What some policy kept and yet has no count stands for an unknown number; what
-- was not decided stands for itself. An end before its start has wrapped.
SELECT
    lower(hex(trace_id)) AS trace_id,
    coalesce(max(adjusted_count), 1) AS stands_for,
    max(adjusted_count) IS NULL AS unknown_count
FROM trace_fragments
WHERE
    (adjusted_count > 1 OR (adjusted_count IS NULL AND decided_by IS NOT NULL))
    AND start_ns < $to_ns
    AND (end_ns >= $from_ns OR end_ns < start_ns)
GROUP BY trace_fragments.trace_id
