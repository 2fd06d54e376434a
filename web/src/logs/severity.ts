/** OpenTelemetry's severities: the least number of each, the word, and how it is coloured. */
export const SEVERITIES = [
  { from: 21, word: "fatal", tone: "error" },
  { from: 17, word: "error", tone: "error" },
  { from: 13, word: "warn", tone: "warning" },
  { from: 9, word: "info", tone: "plain" },
  { from: 5, word: "debug", tone: "faint" },
  { from: 1, word: "trace", tone: "faint" },
] as const;

export type Tone = (typeof SEVERITIES)[number]["tone"];

/** The word and tone of a severity number; a number that says nothing is `log`. */
export function severity(number: number, text: string): { word: string; tone: Tone } {
  const known = SEVERITIES.find(({ from }) => number >= from);
  return known ?? { word: text.toLowerCase() || "log", tone: "plain" };
}
