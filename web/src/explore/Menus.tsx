import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, type SubmitEvent, useEffect, useRef, useState } from "react";
import { forget, pinsQuery, save, savedQuery } from "../api/saved";
import { label, milliseconds } from "../format/time";
import { ChevronIcon, CloseIcon, StarIcon } from "../parts/icons";
import { COLUMNS, shownColumns } from "./columns";
import { type ExploreSearch, readExplore } from "./search";

/** A button that opens a small box below it; escape or a click elsewhere closes it. */
function Menu({ label, icon, children }: { label: string; icon?: ReactNode; children: (close: () => void) => ReactNode }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>("input, button, a")?.focus();
    const away = (event: PointerEvent) => {
      if (!box.current?.parentElement?.contains(event.target as Node)) setOpen(false);
    };
    window.addEventListener("pointerdown", away);
    return () => window.removeEventListener("pointerdown", away);
  }, [open]);
  const close = () => setOpen(false);
  return (
    <div
      className="menu"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        close();
        event.currentTarget.querySelector("button")?.focus();
      }}
    >
      <button type="button" className="button" aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)}>
        {icon} {label} <ChevronIcon turn={90} />
      </button>
      {open && (
        <div ref={box} className="popup menu-box" role="dialog" aria-label={label}>
          {children(close)}
        </div>
      )}
    </div>
  );
}

/** Which columns are shown; the choice is in the address bar, so it goes along with a link and a saved view. */
export function Columns({ search, onChange }: { search: ExploreSearch; onChange: (cols: string | undefined) => void }) {
  const of = search.of ?? "traces";
  const shown = shownColumns(of, search.cols).map(({ key }) => key);
  const toggle = (key: string) => {
    const next = COLUMNS[of].map((column) => column.key).filter((one) => (one === key ? !shown.includes(key) : shown.includes(one)));
    const usual = COLUMNS[of].filter((column) => column.shown).map((column) => column.key);
    onChange(next.join(",") === usual.join(",") || next.length === 0 ? undefined : next.join(","));
  };
  return (
    <Menu label="columns">
      {() => (
        <ul className="menu-checks">
          {COLUMNS[of].map(({ key, label }) => (
            <li key={key}>
              <label>
                <input type="checkbox" checked={shown.includes(key)} onChange={() => toggle(key)} /> {label}
              </label>
            </li>
          ))}
        </ul>
      )}
    </Menu>
  );
}

/** Views and pinned traces, which the server keeps for everyone. */
export function Views({ search }: { search: ExploreSearch }) {
  const client = useQueryClient();
  const { data } = useQuery(savedQuery<Record<string, unknown>>("view"));
  const pins = useQuery(pinsQuery).data ?? [];
  const again = () => void client.invalidateQueries({ queryKey: ["saved"] });
  const keep = useMutation({ mutationFn: (name: string) => save("view", name, { ...search, row: undefined }), onSuccess: again });
  const remove = useMutation({ mutationFn: ({ kind, name }: { kind: "view" | "pin"; name: string }) => forget(kind, name), onSuccess: again });
  const onSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget).get("name");
    if (typeof name === "string" && name.trim()) keep.mutate(name.trim());
    event.currentTarget.reset();
  };
  const failed = keep.error ?? remove.error;
  return (
    <Menu label="views" icon={<StarIcon />}>
      {(close) => (
        <>
          <form onSubmit={onSubmit} className="menu-save">
            <input className="field" name="name" aria-label="name of the view" placeholder="save this view as" maxLength={100} autoComplete="off" />
            <button className="button">save</button>
          </form>
          {failed && <p className="wrong">{failed.message}</p>}
          <ul className="menu-views">
            {data?.map(({ name, body }) => (
              <li key={name}>
                <Link to="/explore" search={readExplore(body)} onClick={close}>
                  {name}
                </Link>
                <button type="button" className="quiet" aria-label={`delete the view ${name}`} onClick={() => remove.mutate({ kind: "view", name })}>
                  <CloseIcon />
                </button>
              </li>
            ))}
            {data?.length === 0 && <li className="faint">None is saved yet. They are kept by the server, for everyone who uses it.</li>}
          </ul>
          {pins.length > 0 && (
            <>
              <h3 className="menu-head">Pinned traces</h3>
              <ul className="menu-views">
                {pins.map(({ name, body }) => (
                  <li key={name}>
                    <Link to="/traces/$traceId" params={{ traceId: name }} title={name} onClick={close}>
                      {body.root_name || "(no name)"} <span className="faint">{label(milliseconds(body.start_ns))}</span>
                    </Link>
                    <button type="button" className="quiet" aria-label={`unpin ${body.root_name || name}`} onClick={() => remove.mutate({ kind: "pin", name })}>
                      <CloseIcon />
                    </button>
                  </li>
                ))}
              </ul>
            </>
          )}
        </>
      )}
    </Menu>
  );
}
