/** From where to where the axis of a chart reaches: bars have a width, and a single value has a place to stand. All in seconds. */
export function extent(first: number, last: number, step: number, bars: boolean, end = -Infinity): [number, number] {
  const reached = Math.max(last + (bars ? step : 0), end);
  return [first, reached > first ? reached : first + step];
}
