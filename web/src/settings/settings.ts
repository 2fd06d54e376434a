import type { Value } from "../api/types";

/** A key of the configuration as `GET /api/v1/settings` tells it. */
export interface Setting {
  key: string;
  value: Value; // secrets are `***`
  default: Value;
  set_by: string | null; // a file, an environment variable or a flag; null: the default
  environment: string;
  takes: string;
  says: string;
  secret: boolean;
}

export interface SettingsSection {
  name: string;
  says: string;
  keys: Setting[];
}

/** The address bar of the page. */
export interface SettingsSearch {
  find?: string;
  changed?: "yes";
}

/** Reads the address bar; what is not understood is left out. */
export function readSettingsSearch(raw: Record<string, unknown>): SettingsSearch {
  return { ...(typeof raw.find === "string" && raw.find !== "" && { find: raw.find }), ...(raw.changed === "yes" && { changed: "yes" as const }) };
}

/** The sections with their keys whose name or meaning has the text; sections without any are left out. */
export function matching(sections: readonly SettingsSection[], text: string, onlySet: boolean): SettingsSection[] {
  const needle = text.trim().toLowerCase();
  return sections
    .map((section) => ({
      ...section,
      keys: section.keys.filter((setting) => (!onlySet || setting.set_by !== null) && `${section.name}.${setting.key} ${setting.says} ${setting.environment}`.toLowerCase().includes(needle)),
    }))
    .filter((section) => section.keys.length > 0);
}

/** A value as TOML writes it. */
export function toml(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(", ")}]`;
  if (value !== null && typeof value === "object") return `{ ${Object.entries(value).map(([key, each]) => `${key} = ${toml(each)}`).join(", ")} }`;
  return typeof value === "number" && Number.isInteger(value) ? value.toLocaleString("en-US").replaceAll(",", "_") : JSON.stringify(value);
}
