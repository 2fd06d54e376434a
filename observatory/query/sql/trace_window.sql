-- Traces of a window that pass a filter, as narrow rows: what their histogram and the values of their fields are counted from. `{kept}` are the
-- columns needed: lists of names are dear, 4 s for 1.2 M traces. `{some}` takes a sample by a hash of ids, which are not always random. The same
-- reasoning as in `trace_order.sql`.
CREATE OR REPLACE TEMP TABLE {table} AS
WITH
    grouped AS (
        SELECT {columns}
        FROM trace_fragments
        WHERE start_ns >= $from_ns AND {some} AND {only}
        GROUP BY trace_id
    )
SELECT {kept}
FROM grouped
WHERE
    start_ns < $to_ns
    AND {filter}
    AND trace_id NOT IN (SELECT trace_id FROM trace_fragments WHERE start_ns < $from_ns)
