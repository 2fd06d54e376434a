import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type RefObject, useMemo, useState } from "react";
import { parseDuration } from "../format/duration";
import { Combobox } from "../parts/Combobox";
import type { TraceSearch } from "./search";
import { servicesQuery } from "./services";

type Change = (change: Partial<Record<keyof TraceSearch, string | undefined>>) => void;

const STATUSES = [
  [undefined, "all"],
  ["ok", "ok"],
  ["error", "errors"],
] as const;

/** Service (or a trace id, which opens that trace), status, least duration. */
export function Filters({ search, change, inputRef }: { search: TraceSearch; change: Change; inputRef: RefObject<HTMLInputElement | null> }) {
  const navigate = useNavigate();
  const services = useQuery(servicesQuery(search));
  const choices = useMemo(() => (services.data ?? []).map(({ name, traces }) => ({ name, count: traces })), [services.data]);

  const chooseService = (text: string) => {
    if (/^[0-9a-f]{32}$/i.test(text)) void navigate({ to: "/traces/$traceId", params: { traceId: text.toLowerCase() } });
    else change({ service: text || undefined });
  };
  return (
    <div className="filters" role="search" aria-label="filter traces">
      <Combobox label="service" placeholder="service, or paste a trace id" value={search.service ?? ""} choices={choices} onChoose={chooseService} inputRef={inputRef} />
      <div className="segments" role="group" aria-label="status">
        {STATUSES.map(([value, label]) => (
          <button key={label} type="button" aria-pressed={search.status === value} onClick={() => change({ status: value })}>
            {label}
          </button>
        ))}
      </div>
      <LeastDuration key={search.min} value={search.min ?? ""} onChange={(min) => change({ min })} />
    </div>
  );
}

function LeastDuration({ value, onChange }: { value: string; onChange: (min: string | undefined) => void }) {
  const [text, setText] = useState(value);
  const wrong = text.trim() !== "" && parseDuration(text) === null;
  const take = () => {
    if (!wrong && text.trim() !== value) onChange(text.trim() || undefined);
  };
  return (
    <label className="least">
      <span>at least</span>
      <input
        className="field"
        placeholder="500 ms"
        aria-label="least duration"
        aria-invalid={wrong}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={take}
        onKeyDown={(event) => {
          if (event.key === "Enter") take();
          if (event.key === "Escape") {
            setText(value);
            event.currentTarget.blur();
          }
        }}
      />
      {wrong && (
        <span className="wrong" role="alert">
          write it as 500 ms, 1.5 s or 2 m
        </span>
      )}
    </label>
  );
}
