/** One condition of the filter language; null is "has none". Text is matched as it is: a `*` in it is a star. */
export function condition(field: string, value: string | null): string {
  return value === null ? `-${field}:*` : `${field}:${word(value)}`;
}

/** A value so that the filter language reads exactly this text, without quotes where it needs none. */
export function word(value: string): string {
  return /^[\w./@+#:$%&?!;=^|~-]+$/.test(value) ? value : quoted(value);
}

/** Text between quotes, in which nothing has a meaning but itself. */
export function quoted(text: string): string {
  const escaped = text.replace(/[\\"*]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t");
  return `"${escaped}"`;
}

/** Conditions that must all hold. */
export function all(...conditions: (string | undefined)[]): string | undefined {
  return conditions.filter(Boolean).join(" ") || undefined;
}
