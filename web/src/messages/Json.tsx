import { useState } from "react";
import type { Value } from "../api/types";
import { count } from "../format/number";
import { ChevronIcon } from "../parts/icons";

const SHORT = 72; // characters of a structure that stands in one line
const STEP = 100; // children shown at once
const LONG_TEXT = 300;

/** A value as JSON that opens level by level: only what is open is laid out, of long lists a hundred at a time. */
export function Json({ value, open = 1, name }: { value: Value; open?: number; name?: string }) {
  return (
    <div className="json">
      <Node value={value} depth={open} {...(name !== undefined && { name })} last />
    </div>
  );
}

function Node({ value, depth, name, last }: { value: Value; depth: number; name?: string; last: boolean }) {
  const [open, setOpen] = useState(depth > 0);
  const [shown, setShown] = useState(STEP);
  if (value === null || typeof value !== "object") {
    return (
      <div className="json-line">
        {name !== undefined && <Key name={name} />}
        <Scalar value={value} />
        {!last && ","}
      </div>
    );
  }
  const line = oneLine(value);
  const list = Array.isArray(value);
  const [begin, end] = list ? ["[", "]"] : ["{", "}"];
  if (line !== null) {
    return (
      <div className="json-line">
        {name !== undefined && <Key name={name} />}
        <span className="json-short">{line}</span>
        {!last && ","}
      </div>
    );
  }
  const entries: [string | undefined, Value][] = list ? value.map((each) => [undefined, each]) : Object.entries(value);
  return (
    <div>
      <button type="button" className="json-line json-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronIcon turn={open ? 90 : 0} />
        {name !== undefined && <Key name={name} />}
        {begin}
        {!open && (
          <span className="faint">
            {count(entries.length)} {list ? "items" : "keys"}
          </span>
        )}
        {!open && end}
      </button>
      {open && (
        <>
          <div className="json-inside">
            {entries.slice(0, shown).map(([key, each], index) => (
              <Node key={key ?? index} value={each} depth={depth - 1} {...(key !== undefined && { name: key })} last={index === entries.length - 1} />
            ))}
            {entries.length > shown && (
              <button type="button" className="link" onClick={() => setShown(shown + 10 * STEP)}>
                {count(entries.length - shown)} more
              </button>
            )}
          </div>
          <div className="json-line">
            {end}
            {!last && ","}
          </div>
        </>
      )}
    </div>
  );
}

function Key({ name }: { name: string }) {
  return <span className="json-key">{JSON.stringify(name)}: </span>;
}

function Scalar({ value }: { value: string | number | boolean | null }) {
  const [all, setAll] = useState(false);
  if (typeof value !== "string") return <span className="json-plain">{String(value)}</span>;
  if (value.length <= LONG_TEXT || all) return <span className="json-text">{JSON.stringify(value)}</span>;
  return (
    <span className="json-text">
      {JSON.stringify(value.slice(0, LONG_TEXT))}…{" "}
      <button type="button" className="link" onClick={() => setAll(true)}>
        all {count(value.length)} characters
      </button>
    </span>
  );
}

/** A structure as one line, when it is short; null when it is not. Does not look at more of it than a line. */
export function oneLine(value: Value): string | null {
  let room = SHORT;
  const fits = (each: Value): boolean => {
    if (room < 0) return false;
    if (each === null || typeof each !== "object") {
      room -= (typeof each === "string" ? each.length + 2 : 4) + 1;
      return room >= 0;
    }
    room -= 2;
    if (Array.isArray(each)) return each.length <= SHORT && each.every(fits);
    const keys = Object.keys(each);
    return keys.length <= SHORT && keys.every((key) => ((room -= key.length + 4), fits(each[key] ?? null)));
  };
  return fits(value) ? JSON.stringify(value) : null;
}
