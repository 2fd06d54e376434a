-- From when to when there are rows: where a window without an end begins and ends.
SELECT min(start_ns), max(start_ns) FROM {rows} WHERE start_ns >= $from_ns AND start_ns < $to_ns
