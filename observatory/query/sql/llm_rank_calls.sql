-- Which groups are told: the first by `{order}`, with their sums, and how many there are. Equal ones by name, so that an answer repeats.
WITH asked AS ({asked})
SELECT *, count(*) OVER () AS groups
FROM (
    SELECT
        {keys},
        count(*) AS calls,
        count_if(is_error)::BIGINT AS errors,
        count_if(unpriced_reason IS NOT NULL)::BIGINT AS unpriced_calls,
        coalesce(sum(total_tokens), 0) AS tokens,
        coalesce(sum(total_cost_usd), 0) AS cost
    FROM asked
    GROUP BY {keys}
)
ORDER BY {order}, {keys}
LIMIT $rows
