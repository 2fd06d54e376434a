-- What a list says of the spans of a page. The times bound the files that are read.
SELECT
    spans.trace_id, spans.span_id, parent_span_id, name, kind, status, status_message, start_ns, duration_ns, service_name, environment,
    observation_kind, operation, provider, coalesce(response_model, request_model) AS model, input_tokens, output_tokens, cache_read_tokens,
    time_to_first_token_s, error_type, tool_name, agent_name, session_id, user_id
FROM spans
JOIN page USING (start_ns, trace_id, span_id)
WHERE start_ns BETWEEN $low AND $high
ORDER BY page.place
