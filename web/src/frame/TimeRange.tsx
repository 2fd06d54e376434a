import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { localInput } from "../format/time";
import { ChevronIcon } from "../parts/icons";
import { DEFAULT_RANGE, type Range, RANGES, rangeLabel, windowOf } from "./range";

/** The time range of a page: the usual ones, or any two times in the reader's zone. */
export function TimeRange({ search, onChange }: { search: Range; onChange: (range: Range) => void }) {
  const [shown, setShown] = useState<ReturnType<typeof windowOf> | null>(null); // what the fields begin with, while it is open
  const open = shown !== null;
  const [wrong, setWrong] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>("[aria-pressed=true], button")?.focus();
    const away = (event: PointerEvent) => {
      if (!box.current?.parentElement?.contains(event.target as Node)) setShown(null);
    };
    window.addEventListener("pointerdown", away);
    return () => window.removeEventListener("pointerdown", away);
  }, [open]);

  const choose = (range: Range) => {
    setShown(null);
    setWrong(null);
    button.current?.focus();
    onChange(range);
  };
  const onSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [from, to] = ["from", "to"].map((name) => {
      const value = form.get(name);
      return typeof value === "string" && value !== "" ? new Date(value).toISOString() : undefined;
    });
    if (from === undefined) setWrong("A range needs a time to start from.");
    else if (to !== undefined && to <= from) setWrong("The range ends before it starts.");
    else choose({ from, ...(to !== undefined && { to }) });
  };

  return (
    <div
      className="timerange"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        setShown(null);
        button.current?.focus();
      }}
    >
      <button ref={button} type="button" className="button" aria-haspopup="dialog" aria-expanded={open} onClick={() => setShown(open ? null : windowOf(search, Date.now()))}>
        {rangeLabel(search)} <ChevronIcon turn={90} />
      </button>
      {shown && (
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
              <input className="field" type="datetime-local" name="from" defaultValue={shown.from === null ? "" : localInput(shown.from)} />
            </label>
            <label>
              to <span className="faint">(empty: now)</span>
              <input className="field" type="datetime-local" name="to" defaultValue={shown.to === null ? "" : localInput(shown.to)} />
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
