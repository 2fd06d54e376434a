import { queryOptions } from "@tanstack/react-query";
import { FRESH_MS } from "../api/llm";
import { ask } from "../api/client";
import { parted } from "../frame/buckets";
import { type Range, windowOf } from "../frame/range";

const WEEK_MS = 7 * 86_400e3;

export interface NewModel {
  name: string;
  calls: number;
}

/** Models called in a time range and not in the seven days before it, where there were any calls then: on a first day everything would be new. */
export function newModelsQuery(range: Range) {
  const { range: name, from, to } = range;
  return queryOptions({
    queryKey: ["new-models", { name, from, to }],
    queryFn: async ({ signal }): Promise<NewModel[]> => {
      if (windowOf(range, Date.now()).from === null) return [];
      const window = parted(range, Date.now());
      const asked = { by: "model" as const, order: "-calls" as const, limit: 1000 };
      const [now, before] = await Promise.all([
        ask("/api/v1/llm/top", { ...asked, from: iso(window.from), to: iso(window.to) }, signal),
        ask("/api/v1/llm/top", { ...asked, from: iso(window.from - WEEK_MS), to: iso(window.from) }, signal),
      ]);
      const known = new Set(before.items.map((item) => item.name));
      if (known.size === 0) return [];
      return now.items.flatMap(({ name: model, calls }) => (model && model !== "unknown" && !known.has(model) ? [{ name: model, calls }] : []));
    },
    staleTime: FRESH_MS,
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
