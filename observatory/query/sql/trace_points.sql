-- `trace_ranges.sql` where the candidates lie apart: what is not at one of these moments is not decoded.
SELECT * FROM trace_fragments WHERE start_ns IN ({points}) AND trace_id IN (SELECT trace_id FROM candidates)
