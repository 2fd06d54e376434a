import { quoted } from "../explore/condition";
import type { Value } from "../api/types";

const PLAIN_KEY = /^[A-Za-z_][\w.]*$/;
const LONGEST = 200; // characters of a value that is worth looking for as a whole

/** A condition of the filter language (docs/FILTER.md) that an attribute is exactly this. Null where none would be of use. */
export function filterOf(key: string, value: Value, of: "span" | "resource" = "span"): string | null {
  if (value === null || typeof value === "object") return null;
  const text = String(value);
  if (text === "" || text.length > LONGEST) return null;
  if (of === "resource") return PLAIN_KEY.test(key) ? `resource.${key}:${quoted(text)}` : null;
  return `${quoted(key)}:${quoted(text)}`;
}
