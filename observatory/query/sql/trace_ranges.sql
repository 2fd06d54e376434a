-- Whole fragments of the candidates in one range of time; statistics skip the files outside it.
SELECT * FROM trace_fragments WHERE start_ns BETWEEN {low} AND {high} AND trace_id IN (SELECT trace_id FROM candidates)
