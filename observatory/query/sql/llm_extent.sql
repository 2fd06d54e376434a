-- From when to when there is anything: the buckets of a window without an end begin and end there.
SELECT min(start_ns) AS first_ns, max(start_ns) AS last_ns
FROM {relation}
WHERE start_ns >= $from_ns AND start_ns < $to_ns
