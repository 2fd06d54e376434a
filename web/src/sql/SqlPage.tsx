import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { ApiError, send } from "../api/client";
import { save, forget, savedQuery } from "../api/saved";
import { duration } from "../format/duration";
import { count } from "../format/number";
import { TopBar } from "../frame/TopBar";
import { Copy } from "../parts/Copy";
import { CloseIcon, ErrorIcon } from "../parts/icons";
import { Splitter } from "../parts/Splitter";
import { useStored } from "../frame/stored";
import { EXAMPLES } from "./examples";
import { QuickChart } from "./QuickChart";
import { Result } from "./Result";
import { Schema } from "./Schema";
import { csv, curl } from "./text";
import type { SavedSql, SqlAnswer } from "./types";
import "../parts/page.css";
import "../parts/table.css";
import "./sql.css";

/** One SELECT over everything: editor, schema, result, chart, and the queries people saved on the server. */
export function SqlPage() {
  const search = useSearch({ from: "/sql" });
  const navigate = useNavigate();
  const [text, setText] = useState(search.q ?? EXAMPLES[0]?.query ?? "");
  const [height, setHeight] = useStored<number>("sql-height", 180);
  const [shown, setShown] = useState<"table" | "chart">("table");
  const editor = useRef<HTMLTextAreaElement>(null);
  const ending = useRef<AbortController | null>(null);
  const run = useMutation({
    mutationFn: (query: string) => {
      ending.current?.abort();
      ending.current = new AbortController();
      return send<SqlAnswer>("POST", "sql", { query }, ending.current.signal);
    },
  });
  const { mutate } = run;
  const start = (query: string) => {
    if (query.trim() === "") return;
    void navigate({ to: "/sql", search: { q: query }, replace: search.q === query });
    mutate(query);
  };
  // a shared link shows its answer
  const first = useRef(search.q);
  useEffect(() => {
    if (first.current !== undefined) mutate(first.current);
    return () => ending.current?.abort();
  }, [mutate]);
  const insert = (word: string) => {
    const field = editor.current;
    if (!field) return;
    field.focus();
    field.setRangeText(word, field.selectionStart, field.selectionEnd, "end");
    setText(field.value);
  };
  const load = (query: string) => {
    setText(query);
    start(query);
  };
  const stopped = run.error instanceof DOMException;
  return (
    <>
      <TopBar title="SQL">
        <span className="faint sql-hint">one SELECT, read only, in a process of its own</span>
        <Copy text={() => curl(location.origin, text)} label="copy as curl" />
        {run.isPending ? (
          <button type="button" className="button" onClick={() => ending.current?.abort()}>
            stop
          </button>
        ) : (
          <button type="button" className="button is-main" onClick={() => start(text)} title="run (ctrl or ⌘ enter)">
            run
          </button>
        )}
      </TopBar>
      <div className="sql">
        <aside className="sql-side" tabIndex={0} aria-label="saved queries and schema">
          <SavedQueries text={text} onLoad={load} />
          <Schema onInsert={insert} />
        </aside>
        <div className="sql-main">
          <div className="sql-editor" style={{ height }}>
            <textarea
              ref={editor}
              aria-label="SQL query"
              spellCheck={false}
              autoComplete="off"
              autoCapitalize="off"
              value={text}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
                  event.preventDefault();
                  start(text);
                } else if (event.key === "Escape") event.currentTarget.blur();
              }}
            />
            <Splitter label="height of the editor" axis="y" value={height} min={80} max={600} onChange={setHeight} />
          </div>
          {run.error && !stopped && <Mistake error={run.error} />}
          {stopped && <p className="sql-none muted">Stopped.</p>}
          {run.isPending && (
            <div className="panel-wait sql-none" aria-busy="true" aria-label="running">
              {[60, 72, 44].map((width) => (
                <span key={width} className="skeleton" style={{ width: `${width}%` }} />
              ))}
            </div>
          )}
          {run.isSuccess && (
            <>
              <div className="sql-bar">
                <div className="segments" role="group" aria-label="result as">
                  <button type="button" aria-pressed={shown === "table"} onClick={() => setShown("table")}>
                    table
                  </button>
                  <button type="button" aria-pressed={shown === "chart"} onClick={() => setShown("chart")}>
                    chart
                  </button>
                </div>
                <span className="number" role="status">
                  {count(run.data.row_count)} {run.data.row_count === 1 ? "row" : "rows"} <span className="faint">in {duration(run.data.elapsed_ms)}</span>
                </span>
                {run.data.truncated && <span className="tag">there are more rows than are shown</span>}
                <Copy text={() => csv(run.data)} label="copy as CSV" />
              </div>
              {shown === "chart" ? <QuickChart answer={run.data} /> : run.data.rows.length === 0 ? <p className="faint sql-none">No rows.</p> : <Result answer={run.data} />}
            </>
          )}
          {run.isIdle && (
            <div className="sql-none">
              <p className="muted">To begin with:</p>
              <ul className="sql-examples">
                {EXAMPLES.map((example) => (
                  <li key={example.name}>
                    <button type="button" className="link" onClick={() => load(example.query)}>
                      {example.name}
                    </button>
                  </li>
                ))}
              </ul>
            </div>
          )}
        </div>
      </div>
    </>
  );
}

function Mistake({ error }: { error: Error }) {
  return (
    <div className="sql-mistake" role="alert">
      <ErrorIcon />
      <div>
        <pre>{error.message}</pre>
        {error instanceof ApiError && error.code === "deadline" && <p>A narrower time window (on start_time, ts or time) reads less.</p>}
      </div>
    </div>
  );
}

/** Queries that people saved on the server, for everyone. */
function SavedQueries({ text, onLoad }: { text: string; onLoad: (query: string) => void }) {
  const client = useQueryClient();
  const { data } = useQuery(savedQuery<SavedSql>("query"));
  const [name, setName] = useState("");
  const again = () => client.invalidateQueries({ queryKey: ["saved", "query"] });
  const saving = useMutation({ mutationFn: () => save("query", name.trim(), { query: text }), onSuccess: again });
  const deleting = useMutation({ mutationFn: (which: string) => forget("query", which), onSuccess: again });
  const error = saving.error ?? deleting.error;
  return (
    <section aria-label="saved queries">
      <h2>saved</h2>
      <ul className="sql-saved">
        {data?.map((each) => (
          <li key={each.name}>
            <button
              type="button"
              className="link clip"
              title={each.body.query}
              onClick={() => {
                setName(each.name);
                onLoad(each.body.query);
              }}
            >
              {each.name}
            </button>
            <button type="button" className="quiet" aria-label={`delete ${each.name}`} title="delete" onClick={() => deleting.mutate(each.name)}>
              <CloseIcon />
            </button>
          </li>
        ))}
        {data?.length === 0 && <li className="faint">none yet</li>}
      </ul>
      <form
        className="sql-save"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "") saving.mutate();
        }}
      >
        <input className="field" placeholder="a name" aria-label="name of the query" maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
        <button className="button" disabled={name.trim() === "" || saving.isPending}>
          {data?.some((each) => each.name === name.trim()) ? "replace" : "save"}
        </button>
      </form>
      {error && (
        <p className="wrong" role="alert">
          {error.message}
        </p>
      )}
    </section>
  );
}
