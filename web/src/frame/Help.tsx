import { useEffect, useRef } from "react";
import { PLACES } from "../pages";

const KEYS: [string, string][] = [
  ["⌘K", "go to anything"],
  ["/", "filter or search"],
  ["j  k", "next and previous row"],
  ["enter", "open the trace"],
  ["o", "open a row where it is"],
  ["esc", "close, then back"],
  ["[  ]", "previous and next trace"],
  ["←  →", "fold and unfold a span"],
  ["p", "pin a trace, or unpin it"],
  ["t", "to the tree of a trace"],
  ["w  f  m", "a trace as waterfall, flame, messages"],
  ["z", "zoom to a span"],
  ["0", "the whole trace again"],
  ...PLACES.map(({ key, title }): [string, string] => [`g ${key}`, title.toLowerCase()]),
  ["?", "this list"],
];

/** The keys, as a modal dialog. */
export function Help({ open, onClose }: { open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} className="help" aria-label="keyboard" onClose={onClose} onClick={(event) => event.target === dialog.current && onClose()}>
      <h2>Keyboard</h2>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(/\s+/).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button className="button">close</button>
      </form>
    </dialog>
  );
}
