import type { TreeSpan } from "../api/types";

/** A span for tests: one millisecond long, `startMs` after a fixed moment. */
export function span(id: string, parent: string | null, startMs = 0, rest: Partial<TreeSpan> = {}): TreeSpan {
  return {
    span_id: id,
    parent_span_id: parent,
    name: id,
    kind: "internal",
    start_ns: String(1_795_429_658_000_000_000n + BigInt(Math.round(startMs * 1e6))),
    duration_ns: "1000000",
    status: { code: "unset" },
    ...rest,
  };
}
