import { useRef, useState } from "react";
import { count, short } from "../format/number";
import { label } from "../format/time";
import { useSize } from "../trace/useSize";
import { axesOf, type Chart, chartOf } from "./chart";
import type { SqlAnswer } from "./types";

const HEIGHT = 220;
const LEFT = 56;
const BOTTOM = 24;

/** A picture of an answer, where it has a time or names and a number. */
export function QuickChart({ answer }: { answer: SqlAnswer }) {
  const axes = axesOf(answer);
  const [chosen, setChosen] = useState<{ x: number; y: number } | null>(null);
  if (!axes) return <p className="faint sql-none">A chart needs a column of times or names and one of numbers, and two rows.</p>;
  const [x, y] = [chosen && axes.xs.includes(chosen.x) ? chosen.x : (axes.xs[0] ?? 0), chosen && axes.ys.includes(chosen.y) ? chosen.y : (axes.ys[0] ?? 0)];
  const name = (index: number) => answer.columns[index]?.name ?? "";
  return (
    <div className="quick">
      <div className="quick-axes">
        <Pick label="along" value={x} of={axes.xs} name={name} onPick={(next) => setChosen({ x: next, y })} />
        <Pick label="up" value={y} of={axes.ys} name={name} onPick={(next) => setChosen({ x, y: next })} />
        {answer.truncated && <span className="faint">of the rows that are shown; there are more</span>}
      </div>
      <Drawn chart={chartOf(answer, x, y)} what={`${name(y)} by ${name(x)}`} />
    </div>
  );
}

function Pick({ label: said, value, of, name, onPick }: { label: string; value: number; of: number[]; name: (index: number) => string; onPick: (index: number) => void }) {
  return (
    <label className="faint">
      {said}{" "}
      <select className="field" value={value} onChange={(event) => onPick(Number(event.target.value))}>
        {of.map((index) => (
          <option key={index} value={index}>
            {name(index)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Drawn({ chart, what }: { chart: Chart; what: string }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  return (
    <div ref={box} className="quick-box">
      {chart.form === "bars" ? <Bars chart={chart} what={what} /> : width > 0 && <Line points={chart.points} width={width} what={what} />}
    </div>
  );
}

function Bars({ chart, what }: { chart: Chart & { form: "bars" }; what: string }) {
  const most = Math.max(...chart.bars.map((bar) => Math.abs(bar.y)), 1e-12);
  return (
    <>
      <ul className="quick-bars" aria-label={what}>
        {chart.bars.map((bar, index) => (
          <li key={index}>
            <span className="clip" title={bar.name}>
              {bar.name}
            </span>
            <svg aria-hidden="true" height="12" preserveAspectRatio="none" viewBox="0 0 100 12">
              <rect className="quick-ink" x="0" y="0" width={Math.max(0.5, (Math.abs(bar.y) / most) * 100)} height="12" />
            </svg>
            <span className="number" title={String(bar.y)}>
              {short(bar.y)}
            </span>
          </li>
        ))}
      </ul>
      {chart.more > 0 && <p className="faint">{count(chart.more)} more rows are in the table</p>}
    </>
  );
}

function Line({ points, width, what }: { points: { x: number; y: number }[]; width: number; what: string }) {
  if (points.length === 0) return <p className="faint">nothing to draw</p>;
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [low, high] = [Math.min(0, ...ys), Math.max(...ys, 1e-12)];
  const x = (value: number) => LEFT + ((value - left) / Math.max(right - left, 1)) * (width - LEFT - 12);
  const y = (value: number) => 8 + (1 - (value - low) / Math.max(high - low, 1e-12)) * (HEIGHT - BOTTOM - 8);
  const path = points.map((point, index) => `${index ? "L" : "M"}${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`).join("");
  return (
    <svg role="img" aria-label={`${what}, ${count(points.length)} points from ${label(left)} to ${label(right)}`} width={width} height={HEIGHT}>
      {[low, (low + high) / 2, high].map((value) => (
        <g key={value}>
          <line className="quick-grid" x1={LEFT} x2={width - 12} y1={y(value)} y2={y(value)} />
          <text className="quick-text" x={LEFT - 8} y={y(value) + 4} textAnchor="end">
            {short(value)}
          </text>
        </g>
      ))}
      <path className="quick-line" d={path} />
      {points.length < 60 && points.map((point, index) => <circle key={index} className="quick-ink" cx={x(point.x)} cy={y(point.y)} r="2.5" />)}
      <text className="quick-text" x={LEFT} y={HEIGHT - 6}>
        {label(left)}
      </text>
      <text className="quick-text" x={width - 12} y={HEIGHT - 6} textAnchor="end">
        {label(right)}
      </text>
    </svg>
  );
}
