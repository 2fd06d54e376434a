-- One JSON text per span of `slice`, without bodies: what the tree and the waterfall draw. Each ends with a comma, so that a column of them
-- is the answer's bytes as they stand in memory.
SELECT concat(
    '{"span_id":"', lower(hex(span_id)), '","parent_span_id":', coalesce('"' || lower(hex(parent_span_id)) || '"', 'null'),
    ',"name":', to_json(name::VARCHAR), ',"kind":"', kind_text(kind), '"',
    text_json('service_name', service_name),
    ',"start_ns":"', start_ns::VARCHAR, '","duration_ns":"', duration_ns::VARCHAR,
    '","status":{"code":"', status_text(status_code), '"', filled_json('message', status_message), '}',
    text_json('observation_kind', observation_kind), text_json('operation', operation), text_json('provider', provider),
    text_json('request_model', request_model), text_json('response_model', response_model),
    token_json('input_tokens', input_tokens), token_json('output_tokens', output_tokens),
    token_json('cache_read_tokens', cache_read_tokens), token_json('cache_write_tokens', cache_write_tokens),
    token_json('reasoning_tokens', reasoning_tokens), real_json('time_to_first_token_s', time_to_first_token_s),
    whole_json('streaming', streaming), text_json('error_type', error_type), token_json('http_status_code', http_status_code),
    text_json('agent_name', agent_name), text_json('tool_name', tool_name),
    ',"has_events":', len(events) > 0, ',"event_count":', len(events), said_of_calls, '},'
) AS json
FROM slice
