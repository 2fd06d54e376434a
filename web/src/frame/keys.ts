import { useEffect, useEffectEvent } from "react";

/**
 * Single keys of a page, by `KeyboardEvent.key`. Not while one types in a field, nor together with Ctrl, Alt or Meta. An action that returns false
 * leaves the key to others.
 */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => unknown>): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    const typing = target?.matches("input, textarea, select, [contenteditable]") ?? false;
    if (typing || document.querySelector("dialog[open]")) return;
    // enter and blank on a button or link are its own
    if ((event.key === "Enter" || event.key === " ") && target?.matches("button, a, summary")) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!act) return;
    if (act(event) !== false) event.preventDefault();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);
}
