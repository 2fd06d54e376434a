-- What each day cost, by the calendar of a place: `slots` leads a minute to its day. Sums of minutes are exact in any order.
SELECT nth, sum(calls)::BIGINT AS calls, sum(unpriced_calls)::BIGINT AS unpriced_calls, sum(total_cost_usd) AS total_cost_usd
FROM (SELECT *, (start_ns - $first_ns) // $slot_ns AS slot FROM llm_rollups WHERE start_ns >= $first_ns AND start_ns < $end_ns)
JOIN slots USING (slot)
GROUP BY nth
ORDER BY nth
