import { describe, expect, it } from "vitest";
import type { Group } from "../api/llm";
import { matrix } from "./matrix";

function group(app: string | null, model: string, usd: string | null, unpriced = 0): Group {
  return { group: { application: app, model }, total_cost_usd: usd, unpriced_calls: unpriced, calls: 1 + unpriced } as unknown as Group;
}

const GROUPS = [group("shop", "big", "3"), group("shop", "small", "1"), group("desk", "big", "2"), group("desk", "odd", null, 2), group(null, "odd", null, 1)];
const BY = [group("shop", "", "4"), group("desk", "", "2", 2), group(null, "", null, 1)];

describe("money by two dimensions", () => {
  const made = matrix(GROUPS, BY, "application", "model", 2, 1);

  it("shows the dearest columns and adds up the others", () => {
    expect(made.columns).toEqual(["big"]);
    expect(made.lines[0]?.cells[0]?.usd).toBe(3);
    expect(made.lines[0]?.rest?.usd).toBe(1);
  });

  it("adds up to the whole in every line", () => {
    for (const line of made.lines) {
      const parts = [...line.cells, line.rest].reduce((sum, cell) => sum + (cell?.usd ?? 0), 0);
      expect(parts).toBeCloseTo(line.whole.usd ?? 0, 12);
    }
  });

  it("does not take what is not known for nothing", () => {
    expect(made.lines[1]?.rest).toEqual({ usd: null, unpriced: 2, calls: 3 });
    expect(made.more).toBe(1);
  });
});
