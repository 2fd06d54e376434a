-- One JSON text per span of `slice`, with everything that came by OTLP. `attribute_types` (letters, model/schema.py) goes along so that a program
-- can tell 1 from 1.0, base64 from text and a large integer from digits.
SELECT concat(
    '{"span_id":"', lower(hex(span_id)), '","parent_span_id":', coalesce('"' || lower(hex(parent_span_id)) || '"', 'null'),
    ',"name":', to_json(name::VARCHAR), ',"kind":"', kind_text(kind), '"',
    text_json('service_name', service_name),
    ',"start_ns":"', start_ns::VARCHAR, '","duration_ns":"', duration_ns::VARCHAR,
    '","status":{"code":"', status_text(status_code), '"', filled_json('message', status_message), '}',
    filled_json('trace_state', trace_state), ',"flags":', flags::VARCHAR,
    ',"attributes":', attributes_json(attributes, attribute_types), text_json('attribute_types', attribute_types),
    ',"events":[', array_to_string(list_transform(events, LAMBDA event : concat(
        '{"time_ns":"', event.time_ns::VARCHAR, '","name":', to_json(event.name::VARCHAR),
        ',"attributes":', attributes_json(event.attributes, event.attribute_types), text_json('attribute_types', event.attribute_types),
        counted_json('dropped_attributes_count', event.dropped_attributes_count), '}'
    )), ','),
    '],"links":[', array_to_string(list_transform(links, LAMBDA link : concat(
        '{"trace_id":"', lower(hex(link.trace_id)), '","span_id":"', lower(hex(link.span_id)), '"', filled_json('trace_state', link.trace_state),
        ',"attributes":', attributes_json(link.attributes, link.attribute_types), text_json('attribute_types', link.attribute_types),
        ',"flags":', link.flags::VARCHAR, counted_json('dropped_attributes_count', link.dropped_attributes_count), '}'
    )), ','),
    '],"dropped_attributes_count":', dropped_attributes_count::VARCHAR, ',"dropped_events_count":', dropped_events_count::VARCHAR,
    ',"dropped_links_count":', dropped_links_count::VARCHAR,
    object_json('resource', resource), counted_json('resource_dropped_attributes_count', resource_dropped_attributes_count),
    filled_json('resource_schema_url', resource_schema_url),
    ',"scope":{"name":', to_json(scope_name::VARCHAR), ',"version":', to_json(scope_version::VARCHAR),
    object_json('attributes', scope_attributes), filled_json('schema_url', scope_schema_url),
    counted_json('dropped_attributes_count', scope_dropped_attributes_count),
    '},"received_at_ns":"', received_at::VARCHAR, '"', text_json('project', project), text_json('environment', environment),
    text_json('observation_kind', observation_kind), text_json('convention', convention),
    text_json('operation', operation), text_json('provider', provider),
    text_json('request_model', request_model), text_json('response_model', response_model), text_json('response_id', response_id),
    token_json('input_tokens', input_tokens), token_json('output_tokens', output_tokens),
    token_json('cache_read_tokens', cache_read_tokens), token_json('cache_write_tokens', cache_write_tokens),
    token_json('reasoning_tokens', reasoning_tokens), real_json('time_to_first_token_s', time_to_first_token_s),
    whole_json('streaming', streaming), text_json('finish_reasons', finish_reasons), text_json('error_type', error_type),
    token_json('http_status_code', http_status_code), text_json('session_id', session_id), text_json('user_id', user_id),
    text_json('agent_name', agent_name), text_json('tool_name', tool_name),
    real_json('adjusted_count', adjusted_count), filled_json('decided_by', decided_by), said_of_calls, '},'
) AS json
FROM slice
