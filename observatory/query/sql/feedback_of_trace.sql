-- Feedback of one trace: what names it, and what names no trace but the response of one of its spans, which may come hours later. `responses` (id and
-- the span that gave it, one row an id) is read by the trace index: a join with `spans` would scan all of them. What names a trace of its own beside
-- a response means that trace.
SELECT feedback.* REPLACE ($trace_id AS trace_id, CASE WHEN feedback.trace_id IS NULL THEN responses.span_id ELSE feedback.span_id END AS span_id)
FROM feedback
LEFT JOIN responses ON responses.response_id = feedback.response_id
WHERE feedback.trace_id = $trace_id OR (feedback.trace_id IS NULL AND responses.response_id IS NOT NULL)
