-- The services of a window with the number of traces they appear in, for the filter of the list.
SELECT service AS name, count(DISTINCT trace_id) AS traces
FROM (SELECT unnest(services) AS service, trace_id FROM trace_fragments WHERE end_ns >= $from_ns AND start_ns < $to_ns)
GROUP BY service
ORDER BY traces DESC, name
LIMIT 1000
