import type { Dimension } from "../api/llm";
import { type Range, readRange, textOf } from "../frame/range";

/** What cost is attributed to, and the field of calls that means it. */
export const DIMENSIONS: Record<string, { label: string; field: string }> = {
  model: { label: "model", field: "model_name" },
  provider: { label: "provider", field: "provider" },
  application: { label: "application", field: "application" },
  service: { label: "service", field: "service" },
  environment: { label: "environment", field: "environment" },
  operation: { label: "operation", field: "operation" },
  user: { label: "user", field: "user" },
  session: { label: "session", field: "session" },
  tag: { label: "tag", field: "tag" },
};

/** The state of the cost page. */
export interface CostSearch extends Range {
  by?: Dimension; // absent: application
  and?: Dimension; // absent: model
}

/** Reads the address bar; what is not understood is left out. */
export function readCost(raw: Record<string, unknown>): CostSearch {
  const search: CostSearch = readRange(raw);
  for (const key of ["by", "and"] as const) {
    const text = textOf(raw, key);
    if (text !== undefined && Object.hasOwn(DIMENSIONS, text)) search[key] = text as Dimension;
  }
  return search;
}

/** Rows and columns of the table. */
export function dimensionsOf(search: CostSearch): [Dimension, Dimension] {
  const by = search.by ?? "application";
  return [by, search.and ?? (by === "model" ? "application" : "model")];
}

/** What the table asks: pairs, and the rows alone, because the pairs may not be all. */
export function attributionOf(search: CostSearch) {
  const [by, and] = dimensionsOf(search);
  return [
    { by: [by, and], limit: 1000 },
    { by: [by], limit: 1000 },
  ] as const;
}
