import { type FormEvent, useEffect, useRef, useState } from "react";
import { localInput } from "../format/time";
import { ChevronIcon } from "../parts/icons";
import { DEFAULT_RANGE, RANGES, rangeLabel, type TraceSearch, windowOf } from "../traces/search";

type Range = Pick<TraceSearch, "range" | "from" | "to">;

/** The time range of a page: the usual ones, or any two times in the reader's zone. */
export function TimeRange({ search, onChange }: { search: TraceSearch; onChange: (range: Range) => void }) {
  const [open, setOpen] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>("[aria-pressed=true], button")?.focus();
    const away = (event: PointerEvent) => {
      if (!box.current?.parentElement?.contains(event.target as Node)) setOpen(false);
    };
    window.addEventListener("pointerdown", away);
    return () => window.removeEventListener("pointerdown", away);
  }, [open]);

  const choose = (range: Range) => {
    setOpen(false);
    setWrong(null);
    button.current?.focus();
    onChange(range);
  };
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [from, to] = ["from", "to"].map((name) => {
      const value = form.get(name);
      return typeof value === "string" && value !== "" ? new Date(value).toISOString() : undefined;
    });
    if (from === undefined) return setWrong("A range needs a time to start from.");
    if (to !== undefined && to <= from) return setWrong("The range ends before it starts.");
    choose({ from, ...(to !== undefined && { to }) });
  };
  const { from, to } = open ? windowOf(search, Date.now()) : { from: 0, to: null };

  return (
    <div
      className="timerange"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        setOpen(false);
        button.current?.focus();
      }}
    >
      <button ref={button} type="button" className="button" aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)}>
        {rangeLabel(search)} <ChevronIcon turn={90} />
      </button>
      {open && (
        <div ref={box} className="popup timerange-box" role="dialog" aria-label="time range">
          <div className="timerange-presets">
            {Object.entries(RANGES).map(([key, { label }]) => (
              <button
                key={key}
                type="button"
                className="choice"
                aria-pressed={search.from === undefined && (search.range ?? DEFAULT_RANGE) === key}
                onClick={() => choose(key === DEFAULT_RANGE ? {} : { range: key })}
              >
                {label}
              </button>
            ))}
          </div>
          <form onSubmit={onSubmit}>
            <label>
              from
              <input className="field" type="datetime-local" name="from" defaultValue={from === null ? "" : localInput(from)} />
            </label>
            <label>
              to <span className="faint">(empty: now)</span>
              <input className="field" type="datetime-local" name="to" defaultValue={to === null ? "" : localInput(to)} />
            </label>
            <p className="faint">{Intl.DateTimeFormat().resolvedOptions().timeZone}</p>
            {wrong !== null && (
              <p className="wrong" role="alert">
                {wrong}
              </p>
            )}
            <button className="button is-main">apply</button>
          </form>
        </div>
      )}
    </div>
  );
}
