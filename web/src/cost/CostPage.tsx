import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { summaryQuery } from "../api/llm";
import { rangeLabel } from "../frame/range";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { count } from "../format/number";
import { Failed } from "../parts/Failed";
import { AnyTrace } from "../traces/AnyTrace";
import { Attribution } from "./Attribution";
import "./cost.css";
import { Month } from "./Month";
import { Parts } from "./Parts";
import { type CostSearch, readCost } from "./search";
import { Unpriced } from "./Unpriced";

/** What calls cost: the month and its forecast, what the money is for, by any two dimensions, and what has no price. */
export function CostPage() {
  const search = useSearch({ from: "/cost" });
  const navigate = useNavigate();
  const change = (part: Partial<Record<keyof CostSearch, string | undefined>>) => void navigate({ to: "/cost", search: (old) => readCost({ ...old, ...part }) });
  const { data, error } = useQuery(summaryQuery(search, {}));
  return (
    <>
      <TopBar title="Cost">
        <TimeRange search={search} onChange={({ range, from, to }) => change({ range, from, to })} />
      </TopBar>
      <AnyTrace>
        <Failed error={data ? null : error} what="The costs could not be read">
          <div className="page">
            <Month />
            <Parts totals={data?.totals} range={search} />
            <Attribution search={search} change={change} />
            <Unpriced range={search} totals={data?.totals} />
            {data && (
              <p className="page-note">
                {count(data.totals.calls)} calls in {rangeLabel(search)}: {data.population}. Money is exact; it is what is priced, and calls without a known price are
                said beside it.
              </p>
            )}
          </div>
        </Failed>
      </AnyTrace>
    </>
  );
}
