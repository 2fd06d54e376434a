import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { dollars, type Group, summaryQuery } from "../api/llm";
import { seriesToken } from "../charts/colours";
import { Legend, type Series, TimeChart } from "../charts/TimeChart";
import { word } from "../explore/condition";
import { LENGTH } from "../frame/buckets";
import type { Range } from "../frame/range";
import { duration } from "../format/duration";
import { percent, usd } from "../format/money";
import { short } from "../format/number";

const MEASURES: { title: string; read: (item: Group) => number | null; format: (value: number) => string; shape: "lines" | "bars" }[] = [
  { title: "Latency p95", read: (item) => item.latency_ms.p95, format: duration, shape: "lines" },
  { title: "First token p50", read: (item) => item.ttft_ms.p50, format: duration, shape: "lines" },
  { title: "Tokens/s p50", read: (item) => item.tokens_per_second.p50, format: (value) => short(Math.round(value)), shape: "lines" },
  { title: "Failed calls", read: (item) => item.error_rate, format: percent, shape: "lines" },
  { title: "Calls", read: (item) => item.calls, format: short, shape: "bars" },
  { title: "Spend", read: (item) => dollars(item.total_cost_usd), format: usd, shape: "bars" },
];

/** The chosen models side by side over time. */
export function Compare({ range, models, onBrush }: { range: Range; models: readonly string[]; onBrush: (from: number, to: number) => void }) {
  const filter = `model_name:(${models.map(word).join(" or ")})`;
  const { data } = useQuery({ ...summaryQuery(range, { by: ["model"], over: true, filter, limit: models.length }), placeholderData: (old) => old });
  const names = models.join("\n");
  const drawn = useMemo(() => {
    const items = data?.items ?? [];
    const times = [...new Set(items.map((item) => item.group.time ?? ""))];
    const place = new Map(times.map((time, index) => [time, index]));
    const series = MEASURES.map(({ read }) =>
      names.split("\n").map((label, rank): Series => {
        const values: (number | null)[] = times.map(() => null);
        for (const item of items) if (item.group.model === label) values[place.get(item.group.time ?? "") ?? 0] = read(item);
        return { label, token: seriesToken(rank), values };
      }),
    );
    return { times: times.map((time) => Date.parse(time) / 1000), series };
  }, [data, names]);
  if (!data) return <div className="compare" aria-busy="true" />;
  return (
    <section className="compare" aria-label="models side by side">
      <Legend series={drawn.series[0] ?? []} />
      {MEASURES.map(({ title, format, shape }, index) => (
        <TimeChart
          key={title}
          title={title}
          times={drawn.times}
          step={LENGTH[data.window.bucket] / 1000}
          end={data.window.to / 1000}
          series={drawn.series[index] ?? []}
          shape={shape}
          format={format}
          height={116}
          bare
          onBrush={onBrush}
        />
      ))}
    </section>
  );
}
