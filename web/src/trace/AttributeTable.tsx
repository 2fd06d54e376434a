import { useDeferredValue, useState } from "react";
import type { Attributes, Value } from "../api/types";
import { count } from "../format/number";
import { Copy } from "../parts/Copy";
import { ValueText } from "../parts/ValueText";

const TYPES: Record<string, string> = { i: "int", d: "double", b: "bool", y: "bytes, as base64", a: "array", k: "key-value list", s: "text", e: "empty" };

/** Keys and values as received, with a filter over both when there are many. */
export function AttributeTable({ attributes, types, dropped, label }: { attributes: Attributes; types?: string | undefined; dropped?: number | undefined; label: string }) {
  const [filter, setFilter] = useState("");
  const needle = useDeferredValue(filter.trim().toLowerCase());
  const all = Object.entries(attributes);
  const letters = types?.length === all.length && !all.some(([key]) => /^\d+$/.test(key)) ? types : undefined; // JavaScript moves such keys to the front
  const shown = all.map(([key, value], index) => ({ key, value, type: letters && TYPES[letters.charAt(index).toLowerCase()] })).filter((row) => matches(row, needle));
  return (
    <div className="attributes">
      {all.length > 8 && (
        <div className="attributes-filter">
          <input className="field" placeholder={`filter ${count(all.length)} ${label}`} aria-label={`filter ${label}`} value={filter} onChange={(event) => setFilter(event.target.value)} />
          {needle !== "" && <span className="faint">{count(shown.length)} match</span>}
        </div>
      )}
      {all.length === 0 && <p className="faint">no {label}</p>}
      {shown.length > 0 && (
        <table>
          <tbody>
            {shown.map(({ key, value, type }) => (
              <tr key={key}>
                <th scope="row" title={type ? `${key} (${type})` : key}>
                  {key}
                </th>
                <td>
                  <ValueText value={value} />
                </td>
                <td className="attribute-copy">
                  <Copy text={typeof value === "string" ? value : JSON.stringify(value)} label={`copy ${key}`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {dropped ? <p className="faint">{count(dropped)} more were dropped by the sender's own limits</p> : null}
    </div>
  );
}

function matches({ key, value }: { key: string; value: Value }, needle: string): boolean {
  if (needle === "") return true;
  return key.toLowerCase().includes(needle) || (typeof value === "string" ? value : JSON.stringify(value)).toLowerCase().includes(needle);
}
