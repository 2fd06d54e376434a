const plain = new Intl.NumberFormat("en-US");

/** Whole numbers with separators: `30,000`. */
export function count(value: number): string {
  return plain.format(value);
}

/** Short, for tokens and rates: `340`, `1.2k`, `12k`, `3.4M`. */
export function short(value: number): string {
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (Math.abs(value) >= size * 0.9995) {
      const scaled = value / size;
      return `${Math.abs(scaled) >= 9.95 ? scaled.toFixed(0) : scaled.toFixed(1).replace(/\.0$/, "")}${unit}`;
    }
  }
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 1 : 0).replace(/\.0$/, "");
}

/** Bytes in decimal units, as disks are sold: `812 B`, `12.4 kB`, `3.1 GB`. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let scaled = value;
  let unit = 0;
  while (Math.abs(scaled) >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  const text = unit === 0 || Math.abs(scaled) >= 99.5 ? scaled.toFixed(0) : Math.abs(scaled) >= 9.95 ? scaled.toFixed(1) : scaled.toFixed(2);
  return `${text} ${units[unit] ?? ""}`;
}

/** `1.2k in · 340 out · 900 cached`; null when nothing is known. */
export function tokens(input?: number | null, output?: number | null, cached?: number | null): string | null {
  const parts = [
    input == null ? null : `${short(input)} in`,
    output == null ? null : `${short(output)} out`,
    cached ? `${short(cached)} cached` : null,
  ].filter((part) => part !== null);
  return parts.length ? parts.join(" · ") : null;
}
