import { about, type StandardError, within } from "../format/estimate";
import { count } from "../format/number";

/** A count of what is kept: plain where it is exact, else with ≈, and its standard error on hover. */
export function Counted({ value, error, format = count }: { value: number; error: StandardError; format?: (value: number) => string }) {
  return (
    <span title={within(value, error)}>
      {about(error)}
      {format(value)}
    </span>
  );
}
