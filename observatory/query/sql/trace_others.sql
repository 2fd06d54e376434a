-- Where else fragments of the candidates are: two narrow columns of everything (50 ms of processor at 1.4 M fragments), so that the wide ones, above
-- all the list of services (140 ms), are only read where something is. Usually nothing is, or just before a cut.
SELECT start_ns
FROM trace_fragments
WHERE trace_id IN (SELECT trace_id FROM candidates) AND (start_ns < $low OR start_ns > $high)
