-- `llm_rank_calls.sql` from the sums of minutes. A key whose calls were all taken back adds up to none.
WITH asked AS ({asked})
SELECT *, count(*) OVER () AS groups
FROM (
    SELECT
        {keys},
        sum(calls)::BIGINT AS calls,
        sum(error_calls)::BIGINT AS errors,
        sum(unpriced_calls)::BIGINT AS unpriced_calls,
        sum(total_tokens) AS tokens,
        sum(total_cost_usd) AS cost
    FROM asked
    GROUP BY {keys}
    HAVING sum(calls) > 0
)
ORDER BY {order}, {keys}
LIMIT $rows
