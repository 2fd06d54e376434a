import type { Attributes, Value } from "../api/types";

/** A log record as `GET /api/v1/logs` tells it. */
export interface LogRecord {
  time_ns: string; // "0" where the sender gave none
  observed_time_ns: string;
  severity_number: number;
  severity_text: string;
  event_name?: string;
  service_name?: string;
  body: Value;
  body_type: string;
  attributes: Attributes;
  attribute_types?: string;
  dropped_attributes_count?: number;
  trace_id: string | null;
  span_id: string | null;
  resource: Attributes;
  scope: { name?: string; version?: string; attributes?: Attributes };
  received_at_ns: string;
}

export interface LogPage {
  items: LogRecord[];
  next_cursor: string | null;
}
