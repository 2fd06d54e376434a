/** One condition of the filter language; null is "has none". Text is matched as it is: a `*` in it is a star. */
export function condition(field: string, value: string | null): string {
  return value === null ? `-${field}:*` : `${field}:${quoted(value)}`;
}

/** A value so that the filter language reads exactly this text. */
export function quoted(value: string): string {
  if (/^[\w./@+#:$%&?!;=^|~-]+$/.test(value)) return value;
  return `"${value.replace(/[\\"*]/g, "\\$&").replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t")}"`;
}

/** Conditions that must all hold. */
export function all(...conditions: (string | undefined)[]): string | undefined {
  return conditions.filter(Boolean).join(" ") || undefined;
}
