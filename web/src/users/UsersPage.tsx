import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ask, type Answer, type Query } from "../api/client";
import { dollars, FRESH_MS } from "../api/llm";
import { condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import { type Range, rangeLabel, readRange, windowParams } from "../frame/range";
import { TimeRange } from "../frame/TimeRange";
import { TopBar } from "../frame/TopBar";
import { count, short } from "../format/number";
import { Bar, BarList } from "../parts/BarList";
import { Counted } from "../parts/Counted";
import { Failed } from "../parts/Failed";
import { Money } from "../parts/Money";
import { Ago } from "../parts/now";
import { type Column, Table } from "../parts/Table";
import { AnyTrace } from "../traces/AnyTrace";
import { readUsers, type UsersSearch } from "./search";
import "./users.css";

type User = Answer<"/api/v1/users">["items"][number];

const SHOWN = 200;

/** Who uses the applications, what each did and cost. */
export function UsersPage() {
  const search = useSearch({ from: "/users" });
  const navigate = useNavigate();
  const change = (part: Partial<Record<keyof UsersSearch, string | undefined>>) => void navigate({ to: "/users", search: (old) => readUsers({ ...old, ...part }) });
  const sort = search.sort ?? "-cost";
  const { data, error } = useQuery({
    queryKey: ["users", { range: search.range, from: search.from, to: search.to }, sort],
    queryFn: ({ signal }) => ask("/api/v1/users", { ...windowParams(search, Date.now()), sort: sort as NonNullable<Query<"/api/v1/users">["sort"]>, limit: SHOWN }, signal),
    staleTime: FRESH_MS / 2,
    refetchInterval: search.to === undefined ? FRESH_MS : false,
    placeholderData: (old) => old,
  });
  const most = Math.max(0, ...(data?.items ?? []).map((user) => dollars(user.total_cost_usd)));
  const columns: Column<User>[] = [
    {
      key: "user",
      label: "user",
      render: (user) => (
        <button type="button" className="user-name" aria-expanded={search.user === user.user_id} onClick={() => change({ user: search.user === user.user_id ? undefined : user.user_id })}>
          {user.user_id}
        </button>
      ),
    },
    { key: "traces", label: "traces", right: true, sort: "traces", render: (user) => <RowsLink range={search} q={condition("user", user.user_id)}><Counted value={user.traces} error={user.standard_error?.traces} /></RowsLink> },
    { key: "sessions", label: "sessions", right: true, render: (user) => <RowsLink range={search} of="sessions" q={condition("user", user.user_id)}>{user.sessions.length >= 100 ? "100+" : count(user.sessions.length)}</RowsLink> },
    { key: "calls", label: "calls", right: true, sort: "calls", render: (user) => <RowsLink range={search} of="calls" q={condition("user", user.user_id)}>{count(user.calls)}</RowsLink> },
    { key: "errors", label: "failed", right: true, sort: "errors", render: (user) => (user.errors === 0 ? <span className="faint">0</span> : <RowsLink range={search} of="calls" q={`${condition("user", user.user_id)} status:error`} className="is-error">{count(user.errors)}</RowsLink>) },
    { key: "tokens", label: "tokens", right: true, sort: "tokens", render: (user) => short(Number(user.total_tokens)) },
    { key: "models", label: "models", render: (user) => <span className="user-models muted" title={user.models.join(", ")}>{user.models.slice(0, 2).join(", ")}{user.models.length > 2 && ` +${user.models.length - 2}`}</span> },
    { key: "first", label: "first", sort: "first", render: (user) => <span className="muted"><Ago ms={Date.parse(user.first)} /></span> },
    { key: "last", label: "last", sort: "last", render: (user) => <span className="muted"><Ago ms={Date.parse(user.last)} /></span> },
    {
      key: "cost",
      label: "spend",
      right: true,
      sort: "cost",
      render: (user) => (
        <Bar size={dollars(user.total_cost_usd)} most={most}>
          <Money value={user.total_cost_usd} unpriced={user.unpriced_calls} said="sign" />
        </Bar>
      ),
    },
  ];
  return (
    <>
      <TopBar title="Users">
        <TimeRange search={search} onChange={({ range, from, to }) => change({ range, from, to })} />
      </TopBar>
      <AnyTrace>
        <Failed error={data ? null : error} what="The users could not be read">
          <div className="page">
            <Table
              label="users"
              columns={columns}
              rows={data?.items}
              rowKey={(user) => user.user_id}
              sort={sort}
              onSort={(next) => change({ sort: next })}
              here={search.user ?? null}
              after={(user) => (search.user === user.user_id ? <UserDetail range={search} id={user.user_id} /> : null)}
            />
            {data?.items.length === 0 && <p className="page-note">No call or trace in {rangeLabel(search)} names a user. The attribute <code>user.id</code> does.</p>}
            {data && data.items.length > 0 && (
              <p className="page-note">
                {data.next_cursor === null ? `${count(data.items.length)} users` : `The first ${count(data.items.length)} users in this order`} with a call or a trace in {rangeLabel(search)}; the
                figures are of that time: every call that counts, and the traces that are kept.
              </p>
            )}
          </div>
        </Failed>
      </AnyTrace>
    </>
  );
}

/** One user: the dearest models, the latest sessions, the days. */
function UserDetail({ range, id }: { range: Range; id: string }) {
  const { data } = useQuery({
    queryKey: ["user", id, { range: range.range, from: range.from, to: range.to }],
    queryFn: ({ signal }) => ask("/api/v1/users/{id}", { ...windowParams(range, Date.now()), tz: Intl.DateTimeFormat().resolvedOptions().timeZone }, signal, { id }),
    staleTime: FRESH_MS,
  });
  const user = condition("user", id);
  return (
    <div className="user-detail">
      <BarList
        title="Models"
        head="spend"
        aside="calls"
        none="No calls."
        rows={data?.models.slice(0, 8).map((item) => ({
          key: item.model ?? "",
          name: <RowsLink range={range} of="calls" q={`${user} ${condition("model_name", item.model)}`}>{item.model ?? "unknown"}</RowsLink>,
          size: dollars(item.total_cost_usd),
          value: <Money value={item.total_cost_usd} unpriced={item.unpriced_calls} said="sign" />,
          aside: count(item.calls),
        }))}
      />
      <BarList
        title="Latest sessions"
        head="spend"
        aside="traces"
        none="No session is named."
        rows={data?.sessions.slice(0, 8).map((item) => ({
          key: item.session_id,
          name: <Link to="/sessions/$sessionId" params={{ sessionId: item.session_id }} search={readRange({ ...range })}>{item.session_id}</Link>,
          size: dollars(item.total_cost_usd),
          value: <Money value={item.total_cost_usd} unpriced={item.unpriced_calls} said="sign" />,
          aside: <Counted value={item.traces} error={item.standard_error?.traces} />,
        }))}
      />
      <BarList
        title="Days"
        head="spend"
        aside="calls"
        none="No calls."
        rows={data?.days
          .filter((day) => day.calls > 0)
          .slice(-8)
          .reverse()
          .map((day) => ({
            key: day.day,
            name: new Date(day.day).toLocaleDateString("en-US", { weekday: "short", month: "short", day: "numeric" }),
            size: dollars(day.total_cost_usd),
            value: <Money value={day.total_cost_usd} unpriced={day.unpriced_calls} said="sign" />,
            aside: count(day.calls),
          }))}
      />
    </div>
  );
}
