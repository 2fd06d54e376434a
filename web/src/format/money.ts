const DIGITS = 4;

/** Dollars as a person reads them: `$0.0045`, `$12.30`, `$1.2k`; at most four significant digits. Null where no dollar is known. */
export function usd(exact: string | number | null | undefined): string | null {
  if (exact == null) return null;
  const value = Number(exact);
  if (!Number.isFinite(value)) return null;
  const [sign, size] = value < 0 ? ["−", -value] : ["", value];
  if (size === 0) return "$0";
  if (size >= 999_950) return `${sign}$${(size / 1e6).toFixed(size >= 9_995_000 ? 0 : 1)}M`;
  if (size >= 999.5) return `${sign}$${(size / 1e3).toFixed(size >= 9_995 ? 0 : 1)}k`;
  if (size >= 0.9995) return `${sign}$${size.toFixed(2)}`;
  const places = Math.min(12, DIGITS - 1 - Math.floor(Math.log10(size)));
  return `${sign}$${size.toFixed(places).replace(/0+$/, "")}`;
}

/** A whole number that JSON says as number or, beyond 2^53, as text; null where it is not known. */
export function whole(value: number | string | null | undefined): number | null {
  return value == null ? null : Number(value);
}
