-- The newest fragments of a window: which traces may be on a page ordered by start. A trace starts with one of its fragments, so every trace that
-- starts after the oldest fragment found here is among them, and nothing has to be grouped to know it.
-- Measured at 1.4 M fragments in 24 files: 50 ms, against 200-280 ms to group them all.
SELECT trace_id, start_ns
FROM trace_fragments
WHERE start_ns >= $from_ns AND start_ns < $to_ns
ORDER BY start_ns DESC
LIMIT $fragments
