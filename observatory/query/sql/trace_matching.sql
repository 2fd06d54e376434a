-- Traces of which some span is as a filter asks. Its own table, since a list looks at it several times and spans are read once. A trace that starts
-- in the window has no span before it.
CREATE OR REPLACE TEMP TABLE {name} AS
SELECT DISTINCT unhex(trace_id) AS trace_id
FROM spans
WHERE start_ns >= $from_ns AND {condition}
