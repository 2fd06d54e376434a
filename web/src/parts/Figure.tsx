import type { ReactNode } from "react";
import { Sparkline } from "../charts/Sparkline";
import "./figure.css";

interface Props {
  name: string;
  value: ReactNode;
  title?: string | undefined;
  children?: ReactNode; // what it is compared with, or of
  side?: ReactNode; // a small picture beside it
  spark?: readonly (number | null)[] | undefined;
  link?: ((children: ReactNode) => ReactNode) | undefined; // what the figure is made of
  loading?: boolean;
}

/** One figure of a line of figures: its name, the figure, its course, and what it is of. */
export function Figure({ name, value, title, children, side, spark, link, loading = false }: Props) {
  return (
    <div className="figure" aria-busy={loading}>
      <h2>{name}</h2>
      <p className="figure-value number" title={title}>
        {loading ? <span className="skeleton" style={{ width: 72 }} /> : link ? link(value) : value}
        {side}
        {spark && spark.length > 1 && <Sparkline values={spark} width={64} height={24} />}
      </p>
      <p className="faint figure-note">{children ?? "\u00a0"}</p>
    </div>
  );
}

/** How something changed against the time before: `▲ 12 %`. Nothing where there was nothing before. */
export function Change({ now, before, of }: { now: number; before: number | undefined; of: string }) {
  if (before === undefined || !(before > 0)) return null;
  const change = now / before - 1;
  const size = Math.abs(change);
  const said = size < 0.005 ? "as" : `${change > 0 ? "▲" : "▼"} ${size >= 9.995 ? `×${(now / before).toFixed(0)}` : `${(100 * size).toFixed(0)} %`}`;
  return <span title={`against ${of}`}>{said === "as" ? `as ${of}` : said}</span>;
}
