import { count } from "./number";

/** The standard error of a count: undefined where it is exact, null where it cannot be told. */
export type StandardError = number | null | undefined;

/** `≈ ` before what is estimated; nothing before what stands for itself. */
export function about(error: StandardError): string {
  return error === undefined || error === 0 ? "" : "≈ ";
}

/** What is said of a count on hover: `1,234 ± 56, estimated from kept traces`. */
export function within(value: number, error: StandardError): string {
  if (error === undefined || error === 0) return count(value);
  if (error === null) return `at least ${count(value)}: of some kept traces nobody knows how many they stand for`;
  return `${count(value)} ± ${count(error < 10 ? Number(error.toPrecision(2)) : Math.round(error))} (standard error), estimated from kept traces`;
}
