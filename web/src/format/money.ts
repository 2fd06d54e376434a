import { short } from "./number";

/** Dollars as people read them, at most four significant digits: `$0`, `$0.0045`, `$12.30`, `$412`, `$1.2k`. Null (nothing is known) is `—`. */
export function usd(text: string | number | null | undefined): string {
  if (text == null) return "—";
  const value = Number(text);
  if (!Number.isFinite(value)) return "—";
  if (value === 0) return "$0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size < 5e-7) return `${sign}<$0.000001`;
  if (size < 0.0995) return `${sign}$${plain(size, Math.min(6, 1 - Math.floor(Math.log10(size)) + 1))}`;
  if (size < 0.9995) return `${sign}$${plain(size, 3).padEnd(4, "0")}`;
  if (size < 99.995) return `${sign}$${size.toFixed(2)}`;
  if (size < 999.5) return `${sign}$${size.toFixed(0)}`;
  return `${sign}$${short(size)}`;
}

function plain(value: number, digits: number): string {
  return value.toFixed(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** A share of one: `0 %`, `0.8 %`, `12 %`, `<0.1 %`. Null is `—`. */
export function percent(share: number | null | undefined): string {
  if (share == null || !Number.isFinite(share)) return "—";
  const value = 100 * share;
  const size = Math.abs(value);
  if (value !== 0 && size < 0.1) return "<0.1 %";
  return `${value.toFixed(size < 9.95 ? 1 : 0).replace(/\.0$/, "")} %`;
}

/** Dollars as they are, for where the figure is explained: `$0.00452175`. */
export function exactUsd(text: string | null | undefined): string {
  return text == null ? "no price is known" : `$${text}`;
}
