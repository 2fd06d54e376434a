import { useState } from "react";
import { MoonIcon, SunIcon, SystemIcon } from "../parts/icons";

type Theme = "system" | "light" | "dark";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICONS = { system: SystemIcon, light: SunIcon, dark: MoonIcon };

/** Goes round system, light, dark. The choice is read before the first paint by `public/theme.js`. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset.theme as Theme | undefined) ?? "system");
  const choose = (next: Theme) => {
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // storage is blocked: the choice holds until the page is left
    }
    setTheme(next);
  };
  const Icon = ICONS[theme];
  const label = `theme: ${theme}; switch to ${NEXT[theme]}`;
  return (
    <button type="button" className="quiet" aria-label={label} title={label} onClick={() => choose(NEXT[theme])}>
      <Icon />
    </button>
  );
}
