-- What sampling decided of one trace, from its rows in the list of traces: its spans say it themselves only once they are in segments. The times of
-- its spans bound the files that are read.
SELECT max(adjusted_count), max(decided_by::VARCHAR)
FROM trace_fragments
WHERE trace_id = $trace_id AND start_ns BETWEEN $low AND $high
