import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { ask } from "../api/client";
import { pinsQuery, savedQuery } from "../api/saved";
import { condition } from "../explore/condition";
import { readExplore } from "../explore/search";
import { PLACES } from "../pages";
import { ExploreIcon, ModelsIcon, PinIcon, StarIcon, TracesIcon, UsersIcon } from "../parts/icons";
import { readRange } from "./range";

interface Entry {
  key: string;
  icon: ReactNode;
  label: string;
  about: string;
  go: () => void;
}

/** Everything by its name, as a modal dialog: pages, saved views, pinned traces, a trace by its id, models, users, or a filter. */
export function Palette({ open, onClose, onHelp }: { open: boolean; onClose: () => void; onHelp: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} className="palette" aria-label="go to anything" onClose={onClose} onClick={(event) => event.target === dialog.current && onClose()}>
      {open && <Finder onClose={onClose} onHelp={onHelp} />}
    </dialog>
  );
}

function Finder({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const entries = useEntries(typed.trim(), onHelp);
  const at = Math.min(active, entries.length - 1);
  const take = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.go();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && entries.length) {
      event.preventDefault();
      setActive((at + step + entries.length) % entries.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(entries[at]);
    }
  };
  return (
    <>
      <input
        role="combobox"
        aria-label="what to go to"
        aria-expanded={entries.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={entries.length ? `${id}-${at}` : undefined}
        placeholder="a page, a view, a trace id, a model, a user, or a filter"
        spellCheck={false}
        autoComplete="off"
        autoFocus
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul role="listbox" id={`${id}-list`} aria-label="what there is">
        {entries.map((entry, index) => (
          <li key={entry.key} id={`${id}-${index}`} role="option" aria-selected={index === at} onClick={() => take(entry)} onPointerMove={() => index !== at && setActive(index)}>
            <span className="palette-icon">{entry.icon}</span>
            <span>{entry.label}</span>
            <span className="faint">{entry.about}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

const MOST = 6; // of one kind

function useEntries(typed: string, onHelp: () => void): Entry[] {
  const navigate = useNavigate();
  const range = readRange(useSearch({ strict: false }));
  const needle = typed.toLowerCase();
  const views = useQuery(savedQuery<Record<string, unknown>>("view")).data ?? [];
  const pins = useQuery(pinsQuery).data ?? [];
  const found = useQuery({
    queryKey: ["palette", needle],
    queryFn: async ({ signal }) => (await ask("/api/v1/facets", { of: "calls", fields: "model_name,user", prefix: needle, limit: MOST }, signal)).facets,
    enabled: needle.length >= 2 && !/[:<>]/.test(needle),
    staleTime: 60_000,
  }).data;
  const valuesOf = (field: string) => found?.find((facet) => facet.field === field)?.values ?? [];

  const entries: Entry[] = [];
  if (/^[0-9a-f]{32}$/.test(needle)) {
    entries.push({ key: "trace", icon: <TracesIcon />, label: needle, about: "trace", go: () => void navigate({ to: "/traces/$traceId", params: { traceId: needle } }) });
  }
  for (const { path, title, Icon, key } of PLACES) {
    if (title.toLowerCase().includes(needle)) entries.push({ key: path, icon: <Icon />, label: title, about: `g ${key}`, go: () => void navigate({ to: path, search: range }) });
  }
  for (const { name, body } of views.filter((view) => view.name.toLowerCase().includes(needle)).slice(0, MOST)) {
    entries.push({ key: `view ${name}`, icon: <StarIcon />, label: name, about: "view", go: () => void navigate({ to: "/explore", search: readExplore(body) }) });
  }
  for (const { name, body } of pins.filter((pin) => `${pin.body.root_name} ${pin.name}`.toLowerCase().includes(needle)).slice(0, MOST)) {
    entries.push({ key: `pin ${name}`, icon: <PinIcon />, label: body.root_name || "(no name)", about: `pinned ${name.slice(0, 8)}`, go: () => void navigate({ to: "/traces/$traceId", params: { traceId: name } }) });
  }
  for (const { value } of valuesOf("model_name")) {
    entries.push({ key: `model ${value}`, icon: <ModelsIcon />, label: value, about: "calls of this model", go: () => void navigate({ to: "/explore", search: { ...range, of: "calls", q: condition("model_name", value) } }) });
  }
  for (const { value } of valuesOf("user")) {
    entries.push({ key: `user ${value}`, icon: <UsersIcon />, label: value, about: "user", go: () => void navigate({ to: "/explore", search: { ...range, q: condition("user", value) } }) });
  }
  if (typed !== "") entries.push({ key: "filter", icon: <ExploreIcon />, label: typed, about: "filter traces", go: () => void navigate({ to: "/explore", search: { ...range, q: typed } }) });
  if ("keyboard help".includes(needle)) entries.push({ key: "help", icon: "?", label: "Keyboard", about: "?", go: onHelp });
  return entries;
}
