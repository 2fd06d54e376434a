import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { dollars, forecastQuery } from "../api/llm";
import { type Series, TimeChart } from "../charts/TimeChart";
import { exactUsd, percent, usd } from "../format/money";
import { Figure } from "../parts/Figure";
import { Money, UnpricedTag } from "../parts/Money";

/** The calendar month: spent so far, by its end, and day by day with what is expected of the days left. */
export function Month() {
  const { data } = useQuery(forecastQuery);
  const drawn = useMemo(() => {
    const days = data?.days ?? [];
    const series: Series[] = [
      { label: "spent", token: "series-1", values: days.map((day) => dollars(day.spent_usd)), said: usd(data?.spent_usd) },
      { label: "≈ expected", token: "series-other", values: days.map((day) => dollars(day.expected_usd)) },
    ];
    return { times: days.map((day) => new Date(`${day.date}T00:00`).getTime() / 1000), series: data?.forecast ? series : series.slice(0, 1) };
  }, [data]);
  const forecast = data?.forecast;
  const trend = data?.trend;
  const loading = data === undefined;
  const latest = data?.days.findLast((day) => day.calls !== undefined);
  return (
    <div className="month">
      <div className="month-figures">
        <Figure name="today" loading={loading} value={<Money value={latest?.spent_usd} />}>
          <UnpricedTag calls={latest?.unpriced_calls} />
          {latest?.expected_usd != null && <span title="an estimate from the days before">≈ {usd(latest.expected_usd)} to come</span>}
        </Figure>
        <Figure name={`this month${data ? `, ${data.month}` : ""}`} loading={loading} value={<Money value={data?.spent_usd} />}>
          <UnpricedTag calls={data?.unpriced_calls} /> so far
        </Figure>
        <Figure name="by its end" loading={loading} value={forecast ? <span title={data.method}>≈ {usd(forecast.total_usd)}</span> : "—"}>
          {forecast ? (
            <span title={`${exactUsd(forecast.low_usd)} to ${exactUsd(forecast.high_usd)}; ${data.method}`}>
              {usd(forecast.low_usd)} – {usd(forecast.high_usd)}, {percent(forecast.interval)} sure
            </span>
          ) : (
            data?.reason
          )}
        </Figure>
        <Figure
          name="last 7 days"
          loading={loading}
          value={trend ? usd(trend.last_7_days_usd) : "—"}
        >
          {trend ? `${trend.change === null ? "" : `${trend.change >= 0 ? "▲" : "▼"} ${percent(Math.abs(trend.change))} `}against ${usd(trend.previous_7_days_usd)}` : "once there are two weeks"}
        </Figure>
      </div>
      <div className="month-chart">{data && <TimeChart title="Day by day" times={drawn.times} step={86_400} series={drawn.series} shape="bars" format={usd} height={150} />}</div>
    </div>
  );
}
