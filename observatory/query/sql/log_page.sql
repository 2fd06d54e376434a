-- Whole records from `$from_ns` on. Records have no id, so a page ends at (time, hash of the content, how many alike): rows that arrive later, even
-- with the same time, do not shift the pages behind it.
WITH
    dated AS (
        SELECT *, time_ns AS dated_ns FROM log_rows WHERE time_ns <> 0
        UNION ALL
        SELECT *, CASE WHEN observed_time_ns = 0 THEN received_at ELSE observed_time_ns END AS dated_ns FROM log_rows WHERE time_ns = 0
    ),
    told AS (
        SELECT *, (hash(trace_id, span_id, observed_time_ns, severity_number, event_name, body, attributes, service_name, received_at) >> 1)::BIGINT AS tie
        FROM dated
        WHERE dated_ns >= $from_ns AND dated_ns < $to_ns AND {filter}
    ),
    numbered AS (SELECT *, row_number() OVER (PARTITION BY dated_ns, tie) AS nth FROM told)
SELECT *
FROM numbered
WHERE {behind}
ORDER BY dated_ns DESC, tie DESC, nth DESC
LIMIT $rows
