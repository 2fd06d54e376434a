/** `420 µs`, `345 ms`, `1.23 s`, `2 m 05 s`, `1 h 02 m`, `3 d 04 h`: three significant digits, then two units. Input in milliseconds. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "—";
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms === 0) return "0 ms";
  if (ms < 0.0009995) return `${Math.max(1, Math.round(ms * 1e6))} ns`;
  if (ms < 0.9995) return `${digits(ms * 1e3)} µs`;
  if (ms < 999.5) return `${digits(ms)} ms`;
  if (ms < 59_950) return `${digits(ms / 1e3)} s`;
  const seconds = Math.round(ms / 1e3);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.round(ms / 60e3);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  const hours = Math.round(ms / 3600e3);
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** Three significant digits without exponent: 1.23, 12.3, 123. */
function digits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

function two(value: number): string {
  return value.toString().padStart(2, "0");
}

const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 60e3, min: 60e3, h: 3600e3 };

/** What a person types for a duration, in milliseconds: `500`, `500 ms`, `1.5s`, `2m 5s`. Null when it is none. */
export function parseDuration(text: string): number | null {
  const said = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(said)) return Number(said);
  const parts = [...said.matchAll(/(\d+(?:\.\d+)?)\s*([a-zµ]+)\s*/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== said) return null;
  let total = 0;
  for (const [, amount, unit] of parts) {
    const factor = UNITS[unit ?? ""];
    if (factor === undefined) return null;
    total += Number(amount) * factor;
  }
  return total;
}
