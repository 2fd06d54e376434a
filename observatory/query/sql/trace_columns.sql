-- What is known of a trace when its fragments are added together: the select list of `trace_facts.sql` and `trace_order.sql`; DuckDB leaves out what
-- is not asked for. The root is chosen as fragments are folded: a root before none, then the earliest; session and user are the first that are
-- named. Hugeints within bounds because a nonsense time may be at either end of int64, and an end may have wrapped. Without one priced call there
-- is no cost, which is not a cost of nothing, and ranks below it (`cost_rank` is in 10^-12 dollars).
trace_id,
min(start_ns) AS start_ns,
greatest(least(max(end_ns)::HUGEINT - min(start_ns), 9223372036854775807), -9223372036854775808)::BIGINT AS duration_ns,
sum(span_count)::BIGINT AS span_count,
sum(error_count)::BIGINT AS error_count,
arg_min(root_name::VARCHAR, {'rootless': NOT has_root, 'start': root_start_ns, 'name': root_name::VARCHAR}) AS root_name,
arg_min(
    {'service': service_name::VARCHAR}, {'rootless': NOT has_root, 'start': root_start_ns, 'name': root_name::VARCHAR}
).service AS service_name,
list_sort(list_distinct(flatten(list(services)))) AS services,
any_value(project)::VARCHAR AS project,
max(received_at) AS received_at,
bool_or(open) AS open,
sum(llm_calls)::BIGINT AS llm_calls,
sum(input_tokens)::BIGINT AS input_tokens,
sum(output_tokens)::BIGINT AS output_tokens,
CASE WHEN sum(llm_calls) > sum(unpriced_calls) THEN sum(total_cost_usd) END AS total_cost_usd,
sum(unpriced_calls)::BIGINT AS unpriced_calls,
CASE WHEN sum(llm_calls) > sum(unpriced_calls) THEN (least(sum(total_cost_usd), 9000000) * 1000000000000)::BIGINT ELSE -1 END AS cost_rank,
least(sum(input_tokens) + sum(output_tokens), 9223372036854775807)::BIGINT AS token_rank,
list_sort(list_distinct(flatten(list(models)))) AS models,
arg_min(session_id, {'rootless': NOT has_root, 'start': root_start_ns, 'id': session_id}) AS session_id,
arg_min(user_id, {'rootless': NOT has_root, 'start': root_start_ns, 'id': user_id}) AS user_id,
max(adjusted_count) AS adjusted_count,
max(decided_by::VARCHAR) AS decided_by
