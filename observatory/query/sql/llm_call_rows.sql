-- Whole rows of the calls of a page, in its order. The times bound the files that are read.
SELECT llm_calls.*
FROM llm_calls
JOIN page USING (start_ns, trace_id, span_id)
WHERE start_ns BETWEEN $low AND $high
ORDER BY page.place
