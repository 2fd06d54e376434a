import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { Answer } from "../api/client";
import { errorsQuery } from "../api/llm";
import { Sparkline } from "../charts/Sparkline";
import { all, condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import { rangeLabel } from "../frame/range";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { count } from "../format/number";
import { Counted } from "../parts/Counted";
import { Failed } from "../parts/Failed";
import { Ago } from "../parts/now";
import { type Column, Table } from "../parts/Table";
import { AnyTrace } from "../traces/AnyTrace";
import "./errors.css";
import { errorsAsked, type ErrorsSearch, type Order, readErrors } from "./search";

type ErrorGroup = Answer<"/api/v1/errors">["items"][number];
/** Failures put together by what failed and how, where they began. */
export function ErrorsPage() {
  const search = useSearch({ from: "/errors" });
  const navigate = useNavigate();
  const change = (part: Partial<Record<keyof ErrorsSearch, string | undefined>>) => void navigate({ to: "/errors", search: (old) => readErrors({ ...old, ...part }) });
  const sort: Order = search.sort ?? "-count";
  const { data, error } = useQuery({ ...errorsQuery(search, errorsAsked(search)), placeholderData: (old) => old });
  const columns: Column<ErrorGroup>[] = [
    {
      key: "what",
      label: "what failed",
      render: (item) => (
        <div className="error-what">
          <p>
            {item.before === 0 && (
              <span className="tag is-new" title="not in the seven days before this time range">
                new
              </span>
            )}
            <Link to="/traces/$traceId" params={{ traceId: item.trace_id }} search={{ span: item.span_id }} title="the latest one">
              {item.error_type !== null && <span className="is-error">{item.error_type}</span>} {item.name}
            </Link>
            <span className="faint"> {item.service_name}</span>
          </p>
          <p className="muted error-message" title={item.message ?? undefined}>
            {item.message || "no message"}
          </p>
        </div>
      ),
    },
    {
      key: "count",
      label: "failures",
      right: true,
      sort: "count",
      width: "90px",
      render: (item) => (
        <RowsLink range={search} of="spans" q={all("status:error", condition("name", item.name), item.service_name === null ? undefined : condition("service", item.service_name))}>
          <Counted value={item.count} error={item.standard_error?.count} />
        </RowsLink>
      ),
    },
    { key: "traces", label: "traces", right: true, sort: "traces", width: "80px", render: (item) => <Counted value={item.traces} error={item.standard_error?.traces} /> },
    { key: "course", label: "course", width: "150px", render: (item) => <span className="error-course"><Sparkline values={item.slots} width={130} height={24} /></span> },
    { key: "models", label: "models", width: "170px", render: (item) => <span className="error-models muted" title={item.models.join(", ")}>{item.models.join(", ")}</span> },
    { key: "first", label: "first", sort: "first", width: "100px", render: (item) => <span className="muted"><Ago ms={Date.parse(item.first)} /></span> },
    { key: "last", label: "last", sort: "last", width: "100px", render: (item) => <span className="muted"><Ago ms={Date.parse(item.last)} /></span> },
  ];
  return (
    <>
      <TopBar title="Errors">
        <TimeRange search={search} onChange={({ range, from, to }) => change({ range, from, to })} />
      </TopBar>
      <AnyTrace>
        <Failed error={data ? null : error} what="The errors could not be read">
          <div className="page errors">
            <Table
              label="errors"
              columns={columns}
              rows={data?.items}
              rowKey={(item) => [item.service_name, item.name, item.error_type, item.pattern].join("\n")}
              sort={sort}
              onSort={(next) => change({ sort: next.startsWith("-") ? next : `-${next}` })}
            />
            {data?.items.length === 0 && <p className="page-note">Nothing failed in {rangeLabel(search)}.</p>}
            {data && data.items.length > 0 && (
              <p className="page-note">
                <Counted value={data.failures} error={data.standard_error?.failures} /> failures of {count(data.groups)} kinds in {rangeLabel(search)}, {data.exact ? "of spans that are kept" : "estimated from the traces that are kept"}. A failure counts where it began: spans that only
                passed it on are left out. Messages that differ in numbers and ids only are one kind.
              </p>
            )}
          </div>
        </Failed>
      </AnyTrace>
    </>
  );
}
