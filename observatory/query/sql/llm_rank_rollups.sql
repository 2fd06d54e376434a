-- `llm_rank_calls.sql` from the sums of minutes. A key whose calls were all taken back adds up to none.
WITH asked AS ({asked})
SELECT {keys}, count(*) OVER () AS groups
FROM (
    SELECT {keys}, sum(calls) AS calls, sum(error_calls) AS errors, sum(total_tokens) AS tokens, sum(total_cost_usd) AS cost
    FROM asked
    GROUP BY {keys}
    HAVING sum(calls) > 0
)
ORDER BY {order}, {keys}
LIMIT $rows
