-- What a span's JSON says besides the span: the call it is, and what its subtree adds up to. Only of spans that have something to say of either.
-- The parts of a cost are in the list of calls: dollars are the dearest text here, 0.4 us each.
SELECT concat(
    CASE WHEN counted IS NOT NULL THEN concat(
        ',"call":{"counted":', counted::VARCHAR, text_json('not_counted_reason', not_counted_reason),
        text_json('provider', provider), text_json('model_name', model_name),
        token_json('input_tokens', input_tokens), token_json('output_tokens', output_tokens),
        token_json('cache_read_tokens', cache_read_tokens), token_json('cache_write_tokens', cache_write_tokens),
        token_json('reasoning_tokens', reasoning_tokens), token_json('total_tokens', total_tokens),
        coalesce(usd_json('total_cost_usd', total_cost_usd), ',"total_cost_usd":null'),
        usd_json('reported_cost_usd', reported_cost_usd),
        text_json('price_source', price_source), text_json('unpriced_reason', unpriced_reason), '}'
    ) END,
    CASE WHEN sub_calls <> 0 OR sub_errors <> 0 THEN concat(
        ',"subtree":{"llm_calls":', sub_calls::VARCHAR, ',"error_count":', sub_errors::VARCHAR,
        token_json('input_tokens', sub_input_tokens), token_json('output_tokens', sub_output_tokens),
        token_json('total_tokens', sub_total_tokens),
        coalesce(usd_json('total_cost_usd', sub_cost_usd), ',"total_cost_usd":null'),
        ',"unpriced_calls":', sub_unpriced::VARCHAR, '}'
    ) END
) AS json
FROM slice
