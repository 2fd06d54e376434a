/** Queries to begin with; they are tested against the server. */
export const EXAMPLES: { name: string; query: string }[] = [
  {
    name: "cost and tokens by model, last day",
    query: `SELECT model_name, count(*) AS calls, sum(total_cost_usd) AS usd, sum(total_tokens) AS tokens,
    quantile_disc(duration_ms, 0.95) AS p95_ms
FROM llm_metrics
WHERE ts > now() - INTERVAL 1 DAY
GROUP BY model_name
ORDER BY usd DESC NULLS LAST`,
  },
  {
    name: "calls by hour, last day",
    query: `SELECT time_bucket(INTERVAL 1 HOUR, ts) AS hour, count(*) AS calls, sum(total_cost_usd) AS usd
FROM llm_metrics
WHERE ts > now() - INTERVAL 1 DAY
GROUP BY hour
ORDER BY hour`,
  },
  {
    name: "slowest spans, last hour",
    query: `SELECT trace_id, span_id, name, duration_ms, status_message
FROM spans
WHERE start_time > now() - INTERVAL 1 HOUR
ORDER BY duration_ms DESC
LIMIT 100`,
  },
  {
    name: "calls that did not count, and why",
    query: `SELECT not_counted_reason, convention, count(*) AS calls
FROM llm_calls
WHERE NOT counted
GROUP BY ALL
ORDER BY calls DESC`,
  },
  {
    name: "tools that failed",
    query: `SELECT tool_name, count(*) AS failed, any_value(status_message) AS example
FROM spans
WHERE observation_kind = 'tool' AND status = 'error'
GROUP BY tool_name
ORDER BY failed DESC`,
  },
];
