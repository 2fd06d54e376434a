import { useEffect, type RefObject } from "react";

/** While it is open, closes what is in `box` by a press outside of it or by escape, which then closes nothing else. */
export function useAway(open: boolean, box: RefObject<HTMLElement | null>, close: () => void) {
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !box.current?.contains(event.target as Node)) {
        if (event instanceof KeyboardEvent) event.stopPropagation();
        close();
      }
    };
    window.addEventListener("pointerdown", away);
    window.addEventListener("keydown", away, true);
    return () => {
      window.removeEventListener("pointerdown", away);
      window.removeEventListener("keydown", away, true);
    };
  }, [open, box, close]);
}
