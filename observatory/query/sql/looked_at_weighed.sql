-- `looked_at.sql` with the trace of each row, and how many that stands for.
CREATE OR REPLACE TEMP TABLE looked_at AS
SELECT
    trace_id,
    coalesce(stands_for, 1) AS w,
    coalesce(unknown_count, false) AS unknown,
    {values},
    ({filter}) IS TRUE AS passes
FROM {rows}
LEFT JOIN trace_weights USING (trace_id)
WHERE start_ns >= $from_ns AND start_ns < $to_ns
