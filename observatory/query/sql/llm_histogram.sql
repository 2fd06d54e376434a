-- One histogram of each group and bucket of time, its counts added by bucket first: they are signed, and what was taken back must meet what it takes
-- back before anything is ranked.
WITH asked AS ({asked})
SELECT series, nth, bucket, sum(n)::BIGINT AS n
FROM (SELECT series, nth, unnest({histogram}_buckets) AS bucket, unnest({histogram}_counts) AS n FROM asked {placed})
GROUP BY series, nth, bucket
HAVING sum(n) > 0
ORDER BY series, nth, bucket
