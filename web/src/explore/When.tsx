import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { TimeChart } from "../charts/TimeChart";
import { about, within } from "../format/estimate";
import { count, short } from "../format/number";
import { Counted } from "../parts/Counted";
import { histogramQuery } from "./around";
import type { ExploreSearch } from "./search";

/** How the rows lie in time, failures apart; dragging chooses a part. */
export function When({ search, due, onBrush }: { search: ExploreSearch; due: boolean; onBrush: (from: number, to: number) => void }) {
  const { data } = useQuery({ ...histogramQuery(search), enabled: due });
  const drawn = useMemo(() => {
    if (!data) return null;
    const [from, step] = [Date.parse(data.from) / 1000, Number(data.slot_ns) / 1e9];
    return {
      step,
      times: data.counts.map((_, index) => from + index * step),
      series: [
        { label: "failed", token: "kind-error", values: data.errors },
        { label: "ok", token: "series-1", values: data.counts.map((all, index) => all - (data.errors[index] ?? 0)) },
      ],
    };
  }, [data]);
  if (!data || !drawn) return <div className="when" aria-busy="true" />;
  const rows = search.of === "sessions" ? "calls of sessions" : (search.of ?? "traces");
  const errors = data.standard_error;
  return (
    <div className="when">
      <TimeChart
        title={`${about(errors?.total)}${count(data.total)} ${rows}`}
        said={within(data.total, errors?.total)}
        aside={data.failed > 0 ? <><Counted value={data.failed} error={errors?.failed} /> failed</> : "none failed"}
        times={drawn.times}
        step={drawn.step}
        series={drawn.series}
        shape="bars"
        format={short}
        height={72}
        bare
        onBrush={onBrush}
      />
    </div>
  );
}
