import { duration } from "../format/duration";
import { bytes, count, short } from "../format/number";

/** How a field of the status is shown. Its unit is in its name, so that fields a later version adds read well too. */
export function field(name: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    if (name.endsWith("_s") && !name.endsWith("per_s")) return duration(value * 1000);
    if (name.endsWith("_ms")) return duration(value);
    if (/(^|_)bytes$/.test(name)) return bytes(value);
    if (name.endsWith("per_s")) return `${short(value)} /s`;
    return Number.isInteger(value) ? count(value) : short(value);
  }
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map((item) => field("", item)).join("; ");
  if (isObject(value)) return Object.entries(value).map((pair) => phrase(...pair)).join(" · ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A field inside another, said with its name: `34,567 rows`, `9.88 MB`, `why checksum differs`. */
function phrase(name: string, value: unknown): string {
  const said = field(name, value);
  if (typeof value !== "number") return `${words(name)} ${said}`;
  return /^(bytes|duration)|_(s|ms|bytes)$/.test(name) ? said : name === "id" ? `${words(name)} ${said}` : `${said} ${words(name)}`;
}

/** A field's name as words: `disk_free_bytes` is `disk free`. */
export function words(name: string): string {
  return name.replace(/_(s|ms|bytes)$/, (unit) => (name.endsWith("per_s") ? unit : "")).replaceAll("_", " ");
}

/** Milliseconds since 1970 of a field that is a time (`started_at`, `last_run`): RFC 3339 or epoch nanoseconds. Null when it is none. */
export function instant(name: string, value: unknown): number | null {
  if (!/(_at|^last_run)$/.test(name) || (typeof value !== "string" && typeof value !== "number")) return null;
  const ms = /^\d{16,}$/.test(String(value)) ? Number(value) / 1e6 : Date.parse(String(value));
  return Number.isFinite(ms) ? ms : null;
}

/** Fields in order, objects of objects one level flatter: `by_signal: {spans: {…}}` is the field `spans`. */
export function flat(fields: Record<string, unknown>): [string, unknown][] {
  return Object.entries(fields).flatMap(([name, value]): [string, unknown][] =>
    isObject(value) && Object.values(value).length > 0 && Object.values(value).every(isObject) ? Object.entries(value) : [[name, value]],
  );
}

/** An object that is no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
