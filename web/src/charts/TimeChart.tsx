import { type ReactNode, useEffect, useEffectEvent, useId, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock, label as dayLabel } from "../format/time";
import "./charts.css";
import { useColours } from "./colours";
import { extent } from "./extent";

export interface Series {
  label: string;
  token: string; // colour of the theme
  values: readonly (number | null)[];
  dashed?: boolean;
  said?: ReactNode; // of the whole window, in the legend
  link?: (children: ReactNode) => ReactNode; // what the label leads to
}

interface Props {
  title: string;
  said?: string; // of the title, on hover
  times: readonly number[]; // seconds since 1970, where buckets begin
  step: number; // seconds a bucket is long
  end?: number; // seconds: the axis reaches to here
  series: readonly Series[];
  shape: "bars" | "lines";
  format: (value: number) => string;
  height?: number;
  aside?: ReactNode;
  bare?: boolean; // without a legend
  onBrush?: (from: number, to: number) => void; // milliseconds
}

/** A chart over time with its legend: stacked bars, or lines. What is under the pointer is said in the legend; dragging chooses a window. */
export function TimeChart({ title, said, times, step, end, series, shape, format, height = 180, aside, bare = false, onBrush }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const id = useId();
  const [at, setAt] = useState<number | null>(null);
  const colours = useColours([...new Set(series.map((one) => one.token))].concat("grid", "muted", "line-strong"));
  const brushed = useEffectEvent((from: number, to: number) => onBrush?.(from, to));
  const data = useMemo(() => columns(times, series, shape), [times, series, shape]);
  const layout = useMemo(() => series.map(({ label, token, dashed }) => `${label}|${token}|${dashed ?? ""}`).join("\n"), [series]);
  const chart = useRef<uPlot>(null);
  const fresh = useRef({ data, series, format });
  useEffect(() => {
    fresh.current = { data, series, format };
  });
  const brush = onBrush !== undefined;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const options = uplotOptions({
      width: element.clientWidth,
      height,
      shape,
      step,
      end,
      brush,
      series: fresh.current.series,
      colours,
      format: (value) => fresh.current.format(value),
      onCursor: setAt,
      onBrush: (from, to) => brushed(from, to),
    });
    const made = new uPlot(options, fresh.current.data, element);
    chart.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [layout, colours, shape, height, step, end, brush]);

  useEffect(() => chart.current?.setData(data), [data]);

  const shown = at !== null && at < times.length ? at : null;
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption>
        <h2 id={id} title={said}>{title}</h2>
        <span className="chart-aside faint">{shown === null ? aside : bare ? hovered(series, shown, times, step, format) : moment(times[shown] ?? 0, step)}</span>
      </figcaption>
      <div ref={place} className="chart-canvas" style={{ height }} role="img" aria-label={`${title}: ${describe(series, format)}`} />
      {!bare && <Legend series={series} at={shown} format={format} />}
    </figure>
  );
}

/** What the colours mean, for one chart or for several that show the same; with `at` also what a bucket holds. */
export function Legend({ series, at = null, format = String }: { series: readonly Series[]; at?: number | null; format?: (value: number) => string }) {
  return (
    <ul className="legend">
      {series.map(({ label, token, values, said, link, dashed }) => (
        <li key={label} className={dashed ? "is-dashed" : undefined}>
          <i style={{ background: `var(--${token})` }} aria-hidden="true" />
          <span className="legend-label">{link ? link(label) : label}</span>
          <span className="number faint">{at === null ? said : sayValue(values[at], format)}</span>
        </li>
      ))}
    </ul>
  );
}

/** What is under the pointer of a chart without a legend. */
function hovered(series: readonly Series[], at: number, times: readonly number[], step: number, format: (value: number) => string): string {
  return `${moment(times[at] ?? 0, step)}: ${series.map(({ label, values }) => `${sayValue(values[at], format)} ${label}`).join(", ")}`;
}

function sayValue(value: number | null | undefined, format: (value: number) => string): string {
  return value == null ? "—" : format(value);
}

/** For readers who do not see it: the latest value of every series. */
function describe(series: readonly Series[], format: (value: number) => string): string {
  return series.map(({ label, values }) => `${label} ${sayValue(values.findLast((value) => value !== null), format)}`).join(", ");
}

/** `Nov 23, 11:00 – 12:00`, or the day. */
function moment(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  if (step >= 86_400) return date.toLocaleDateString("en-US", { weekday: "short", month: "short", day: "numeric" });
  return `${dayLabel(seconds * 1000)} – ${clock(new Date((seconds + step) * 1000)).slice(0, 5)}`;
}

/** What uPlot draws: of stacked bars every series on top of those before it. */
function columns(times: readonly number[], series: readonly Series[], shape: Props["shape"]): uPlot.AlignedData {
  if (shape === "lines") return [[...times], ...series.map((one) => [...one.values])];
  const sums = times.map(() => 0);
  const stacked = series.map(({ values }) => values.map((value, index) => (sums[index] = (sums[index] ?? 0) + (value ?? 0))));
  return [[...times], ...stacked.reverse()];
}

interface Wanted {
  width: number;
  height: number;
  shape: Props["shape"];
  step: number;
  end: number | undefined;
  brush: boolean;
  series: readonly Series[];
  colours: Record<string, string>;
  format: (value: number) => string;
  onCursor: (index: number | null) => void;
  onBrush: (from: number, to: number) => void;
}

function uplotOptions({ width, height, shape, step, end, brush, series, colours, format, onCursor, onBrush }: Wanted): uPlot.Options {
  const axis = { stroke: colours.muted ?? "", font: "11px system-ui, sans-serif", grid: { stroke: colours.grid ?? "", width: 1 }, ticks: { show: false } };
  const drawn: uPlot.Series[] = series.map(({ token, dashed }) =>
    shape === "bars"
      ? { fill: colours[token] ?? "", width: 0, points: { show: false }, paths: uPlot.paths.bars?.({ size: [0.86, 40], align: 1 }) }
      : { stroke: colours[token] ?? "", width: 1.5, points: { show: true, size: 5, width: 0, fill: colours[token] ?? "", filter: alone }, spanGaps: false, ...(dashed && { dash: [4, 3] }) },
  ) as uPlot.Series[];
  if (shape === "bars") drawn.reverse();
  return {
    width,
    height,
    padding: [8, 20, 0, 0], // half a label may stand at the right end
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: shape === "lines", size: 5 },
      drag: { x: brush, y: false, setScale: false },
    },
    scales: {
      x: { time: true, range: (_, low, high) => extent(low, high, step, shape === "bars", end) },
      y: { range: (_, __, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      { ...axis, size: 26, space: 70, values: timeLabels },
      { ...axis, size: 52, space: 36, values: (_, splits) => splits.map((value) => (value === 0 ? "" : format(value))) },
    ],
    series: [{}, ...drawn],
    hooks: {
      setCursor: [(plot) => onCursor(plot.cursor.left !== undefined && plot.cursor.left >= 0 ? bucketAt(plot, step, shape) : null)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 4) return;
          const [from, to] = [plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x")];
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onBrush(Math.floor(from / step) * step * 1000, Math.ceil(to / step) * step * 1000);
        },
      ],
    },
  };
}

/** Values without a neighbour, which no line would show. */
function alone(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  return [...values.keys()].filter((index) => values[index] != null && values[index - 1] == null && values[index + 1] == null);
}

/** The bucket under the pointer: of bars the one it lies in, of lines the nearest. */
function bucketAt(plot: uPlot, step: number, shape: Props["shape"]): number | null {
  if (shape === "lines") return plot.cursor.idx ?? null;
  const seconds = plot.posToVal(plot.cursor.left ?? 0, "x");
  const times = plot.data[0];
  const index = times.findLastIndex((time) => time <= seconds);
  return index >= 0 && seconds < (times[index] ?? 0) + 1.5 * step ? index : null;
}

/** Labels of the time axis: days where a day begins, else the clock; the first label says the day. */
function timeLabels(_: uPlot, splits: number[]): string[] {
  const whole = (splits[1] ?? 0) - (splits[0] ?? 0) >= 86_400;
  return splits.map((seconds, index) => {
    const date = new Date(seconds * 1000);
    const midnight = date.getHours() === 0 && date.getMinutes() === 0;
    const day = date.toLocaleDateString("en-US", { month: "short", day: "numeric" });
    if (whole || midnight) return day;
    const time = clock(date).slice(0, 5);
    return index === 0 ? `${day} ${time}` : time;
  });
}
