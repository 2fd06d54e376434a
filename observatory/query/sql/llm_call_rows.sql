-- Whole rows of the calls of a page, in its order. What does not start at one of their times is not decoded.
SELECT llm_calls.*
FROM llm_calls
JOIN page USING (start_ns, trace_id, span_id)
WHERE start_ns IN ({points})
ORDER BY page.place
