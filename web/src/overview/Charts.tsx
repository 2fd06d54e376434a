import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { dollars, type Group, spendByModelQuery, type Summed } from "../api/llm";
import { seriesToken } from "../charts/colours";
import { type Series, TimeChart } from "../charts/TimeChart";
import { condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import { LENGTH } from "../frame/buckets";
import type { Range } from "../frame/range";
import { duration } from "../format/duration";
import { usd } from "../format/money";
import { short } from "../format/number";

interface Props {
  range: Range;
  over: Summed | undefined;
  onBrush: (from: number, to: number) => void;
}

/** Spend by model, times, calls and tokens, side by side over the same window. */
export function Charts({ range, over, onBrush }: Props) {
  const models = useQuery(spendByModelQuery(range)).data;
  const times = useMemo(() => (over?.items ?? []).map(timeOf), [over]);
  const spend = useMemo(() => (models && over ? spendByModel(models, over, range) : []), [models, over, range]);
  const lines = useMemo(() => ["p50", "p95", "p99"].map((name, rank) => latency(over, name as "p50", rank)), [over]);
  const calls = useMemo(() => callsAndFailures(over, range), [over, range]);
  const tokens = useMemo(() => tokensByKind(over), [over]);
  if (!over) return <div className="overview-charts" aria-busy="true">{[0, 1, 2, 3].map((nth) => <div key={nth} className="chart-waiting"><span className="skeleton" /></div>)}</div>;
  const axis = { times, step: LENGTH[over.window.bucket] / 1000, end: over.window.to / 1000, onBrush };
  const per = over.window.bucket === "5m" ? "5 min" : over.window.bucket === "6h" ? "6 h" : over.window.bucket;
  return (
    <div className="overview-charts">
      <TimeChart title="Spend by model" {...axis} series={spend} shape="bars" format={usd} aside={`per ${per}`} />
      <TimeChart title="Latency of calls" {...axis} series={lines} shape="lines" format={duration} aside={over.exact ? `per ${per}` : `per ${per}, within 1.1 %`} />
      <TimeChart title="Calls" {...axis} series={calls} shape="bars" format={short} height={120} aside={`per ${per}`} />
      <TimeChart title="Tokens" {...axis} series={tokens} shape="bars" format={short} height={120} aside={`per ${per}`} />
    </div>
  );
}

/** Seconds since 1970 of a group's bucket. */
export function timeOf(item: Group): number {
  return Date.parse(item.group.time ?? "") / 1000;
}

/** The dearest models one by one and the rest together, in every bucket. */
function spendByModel(models: Summed, over: Summed, range: Range): Series[] {
  const names = [...new Set(models.items.map((item) => item.group.model ?? null))];
  const values = new Map(names.map((name) => [name, over.items.map(() => 0)]));
  const place = new Map(over.items.map((item, index) => [item.group.time, index]));
  for (const item of models.items) {
    const index = place.get(item.group.time);
    const mine = values.get(item.group.model ?? null);
    if (index !== undefined && mine) mine[index] = dollars(item.total_cost_usd);
  }
  const series: Series[] = names.map((name, rank) => ({
    label: name ?? "no model",
    token: seriesToken(rank),
    values: values.get(name) ?? [],
    said: usd(String(sum(values.get(name) ?? []))),
    link: (label) => (
      <RowsLink range={range} of="calls" q={condition("model_name", name)} sort="-cost">
        {label}
      </RowsLink>
    ),
  }));
  if (models.groups > names.length) {
    const rest = over.items.map((item, index) => Math.max(0, dollars(item.total_cost_usd) - sum(names.map((name) => values.get(name)?.[index] ?? 0))));
    series.push({ label: `${models.groups - names.length} others`, token: "series-other", values: rest, said: usd(String(sum(rest))) });
  }
  return series;
}

function latency(over: Summed | undefined, name: "p50" | "p95" | "p99", rank: number): Series {
  const total = over?.totals.latency_ms[name];
  return {
    label: name,
    token: seriesToken(rank),
    values: (over?.items ?? []).map((item) => item.latency_ms[name]),
    said: total == null ? "—" : duration(total),
  };
}

function callsAndFailures(over: Summed | undefined, range: Range): Series[] {
  const items = over?.items ?? [];
  return [
    { label: "failed", token: "kind-error", values: items.map((item) => item.errors), said: short(over?.totals.errors ?? 0), link: (label) => <RowsLink range={range} of="calls" q="status:error">{label}</RowsLink> },
    { label: "answered", token: "series-1", values: items.map((item) => item.calls - item.errors), said: short((over?.totals.calls ?? 0) - (over?.totals.errors ?? 0)), link: (label) => <RowsLink range={range} of="calls" q="status:ok">{label}</RowsLink> },
  ];
}

/** Tokens in and out without counting any twice: cached ones are part of the input, reasoning is part of the output. */
function tokensByKind(over: Summed | undefined): Series[] {
  const parts: [string, string, (of: Pick<Group, "input_tokens" | "output_tokens" | "cache_read_tokens" | "cache_write_tokens" | "reasoning_tokens">) => number][] = [
    ["input", "series-1", (of) => Math.max(0, Number(of.input_tokens) - Number(of.cache_read_tokens) - Number(of.cache_write_tokens))],
    ["read from cache", "series-5", (of) => Number(of.cache_read_tokens)],
    ["written to cache", "series-7", (of) => Number(of.cache_write_tokens)],
    ["output", "series-2", (of) => Math.max(0, Number(of.output_tokens) - Number(of.reasoning_tokens))],
    ["reasoning", "series-4", (of) => Number(of.reasoning_tokens)],
  ];
  return parts
    .map(([label, token, read]) => ({ label, token, values: (over?.items ?? []).map(read), said: over ? short(read(over.totals)) : "" }))
    .filter(({ values }) => values.some((value) => value > 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((left, right) => left + right, 0);
}
