import type { components } from "./schema";

/** The answers of `/api/v1`, as docs/API.md and openapi.json promise them. Integers of nanoseconds are text. */

export type TraceState = "open" | "kept";

export interface TraceSummary {
  trace_id: string;
  root_name: string;
  service_name: string | null;
  services: string[];
  start: string;
  start_ns: string;
  duration_ms: number;
  span_count: number;
  error_count: number;
  state: TraceState;
  total_cost_usd?: Usd;
  /** How many received traces it stands for; null: unknown where a policy kept it, else not decided. */
  adjusted_count: number | null;
  /** The sampling policies that kept it, parted by commas. */
  decided_by: string | null;
}

export interface TracePage {
  items: TraceSummary[];
  next_cursor: string | null;
  from: string;
  to: string;
}

export interface SpanStatus {
  code: "unset" | "ok" | "error";
  message?: string;
}

/** Exact dollars as text; null where no dollar is known. */
export type Usd = string | null;

/** What calls of models that count add up to. Tokens beyond 2^53 are text. */
export interface CallSums {
  llm_calls: number;
  input_tokens: number | string;
  output_tokens: number | string;
  total_tokens: number | string;
  total_cost_usd: Usd;
  unpriced_calls: number;
}

/** The call of a model that a span is, or looks like. */
export interface SpanCall {
  counted: boolean;
  not_counted_reason?: string;
  provider?: string;
  model_name?: string;
  input_tokens?: number | string;
  output_tokens?: number | string;
  cache_read_tokens?: number | string;
  cache_write_tokens?: number | string;
  reasoning_tokens?: number | string;
  total_tokens?: number | string;
  total_cost_usd: Usd;
  reported_cost_usd?: Usd;
  price_source?: string;
  unpriced_reason?: string;
}

/** A span as `view=tree` gives it: without bodies. Typed columns are there when they are known. */
export interface TreeSpan {
  span_id: string;
  parent_span_id: string | null;
  name: string;
  kind: string;
  service_name?: string | null;
  start_ns: string;
  duration_ns: string;
  status: SpanStatus;
  operation?: string | null;
  provider?: string | null;
  request_model?: string | null;
  response_model?: string | null;
  input_tokens?: number | null;
  output_tokens?: number | null;
  cache_read_tokens?: number | null;
  time_to_first_token_s?: number | null;
  error_type?: string | null;
  tool_name?: string | null;
  observation_kind?: string;
  streaming?: boolean;
  cache_write_tokens?: number | string;
  reasoning_tokens?: number | string;
  agent_name?: string | null;
  event_count?: number;
  call?: SpanCall;
  /** Of the span and all below it; absent where nothing is below it, counts there or failed. */
  subtree?: CallSums & { error_count: number };
}

export interface TraceTree extends Omit<TraceSummary, "start">, Partial<CallSums> {
  start: string;
  models?: string[];
  session_id?: string | null;
  user_id?: string | null;
  spans: TreeSpan[];
}

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Attributes = Record<string, Value>;

/** `attribute_types`: one letter for each attribute in order, by model/schema.py: `i` int, `d` double, `y` bytes (base64) … */
interface Attributed {
  attributes: Attributes;
  attribute_types?: string;
  dropped_attributes_count?: number;
}

export interface SpanEvent extends Attributed {
  time_ns: string;
  name: string;
}

export interface SpanLink extends Attributed {
  trace_id: string;
  span_id: string;
  trace_state?: string;
  flags?: number;
}

/** One span in full. Keys beyond these are typed columns and are shown by name. */
export interface FullSpan extends TreeSpan, Attributed {
  events: SpanEvent[];
  links: SpanLink[];
  resource: Attributes;
  scope: { name?: string; version?: string; attributes?: Attributes; schema_url?: string };
  trace_state?: string;
  flags?: number;
  dropped_events_count?: number;
  dropped_links_count?: number;
  received_at_ns?: string;
  project?: string;
  environment?: string;
  cache_write_tokens?: number | string;
  reasoning_tokens?: number | string;
  finish_reasons?: string;
  http_status_code?: number;
  session_id?: string;
  user_id?: string;
  response_id?: string;
  /** By column, the attribute that fed it. */
  origins?: Record<string, { where: "span" | "resource" | "scope"; key: string; also?: string[] }>;
}

/** The server's own state. Rooms may add fields; the page shows what it does not know generically. */
export interface Status {
  version: string;
  started_at?: string;
  uptime_s?: number;
  decoder?: string;
  accepting?: { ok: boolean; reason?: string | null };
  sampling?: Sampling;
  listeners?: Record<string, string | null>;
  ingest?: Record<string, unknown>;
  journal?: Record<string, unknown>;
  storage?: Record<string, unknown>;
  jobs?: JobStatus[];
  [room: string]: unknown;
}

export type Sampling = components["schemas"]["Sampling"];

export interface JobStatus {
  name: string;
  state?: string;
  last_run?: string | null;
  last_error?: string | null;
  done?: number;
  [field: string]: unknown;
}
