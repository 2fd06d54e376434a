import { useCallback, useState } from "react";

/** State that survives a reload, where the browser lets it; else plain state. Only for how the page looks, never for what it shows. */
export function useStored<T extends string | number | boolean>(key: string, initial: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    try {
      const found: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
      return typeof found === typeof initial ? (found as T) : initial;
    } catch {
      return initial;
    }
  });
  const store = useCallback(
    (next: T) => {
      setValue(next);
      try {
        localStorage.setItem(key, JSON.stringify(next));
      } catch {
        // storage is blocked or full: the choice holds until the page is left
      }
    },
    [key],
  );
  return [value, store];
}
