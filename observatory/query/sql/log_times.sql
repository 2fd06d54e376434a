-- When the latest records are, as narrow as can be: only a page of whole rows is read afterwards. A record without a time (0) is dated by when it was
-- observed, or came; it is a branch of its own so that statistics of `time_ns` still skip row groups in the other.
WITH
    dated AS (
        SELECT *, time_ns AS dated_ns FROM log_rows WHERE time_ns <> 0
        UNION ALL
        SELECT *, CASE WHEN observed_time_ns = 0 THEN received_at ELSE observed_time_ns END AS dated_ns FROM log_rows WHERE time_ns = 0
    )
SELECT dated_ns
FROM dated
WHERE dated_ns >= $from_ns AND dated_ns < $to_ns AND {filter}
ORDER BY dated_ns DESC
LIMIT $rows
