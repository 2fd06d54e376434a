import { useQuery } from "@tanstack/react-query";
import type { MouseEvent } from "react";
import { count, short } from "../format/number";
import { Counted } from "../parts/Counted";
import { facetsQuery } from "./around";
import { condition } from "./condition";
import { has, toggled } from "./query";
import type { ExploreSearch } from "./search";

/** Values of the usual fields with their counts; a click asks for one, with alt it is left out; again takes it back. */
export function Facets({ search, due, onSearch }: { search: ExploreSearch; due: boolean; onSearch: (q: string | undefined) => void }) {
  const { data, isPlaceholderData } = useQuery({ ...facetsQuery(search), enabled: due });
  const found = data?.facets.filter(({ values }) => values.length > 0) ?? [];
  return (
    <aside className={`facets${isPlaceholderData ? " is-old" : ""}`} aria-label="values" aria-busy={data === undefined} tabIndex={0}>
      {data === undefined && [60, 80, 45, 70].map((width) => <p key={width}><span className="skeleton" style={{ width: `${width}%` }} /></p>)}
      {found.map((facet) => (
        <section key={facet.field}>
          <h3>{facet.field.replaceAll("_", " ")}</h3>
          <ul>
            {facet.values.map(({ value, count: counted, standard_error: errors }) => {
              const include = condition(facet.field, value);
              const exclude = `-${include}`;
              const state = has(search.q, include) ? "in" : has(search.q, exclude) ? "out" : null;
              const click = (event: MouseEvent) => {
                if (state !== null) onSearch(toggled(search.q, state === "in" ? include : exclude));
                else onSearch(event.altKey ? toggled(search.q, exclude, include) : toggled(search.q, include, exclude));
              };
              return (
                <li key={value}>
                  <button type="button" className={state === "out" ? "is-out" : undefined} aria-pressed={state !== null} title={`${value}\nclick: only these; alt-click: all but these`} onClick={click}>
                    <span className="facet-value">{value || "(empty)"}</span>
                    <span className="number faint">
                      <Counted value={counted} error={errors?.count} format={short} />
                    </span>
                  </button>
                </li>
              );
            })}
            {facet.groups > facet.values.length && <li className="faint facet-more">{data?.exact ? "" : "≈ "}{count(facet.groups - facet.values.length)} more: type <code>{facet.field}:</code></li>}
          </ul>
        </section>
      ))}
      {data && found.length === 0 && <p className="faint">No values.</p>}
    </aside>
  );
}
