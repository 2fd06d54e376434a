import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useRef } from "react";
import { get } from "../api/client";
import type { Value } from "../api/types";
import { bytes, count } from "../format/number";
import { useKeys } from "../frame/keys";
import { TopBar } from "../frame/TopBar";
import { Copy } from "../parts/Copy";
import { Failed } from "../parts/Failed";
import { SearchIcon } from "../parts/icons";
import { matching, type Setting, type SettingsSection, toml } from "./settings";
import "../parts/page.css";
import "./settings.css";

interface Settings {
  file: string | null;
  sections: SettingsSection[];
}

/** What is configured, what set it, what it means and how to change it. It is read only: the file and the environment are the owner's. */
export function SettingsPage() {
  const { find, changed } = useSearch({ from: "/settings" });
  const navigate = useNavigate();
  const field = useRef<HTMLInputElement>(null);
  const { data, error } = useQuery({ queryKey: ["settings"], queryFn: ({ signal }) => get<Settings>("settings", {}, signal), staleTime: 60_000 });
  const change = (part: { find?: string | undefined; changed?: string | undefined }) =>
    void navigate({ to: "/settings", search: (old) => Object.fromEntries(Object.entries({ ...old, ...part }).filter(([, value]) => value !== undefined)), replace: true });
  useKeys({ "/": () => field.current?.focus() });
  const sections = data ? matching(data.sections, find ?? "", changed === "yes") : [];
  const set = data?.sections.flatMap((section) => section.keys).filter((key) => key.set_by !== null).length ?? 0;
  return (
    <>
      <TopBar title="Settings">
        <button type="button" className="button" aria-pressed={changed === "yes"} onClick={() => change({ changed: changed === "yes" ? undefined : "yes" })}>
          set by you <span className="faint number">{count(set)}</span>
        </button>
        <div className="find">
          <SearchIcon />
          <input
            ref={field}
            className="field"
            placeholder="find a key"
            aria-label="find a key"
            value={find ?? ""}
            onChange={(event) => change({ find: event.target.value || undefined })}
            onKeyDown={(event) => {
              if (event.key === "Escape") event.currentTarget.blur();
            }}
          />
        </div>
      </TopBar>
      <Failed error={error} what="The settings could not be read" />
      {data && (
        <div className="settings" tabIndex={0}>
          <p className="settings-how">
            {data.file === null ? (
              <>
                No configuration file is in use: what is not set below has its default. Write one (<code>observatory config default &gt; config.toml</code>), start with{" "}
                <code>observatory serve --config config.toml</code>.
              </>
            ) : (
              <>
                Read from <code>{data.file}</code> <Copy text={data.file} label="copy the path" /> when the server started; a change holds after a restart.{" "}
                <code>observatory config check</code> says what is wrong with it.
              </>
            )}{" "}
            An environment variable wins over the file, a flag over both.
          </p>
          {sections.length === 0 && <p className="faint settings-how">No key matches.</p>}
          {sections.map((section) => (
            <section key={section.name} aria-labelledby={`section-${section.name}`}>
              <h2 id={`section-${section.name}`}>
                <code>[{section.name}]</code> <span className="muted">{marked(section.says)}</span>
              </h2>
              {section.keys.map((setting) => (
                <Row key={setting.key} section={section.name} setting={setting} />
              ))}
            </section>
          ))}
        </div>
      )}
    </>
  );
}

function Row({ section, setting }: { section: string; setting: Setting }) {
  const { key, value, set_by, says, takes, environment, secret } = setting;
  const line = `[${section}]\n${key} = ${secret ? '"…"' : toml(value)}`;
  return (
    <div className={`setting${set_by === null ? "" : " is-set"}`}>
      <div className="setting-key">
        <code>{key}</code>
      </div>
      <div className="setting-value">
        <code>{shown(value)}</code>
        {size(key, value) && <span className="faint number"> {size(key, value)}</span>}
        <div className="setting-by">
          {set_by === null ? <span className="faint">default</span> : <span className="tag is-open">{set_by}</span>}
          {set_by !== null && !secret && JSON.stringify(value) !== JSON.stringify(setting.default) && <span className="faint"> default {shown(setting.default)}</span>}
        </div>
      </div>
      <div className="setting-says">
        <p>{marked(says)}</p>
        <p className="faint">
          {takes} · <code>{environment}</code> <Copy text={line} label={`copy ${section}.${key} as TOML`} />
        </p>
      </div>
    </div>
  );
}

/** Words between backticks as code. */
function marked(text: string): ReactNode {
  return text.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}

function shown(value: Value): string {
  if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) return "not set";
  return toml(value);
}

function size(key: string, value: Value): string | null {
  return key.endsWith("_bytes") && typeof value === "number" && value >= 1000 ? bytes(value) : null;
}
