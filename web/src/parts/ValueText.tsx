import { useMemo, useState } from "react";
import type { Value } from "../api/types";
import { bytes } from "../format/number";

const CLIP = 600; // characters shown before one asks for the rest
const LINES = 12;

/** Text that is an object or array as JSON, parsed; undefined when it is not. */
export function parseStructure(text: string): Value | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}

/** Cuts text to about `CLIP` characters and `LINES` lines; null when it is short enough to stand whole. */
export function clip(text: string): string | null {
  let end = Math.min(text.length, CLIP);
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) if (++lines === LINES) end = at;
  return end < text.length ? text.slice(0, end) : null;
}

/**
 * A value of an attribute. Structures and JSON in text are laid out; long ones are clipped, say how long they are and open on a click. Only what
 * is shown is parsed: a clipped text is laid out when it is opened.
 */
export function ValueText({ value }: { value: Value }) {
  const [open, setOpen] = useState(false);
  const [raw, setRaw] = useState(false);
  const text = typeof value === "string" ? value : null;
  const long = text !== null && text.length > 20_000;
  const structure = useMemo(
    () => (text === null ? (value !== null && typeof value === "object" ? value : undefined) : long && !open ? undefined : parseStructure(text)),
    [value, text, long, open],
  );
  const laidOut = useMemo(() => (structure === undefined ? null : JSON.stringify(structure, null, 2)), [structure]);
  const shown = laidOut !== null && !raw ? laidOut : (text ?? JSON.stringify(value));
  const clipped = useMemo(() => clip(shown), [shown]);
  if (value === null) return <span className="faint">empty</span>;
  if (typeof value === "number" || typeof value === "boolean") return <span className="value mono is-plain">{String(value)}</span>;
  if (shown === "") return <span className="faint">empty text</span>;
  return (
    <div className="value">
      <pre className={laidOut !== null && !raw ? "is-json" : undefined}>
        {open || clipped === null ? shown : clipped}
        {!open && clipped !== null && "…"}
      </pre>
      {(clipped !== null || (laidOut !== null && text !== null)) && (
        <div className="value-tools">
          {clipped !== null && (
            <button type="button" className="link" aria-expanded={open} onClick={() => setOpen(!open)}>
              {open ? "show less" : `show all ${bytes(new Blob([shown]).size)}`}
            </button>
          )}
          {laidOut !== null && text !== null && (
            <button type="button" className="link" onClick={() => setRaw(!raw)}>
              {raw ? "lay out JSON" : "as received"}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
