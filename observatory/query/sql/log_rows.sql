-- JSON text of log records, as `span_full.sql` does it for spans.
SELECT concat(
    '{"time_ns":"', time_ns::VARCHAR, '","observed_time_ns":"', observed_time_ns::VARCHAR, '"',
    ',"severity_number":', severity_number::VARCHAR, ',"severity_text":', to_json(severity_text::VARCHAR),
    filled_json('event_name', event_name), text_json('service_name', service_name),
    ',"body":', typed_json(body_type, body), ',"body_type":', to_json(body_type::VARCHAR),
    ',"attributes":', attributes_json(attributes, attribute_types), text_json('attribute_types', attribute_types),
    counted_json('dropped_attributes_count', dropped_attributes_count), ',"flags":', flags::VARCHAR,
    ',"trace_id":', coalesce('"' || lower(hex(trace_id)) || '"', 'null'), ',"span_id":', coalesce('"' || lower(hex(span_id)) || '"', 'null'),
    object_json('resource', resource), counted_json('resource_dropped_attributes_count', resource_dropped_attributes_count),
    filled_json('resource_schema_url', resource_schema_url),
    ',"scope":{"name":', to_json(scope_name::VARCHAR), ',"version":', to_json(scope_version::VARCHAR),
    object_json('attributes', scope_attributes), filled_json('schema_url', scope_schema_url),
    counted_json('dropped_attributes_count', scope_dropped_attributes_count),
    '},"received_at_ns":"', received_at::VARCHAR, '"', text_json('project', project), text_json('environment', environment), '},'
) AS json
FROM slice
