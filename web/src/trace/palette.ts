import { useEffect, useState } from "react";
import { hueOf, KINDS, type Kind } from "./kinds";

/** The colours a canvas draws with, as the theme has them now. */
export interface Palette {
  kinds: Record<Kind, string>;
  error: string;
  grid: string;
  line: string;
  text: string;
  surface: string;
  faint: string;
}

function readPalette(): Palette {
  // a custom property with light-dark() reads as written; only a used colour is resolved
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    kinds: Object.fromEntries(KINDS.map((kind) => [kind, colour(`kind-${hueOf(kind)}`)])) as Record<Kind, string>,
    error: colour("kind-error"),
    grid: colour("grid"),
    line: colour("line-strong"),
    text: colour("text"),
    surface: colour("surface"),
    faint: colour("faint"),
  };
  probe.remove();
  return palette;
}

/** The palette, read again when the theme changes by hand or with the system. */
export function usePalette(): Palette {
  const [palette, setPalette] = useState(readPalette);
  useEffect(() => {
    const again = () => setPalette(readPalette());
    const observer = new MutationObserver(again);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const media = matchMedia("(prefers-color-scheme: dark)");
    media.addEventListener("change", again);
    return () => {
      observer.disconnect();
      media.removeEventListener("change", again);
    };
  }, []);
  return palette;
}
