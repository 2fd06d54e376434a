-- Feedback, latest first. Identical records of an evaluation have one id, so a page ends at (time, id, how many alike): what arrives later does not
-- shift the pages behind it.
WITH
    asked AS ({source}),
    numbered AS (
        SELECT *, row_number() OVER (PARTITION BY time_ns, feedback_id ORDER BY received_at) AS nth
        FROM asked
        WHERE time_ns >= $from_ns AND time_ns < $to_ns AND {filter}
    )
SELECT *
FROM numbered
WHERE {behind}
ORDER BY time_ns DESC, feedback_id DESC, nth DESC
LIMIT $rows
