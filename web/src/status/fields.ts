import { duration } from "../format/duration";
import { bytes, count, short } from "../format/number";

/** How a field of the status is shown. Its unit is in its name, so that fields a later version adds read well too. */
export function field(name: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    if (name.endsWith("_s") && !name.endsWith("per_s")) return duration(value * 1000);
    if (name.endsWith("_ms")) return duration(value);
    if (/(^|_)bytes$/.test(name) || name.startsWith("bytes_")) return bytes(value);
    if (name.endsWith("per_s")) return `${short(value)} /s`;
    return Number.isInteger(value) ? count(value) : short(value);
  }
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A field's name as words: `disk_free_bytes` is `disk free`. */
export function words(name: string): string {
  return name.replace(/_(s|ms|bytes)$/, (unit) => (name.endsWith("per_s") ? unit : "")).replaceAll("_", " ");
}
