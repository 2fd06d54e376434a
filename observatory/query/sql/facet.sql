-- The most frequent values of one field among the rows that were looked at, and how many different ones there are.
SELECT value, count(*)::BIGINT AS "count", count(*) OVER () AS groups
FROM (SELECT {value}::VARCHAR AS value FROM looked_at WHERE passes)
WHERE value IS NOT NULL AND {only}
GROUP BY value
ORDER BY "count" DESC, value
LIMIT $rows
