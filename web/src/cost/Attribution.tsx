import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type Dimension, dollars, summaryQuery } from "../api/llm";
import { seriesToken } from "../charts/colours";
import { type Series, TimeChart } from "../charts/TimeChart";
import { all, condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import { LENGTH } from "../frame/buckets";
import { usd } from "../format/money";
import { count } from "../format/number";
import { type Cell, matrix } from "./matrix";
import { attributionOf, type CostSearch, DIMENSIONS, dimensionsOf } from "./search";

const LINES = 14;
const ACROSS = 6;
const DRAWN = 7;

interface Props {
  search: CostSearch;
  change: (part: Partial<Record<keyof CostSearch, string | undefined>>) => void;
}

/** Money by any two dimensions, and over time by the first. */
export function Attribution({ search, change }: Props) {
  const [by, and] = dimensionsOf(search);
  return (
    <section>
      <div className="section-head">
        <h2>By</h2>
        <Choose label="rows by" value={by} not={and} onChange={(next) => change({ by: next, ...(next === and && { and: by }) })} />
        <h2>and</h2>
        <Choose label="columns by" value={and} not={by} onChange={(next) => change({ and: next })} />
      </div>
      <Grid search={search} by={by} and={and} />
      <OverTime search={search} by={by} change={change} />
    </section>
  );
}

function Choose({ label, value, not, onChange }: { label: string; value: string; not: string; onChange: (value: string) => void }) {
  return (
    <select className="field" aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>
      {Object.entries(DIMENSIONS)
        .filter(([name]) => name !== not || label === "rows by")
        .map(([name, dimension]) => (
          <option key={name} value={name}>
            {dimension.label}
          </option>
        ))}
    </select>
  );
}

function Grid({ search, by, and }: { search: CostSearch; by: Dimension; and: Dimension }) {
  const [pairs, single] = attributionOf(search);
  const groups = useQuery(summaryQuery(search, pairs)).data;
  const lines = useQuery(summaryQuery(search, single)).data;
  const made = useMemo(() => (groups && lines ? matrix(groups.items, lines.items, by, and, LINES, ACROSS) : null), [groups, lines, by, and]);
  if (!made) return <div className="matrix" aria-busy="true"><span className="skeleton" style={{ width: "60%" }} /></div>;
  if (made.lines.length === 0) return <p className="page-note">No calls in this time range.</p>;
  const most = Math.max(...made.lines.flatMap(({ cells }) => cells.map((cell) => cell?.usd ?? 0)), 1e-12);
  const link = (one: string | null, two?: string | null) =>
    all(condition(DIMENSIONS[by]?.field ?? by, one), two === undefined ? undefined : condition(DIMENSIONS[and]?.field ?? and, two));
  const rest = made.lines.some((line) => line.rest !== undefined);
  return (
    <div className="matrix" tabIndex={0} role="region" aria-label={`cost by ${by} and ${and}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{by}</th>
            {made.columns.map((name) => (
              <th key={name} scope="col" className="is-right" title={name ?? undefined}>
                <span>{name ?? `without ${and}`}</span>
              </th>
            ))}
            {rest && (
              <th scope="col" className="is-right">
                others
              </th>
            )}
            <th scope="col" className="is-right matrix-whole">
              all
            </th>
          </tr>
        </thead>
        <tbody>
          {made.lines.map((line) => (
            <tr key={line.name}>
              <th scope="row" title={line.name ?? undefined}>
                <RowsLink range={search} of="calls" q={link(line.name)} sort="-cost">
                  {line.name ?? <span className="faint">without {by}</span>}
                </RowsLink>
              </th>
              {line.cells.map((cell, index) => (
                <td key={made.columns[index]} className="is-right number">
                  {cell && (
                    <>
                      <i style={{ opacity: 0.06 + (0.5 * (cell.usd ?? 0)) / most }} aria-hidden="true" />
                      <RowsLink range={search} of="calls" q={link(line.name, made.columns[index] ?? null)} sort="-cost">
                        <Amount cell={cell} />
                      </RowsLink>
                    </>
                  )}
                </td>
              ))}
              {rest && <td className="is-right number">{line.rest && <Amount cell={line.rest} />}</td>}
              <td className="is-right number matrix-whole">
                <Amount cell={line.whole} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {(made.more > 0 || (groups && groups.groups > groups.items.length)) && (
        <p className="faint matrix-more">
          {made.more > 0 && `${count(made.more)} more of ${by}. `}
          {groups && groups.groups > groups.items.length && `Put together from the dearest ${count(groups.items.length)} of ${count(groups.groups)} pairs; "all" has every call.`}
        </p>
      )}
      {groups?.notes.some((note) => note.startsWith("a call is in")) && <p className="faint matrix-more">{groups.notes[0]}.</p>}
    </div>
  );
}

function Amount({ cell }: { cell: Cell }) {
  return (
    <span title={`${cell.usd === null ? "no price is known" : `$${cell.usd}`}; ${count(cell.calls)} calls${cell.unpriced ? `, ${count(cell.unpriced)} without a price` : ""}`}>
      {cell.usd === null ? "—" : usd(cell.usd)}
      {cell.unpriced > 0 && <span className="tag is-unpriced">{cell.usd === null ? "unpriced" : "+"}</span>}
    </span>
  );
}

function OverTime({ search, by, change }: { search: CostSearch; by: Dimension; change: Props["change"] }) {
  const { data } = useQuery({ ...summaryQuery(search, { by: [by], over: true, limit: DRAWN }), placeholderData: (old) => old });
  const drawn = useMemo(() => {
    const times = [...new Set((data?.items ?? []).map((item) => item.group.time ?? ""))];
    const place = new Map(times.map((time, index) => [time, index]));
    const names = [...new Set((data?.items ?? []).map((item) => item.group[by] ?? null))];
    const series = names.map((name, rank): Series => {
      const values = times.map(() => 0);
      for (const item of data?.items ?? []) if ((item.group[by] ?? null) === name) values[place.get(item.group.time ?? "") ?? 0] = dollars(item.total_cost_usd);
      return { label: name ?? `without ${by}`, token: seriesToken(rank), values, said: usd(values.reduce((sum, value) => sum + value, 0)) };
    });
    return { times: times.map((time) => Date.parse(time) / 1000), series };
  }, [data, by]);
  if (!data || data.items.length === 0) return null;
  return (
    <div className="section">
      <TimeChart
        title={`Spend by ${by}${data.groups > drawn.series.length ? `, the dearest ${drawn.series.length} of ${count(data.groups)}` : ""}`}
        times={drawn.times}
        step={LENGTH[data.window.bucket] / 1000}
        end={data.window.to / 1000}
        series={drawn.series}
        shape="bars"
        format={usd}
        onBrush={(from, to) => change({ range: undefined, from: new Date(from).toISOString(), to: new Date(to).toISOString() })}
      />
    </div>
  );
}
