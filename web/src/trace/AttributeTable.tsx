import { Link } from "@tanstack/react-router";
import { useDeferredValue, useState } from "react";
import type { Attributes, Value } from "../api/types";
import { count } from "../format/number";
import { Copy } from "../parts/Copy";
import { FilterIcon } from "../parts/icons";
import { ValueText } from "../parts/ValueText";
import { filterOf } from "./filter";
import "./attributes.css";

const TYPES: Record<string, string> = { i: "int", d: "double", b: "bool", y: "bytes, as base64", a: "array", k: "key-value list", s: "text", e: "empty" };

interface Props {
  attributes: Attributes;
  types?: string | undefined;
  dropped?: number | undefined;
  label: string;
  of?: "span" | "resource"; // whose they are, where traces can be looked for by them
  feeds?: ReadonlyMap<string, string[]>; // by key, the columns it fed
}

/** Keys and values as received, with a filter over both when there are many; a click looks for traces that have the same. */
export function AttributeTable({ attributes, types, dropped, label, of, feeds }: Props) {
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
                  {feeds?.has(key) && (
                    <span className="feeds" title="the columns that this attribute fed">
                      {feeds.get(key)?.join(", ")}
                    </span>
                  )}
                </th>
                <td>
                  <ValueText value={value} />
                </td>
                <td className="attribute-tools">
                  {of && <Alike name={key} value={value} of={of} />}
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

function Alike({ name, value, of }: { name: string; value: Value; of: "span" | "resource" }) {
  const filter = filterOf(name, value, of);
  if (filter === null) return null;
  return (
    <Link to="/explore" search={{ q: filter }} className="quiet" aria-label={`traces with the same ${name}`} title={`traces with ${filter}`}>
      <FilterIcon />
    </Link>
  );
}

function matches({ key, value }: { key: string; value: Value }, needle: string): boolean {
  if (needle === "") return true;
  return key.toLowerCase().includes(needle) || (typeof value === "string" ? value : JSON.stringify(value)).toLowerCase().includes(needle);
}
