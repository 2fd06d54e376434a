import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("tokens.css", import.meta.url), "utf8");
type Tokens = Record<string, string>;
const light = tokens(1);
const dark = tokens(2);

/** The colours of one theme: `--x: light-dark(#a, #b)` holds both, `--x: #a` the same for both. */
function tokens(theme: 1 | 2): Tokens {
  const pairs = css.matchAll(/(--[\w-]+):\s*light-dark\((#\w{6}), (#\w{6})\);/g);
  const same = css.matchAll(/(--[\w-]+):\s*(#\w{6});/g);
  const found = [...pairs].map((match) => [match[1], match[1 + theme]] as const);
  return Object.fromEntries([...found, ...[...same].map((match) => [match[1], match[2]] as const)]) as Tokens;
}

function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ["light", light],
  ["dark", dark],
])("the %s theme", (_, theme) => {
  const grounds = ["--ground", "--surface", "--raised", "--hover", "--selected"];

  it.each(["--text", "--muted", "--faint", "--accent", "--error"])("%s is readable on every ground (AA, 4.5:1)", (ink) => {
    for (const ground of grounds) expect(contrast(theme[ink] ?? "", theme[ground] ?? ""), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  });

  it.each(["error", "warning", "good"])("%s is readable on its own ground", (tone) => {
    expect(contrast(theme[`--${tone}`] ?? "", theme[`--${tone}-ground`] ?? "")).toBeGreaterThanOrEqual(4.5);
  });

  it("a label on the accent is readable", () => {
    expect(contrast(theme["--on-accent"] ?? "", theme["--accent"] ?? "")).toBeGreaterThanOrEqual(4.5);
  });

  it("every kind's hue stands out from the surface", () => {
    for (const [name, value] of Object.entries(theme)) {
      if (name.startsWith("--kind-")) expect(contrast(value, theme["--surface"] ?? ""), name).toBeGreaterThanOrEqual(2.2);
    }
  });
});

it("both themes name the same colours", () => {
  expect(Object.keys(light).length).toBeGreaterThan(25);
  expect(Object.keys(dark)).toEqual(Object.keys(light));
});
