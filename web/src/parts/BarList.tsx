import type { ReactNode } from "react";
import "./barlist.css";

export interface BarRow {
  key: string;
  name: ReactNode; // a link to what the row is made of
  size: number; // of the bar
  value: ReactNode;
  aside?: ReactNode; // a second figure
}

interface Props {
  title: ReactNode;
  head: string; // what the values are
  aside?: string;
  rows: readonly BarRow[] | undefined; // undefined: not known yet
  none: string; // said when there is no row
  more?: ReactNode;
}

/** The largest of something, each with a faint bar behind its value. */
export function BarList({ title, head, aside, rows, none, more }: Props) {
  const most = Math.max(0, ...(rows ?? []).map((row) => row.size));
  return (
    <section className="barlist" aria-busy={rows === undefined}>
      <table>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            {aside !== undefined && <th scope="col" className="is-right">{aside}</th>}
            <th scope="col" className="is-right">
              {head}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows?.map((row) => (
            <tr key={row.key}>
              <th scope="row">{row.name}</th>
              {aside !== undefined && <td className="is-right number muted">{row.aside}</td>}
              <td className="is-right number barlist-value">
                <Bar size={row.size} most={most}>
                  {row.value}
                </Bar>
              </td>
            </tr>
          ))}
          {rows === undefined &&
            [64, 48, 40].map((width) => (
              <tr key={width}>
                <td colSpan={3}>
                  <span className="skeleton" style={{ width: `${width}%` }} />
                </td>
              </tr>
            ))}
        </tbody>
      </table>
      {rows?.length === 0 && <p className="faint barlist-none">{none}</p>}
      {more !== undefined && rows !== undefined && rows.length > 0 && <p className="barlist-more">{more}</p>}
    </section>
  );
}

/** A value with a faint bar behind it, as long as its share of the largest. */
export function Bar({ size, most, children }: { size: number; most: number; children: ReactNode }) {
  return (
    <span className="bar">
      <i style={{ width: `${most > 0 ? (100 * size) / most : 0}%` }} aria-hidden="true" />
      <span>{children}</span>
    </span>
  );
}
