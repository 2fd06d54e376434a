import { useEffect, useState } from "react";

function read(tokens: readonly string[]): Record<string, string> {
  // a custom property with light-dark() reads as written; only a used colour is resolved
  const probe = document.createElement("span");
  document.body.append(probe);
  const found = tokens.map((token) => {
    probe.style.color = `var(--${token})`;
    return [token, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(found);
}

/** Colours of the theme for a canvas, read again when the theme changes by hand or with the system. */
export function useColours(tokens: readonly string[]): Record<string, string> {
  const key = tokens.join(" ");
  const [theme, setTheme] = useState(0);
  const [seen, setSeen] = useState<{ key: string; theme: number; colours: Record<string, string> }>(() => ({ key, theme, colours: read(tokens) }));
  if (seen.key !== key || seen.theme !== theme) setSeen({ key, theme, colours: read(tokens) });
  useEffect(() => {
    const again = () => setTheme((old) => old + 1);
    const observer = new MutationObserver(again);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const media = matchMedia("(prefers-color-scheme: dark)");
    media.addEventListener("change", again);
    return () => {
      observer.disconnect();
      media.removeEventListener("change", again);
    };
  }, []);
  return seen.colours;
}

/** The token of a series by its rank; beyond eight they are all "other". */
export function seriesToken(rank: number): string {
  return rank < 8 ? `series-${rank + 1}` : "series-other";
}
