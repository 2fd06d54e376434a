-- The sums of the minutes of a window, as `llm_asked_calls.sql` has the calls.
SELECT {dimensions} (start_ns - $first_ns) // $slot_ns AS slot, *
FROM llm_rollups
WHERE start_ns >= $from_ns AND start_ns < $to_ns AND {filter}
