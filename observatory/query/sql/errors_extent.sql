-- When the failures of an open window began and ended, so that it can be parted.
SELECT min(start_ns), max(start_ns) FROM {spans} WHERE status_code = 2 AND start_ns >= $from_ns AND start_ns < $to_ns
