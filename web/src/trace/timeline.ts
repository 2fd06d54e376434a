/** The part of a trace that is on the screen, in milliseconds from its origin. */
export interface Window {
  from: number;
  to: number;
}

/** A bar in pixels from the left edge; null when it lies outside the window. Never thinner than `least`, so that instants are seen. */
export function bar(start: number, duration: number, window: Window, width: number, least = 2): { x: number; w: number } | null {
  const end = start + duration;
  if (end < window.from || start > window.to) return null;
  const scale = width / Math.max(window.to - window.from, 1e-9);
  const left = Math.max(0, (start - window.from) * scale);
  const right = Math.min(width, (end - window.from) * scale);
  const w = Math.max(least, right - left);
  return { x: Math.max(0, Math.min(left, width - w)), w };
}

/** The least of 1, 2 or 5 times a power of ten (of whole minutes above a minute) that is no smaller. */
export function niceStep(least: number): number {
  const unit = least > 30_000 ? (least > 1_800_000 ? 3_600_000 : 60_000) : 1;
  const power = 10 ** Math.floor(Math.log10(least / unit));
  const base = unit > 1 ? Math.max(power, 1) : power;
  for (const factor of [1, 2, 5, 10]) if (base * factor * unit >= least) return base * factor * unit;
  return base * 10 * unit;
}

/** A window kept inside the whole, in order, and no narrower than a millionth of it. */
export function clampWindow(window: Window, total: number): Window {
  const [low, high] = window.from <= window.to ? [window.from, window.to] : [window.to, window.from];
  const least = Math.max(total / 1e6, 1e-6);
  const from = Math.min(Math.max(0, low), Math.max(0, total - least));
  return { from, to: Math.max(from + least, Math.min(total, high)) };
}
