import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { summaryQuery } from "../api/llm";
import { rangeLabel, readRange } from "../frame/range";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { count } from "../format/number";
import { Failed } from "../parts/Failed";
import { AnyTrace } from "../traces/AnyTrace";
import { Breakdown } from "./Breakdown";
import { Changes } from "./Changes";
import { Charts } from "./Charts";
import { Headline } from "./Headline";
import { Lists } from "./Lists";
import "./overview.css";

/** What calls of models did, cost and took in a time range, at one look; every figure leads to what it is made of. */
export function OverviewPage() {
  const range = useSearch({ from: "/" });
  const navigate = useNavigate();
  const over = useQuery(summaryQuery(range, { over: true }));
  const brush = (from: number, to: number) => void navigate({ to: "/", search: { from: new Date(from).toISOString(), to: new Date(to).toISOString() } });
  return (
    <>
      <TopBar title="Overview">
        <TimeRange search={range} onChange={(next) => void navigate({ to: "/", search: readRange({ ...next }) })} />
      </TopBar>
      <Failed error={over.data ? null : over.error} what="The figures could not be read">
        <AnyTrace>
          <div className="page overview">
            <Headline range={range} over={over.data} />
            <Charts range={range} over={over.data} onBrush={brush} />
            {/* figures and charts first: what reads calls and spans one by one is asked when they stand */}
            {over.data && (
              <>
                <Breakdown range={range} />
                <Changes range={range} />
                <Lists range={range} />
              </>
            )}
            <p className="page-note">
              {over.data && over.data.totals.calls > 0
                ? `Calls: ${over.data.population}. ${count(over.data.totals.calls)} of them in ${rangeLabel(range)}. ${over.data.notes.join("; ")}. Traces and errors are of the spans that are kept.`
                : "\u00a0"}
            </p>
          </div>
        </AnyTrace>
      </Failed>
    </>
  );
}
