import { type Range, readRange, textOf } from "../frame/range";

/** The state of the models page: what is compared, what is open, the order. */
export interface ModelsSearch extends Range {
  pick?: string; // names of models, percent-encoded, parted by commas
  model?: string; // the one that is open
  sort?: string;
}

/** Reads the address bar; what is not understood is left out. */
export function readModels(raw: Record<string, unknown>): ModelsSearch {
  const search: ModelsSearch = readRange(raw);
  for (const key of ["pick", "model", "sort"] as const) {
    const text = textOf(raw, key);
    if (text !== undefined) search[key] = text;
  }
  return search;
}

/** The names of `pick`. */
export function picked(search: ModelsSearch): string[] | undefined {
  return search.pick?.split(",").map((name) => {
    try {
      return decodeURIComponent(name);
    } catch {
      return name;
    }
  });
}

/** `pick` of names. */
export function pickOf(names: readonly string[]): string {
  return names.map(encodeURIComponent).join(",");
}

/** What the table asks. */
export const MODELS = { by: ["model", "provider"], limit: 200 } as const;
