import { describe, expect, it } from "vitest";
import { asTree, type TraceColumns } from "./columns";

const answer = {
  trace_id: "a1",
  blocks: [
    {
      rows: 2,
      columns: {
        span_id: ["01", "02"],
        parent_span_id: [null, "01"],
        name: { of: ["chat", "agent"], at: [1, 0] },
        kind: { of: ["internal"], at: [0, 0] },
        status: { of: ["unset", "error"], at: [0, 1] },
        message: { of: ["", "it broke"], at: [0, 1] },
        start_ns: ["1", "2"],
        duration_ns: ["9", "3"],
        event_count: [0, 1],
        provider: { of: ["openai"], at: [-1, 0] },
        input_tokens: [null, 5],
      },
      calls: { at: [1], columns: { counted: [true], total_cost_usd: { of: ["0.1"], at: [0] } } },
      subtrees: { at: [0], columns: { llm_calls: [1], error_count: [1] } },
    },
    {
      rows: 1,
      columns: { span_id: ["03"], parent_span_id: ["01"], name: { of: ["later"], at: [0] }, status: { of: ["ok"], at: [0] } },
      calls: { at: [], columns: {} },
      subtrees: { at: [], columns: {} },
    },
  ],
} as unknown as TraceColumns;

describe("a trace as columns", () => {
  it("has a span for each row, without what has no value", () => {
    expect(asTree(answer)).toEqual({
      trace_id: "a1",
      spans: [
        {
          ...{ span_id: "01", parent_span_id: null, name: "agent", kind: "internal", start_ns: "1", duration_ns: "9", event_count: 0 },
          status: { code: "unset" },
          subtree: { llm_calls: 1, error_count: 1, total_cost_usd: null },
          message: "",
        },
        {
          ...{ span_id: "02", parent_span_id: "01", name: "chat", kind: "internal", start_ns: "2", duration_ns: "3", event_count: 1 },
          provider: "openai",
          input_tokens: 5,
          status: { code: "error", message: "it broke" },
          call: { counted: true, total_cost_usd: "0.1" },
          message: "it broke",
        },
        { span_id: "03", parent_span_id: "01", name: "later", status: { code: "ok" } },
      ],
    });
  });
});
