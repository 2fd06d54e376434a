import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { send } from "../api/client";
import { count } from "../format/number";
import { ChevronIcon } from "../parts/icons";
import type { SqlAnswer } from "./types";

const VIEWS = ["spans", "traces", "llm_metrics", "llm_calls", "logs", "metric_points", "feedback", "llm_rollups", "span_rollups"];

/** The views and their columns, as an empty answer of the server names them; a click puts a name into the query. */
export function Schema({ onInsert }: { onInsert: (word: string) => void }) {
  return (
    <section aria-label="schema">
      <h2>schema</h2>
      {VIEWS.map((view) => (
        <View key={view} view={view} onInsert={onInsert} />
      ))}
    </section>
  );
}

function View({ view, onInsert }: { view: string; onInsert: (word: string) => void }) {
  const [open, setOpen] = useState(false);
  const { data, error } = useQuery({
    queryKey: ["schema", view],
    queryFn: ({ signal }) => send<SqlAnswer>("POST", "sql", { query: `SELECT * FROM ${view} LIMIT 0` }, signal),
    enabled: open,
    staleTime: Infinity,
  });
  return (
    <div className="schema-view">
      <div className="schema-head">
        <button type="button" className="schema-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
          <ChevronIcon turn={open ? 90 : 0} /> <code>{view}</code> {data && <span className="faint number">{count(data.columns.length)}</span>}
        </button>
      </div>
      {open && (
        <ul>
          {data?.columns.map((column) => (
            <li key={column.name}>
              <button type="button" className="schema-column" title={`insert ${column.name}`} onClick={() => onInsert(column.name)}>
                <code>{column.name}</code> <span className="faint">{column.type.toLowerCase().replace(/\(.*/s, "")}</span>
              </button>
            </li>
          ))}
          {error && <li className="faint">{error.message}</li>}
        </ul>
      )}
    </div>
  );
}
