/** One unbroken line: its points in order, `x,y` in pixels. A value without neighbours is a line of one point. */
export type Line = readonly string[];

/** The lines of a sparkline, parted where there is no value: what was not measured is a gap and never a zero. The scale begins at zero. */
export function sparkLines(values: readonly (number | null)[], width: number, height: number): Line[] {
  const most = values.reduce<number>((found, value) => Math.max(found, value ?? 0), 1e-9);
  const step = width / Math.max(values.length - 1, 1);
  const lines: string[][] = [];
  values.forEach((value, index) => {
    if (value === null) return;
    if (index === 0 || values[index - 1] === null) lines.push([]);
    lines.at(-1)?.push(`${(index * step).toFixed(1)},${(height - 1 - (value / most) * (height - 3)).toFixed(1)}`);
  });
  return lines;
}
