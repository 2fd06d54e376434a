-- `rows_histogram.sql` from sums of minutes, where nothing is filtered and the parts are whole minutes.
SELECT (start_ns - $from_ns) // $slot_ns AS slot, sum({counted})::BIGINT AS "count", sum({failed})::BIGINT AS errors
FROM {rows}
WHERE start_ns >= $from_ns AND start_ns < $to_ns
GROUP BY slot
