import type { Usd } from "../api/types";

/** Sums of calls that count. Tokens beyond 2^53 are text. */
interface Spent {
  calls: number;
  errors: number;
  input_tokens: number | string;
  output_tokens: number | string;
  total_tokens: number | string;
  total_cost_usd: Usd;
  unpriced_calls: number;
}

export interface Session extends Spent {
  session_id: string;
  users: string[];
  traces: number;
  error_spans: number;
  exact: boolean;
  standard_error: { traces: number | null; error_spans: number | null } | null;
  models: string[];
  first: string;
  last: string;
  duration_ms: number;
}

export interface SessionTrace extends Spent {
  trace_id: string;
  root_name: string | null;
  start: string;
  start_ns: string;
  duration_ms: number;
  span_count: number | null;
  error_spans: number | null;
  models: string[];
  first_call_span_id: string | null;
  last_call_span_id: string | null;
}

export interface SessionPage {
  items: Session[];
  next_cursor: string | null;
}

export interface SessionDetail extends Session {
  trace_items: SessionTrace[];
  more_traces: boolean;
}
