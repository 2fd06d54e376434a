-- What a list says of the spans of a page. What does not start at one of their times is not decoded.
SELECT
    spans.trace_id, spans.span_id, parent_span_id, name, kind, status, status_message, start_ns, duration_ns, service_name, environment,
    observation_kind, operation, provider, coalesce(response_model, request_model) AS model, input_tokens, output_tokens, cache_read_tokens,
    time_to_first_token_s, error_type, tool_name, agent_name, session_id, user_id
FROM spans
JOIN page USING (start_ns, trace_id, span_id)
WHERE start_ns IN ({points})
ORDER BY page.place
