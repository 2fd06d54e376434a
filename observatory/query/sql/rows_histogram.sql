-- How many rows of a window there are in each part of it, and how many of them failed.
SELECT (start_ns - $from_ns) // $slot_ns AS slot, count(*)::BIGINT AS "count", count_if({failed})::BIGINT AS errors
FROM {rows}
WHERE start_ns >= $from_ns AND start_ns < $to_ns AND {filter}
GROUP BY slot
