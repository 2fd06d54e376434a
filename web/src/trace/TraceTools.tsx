import type { ReactNode, RefObject } from "react";
import { ErrorIcon, SearchIcon } from "../parts/icons";
import { type View, VIEWS } from "./view";

interface Props {
  find: RefObject<HTMLInputElement | null>;
  needle: string;
  onFind: (text: string) => void;
  onlyErrors: boolean;
  hasErrors: boolean;
  onOnlyErrors: () => void;
  folded: boolean;
  canFold: boolean;
  onFoldAll: () => void;
  said: string;
}

/** What finds and folds in the tree. */
export function TraceTools({ find, needle, onFind, onlyErrors, hasErrors, onOnlyErrors, folded, canFold, onFoldAll, said }: Props) {
  return (
    <div className="trace-tools">
      <div className="find">
        <SearchIcon />
        <input
          ref={find}
          className="field"
          placeholder="find a span"
          aria-label="find a span by name"
          value={needle}
          onChange={(event) => onFind(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape" || event.key === "Enter") event.currentTarget.blur();
          }}
        />
      </div>
      <button type="button" className="button" aria-pressed={onlyErrors} disabled={!hasErrors && !onlyErrors} onClick={onOnlyErrors}>
        <ErrorIcon /> errors
      </button>
      <button type="button" className="button" disabled={!canFold} onClick={onFoldAll}>
        {folded ? "unfold all" : "fold all"}
      </button>
      <span className="faint" role="status">
        {said}
      </span>
    </div>
  );
}

const KEYS: Record<View, string> = { waterfall: "w", flame: "f", transcript: "m" };

/** Which of the three ways the trace is shown in. */
export function ViewSwitch({ view, onView, children }: { view: View; onView: (view: View) => void; children?: ReactNode }) {
  return (
    <div className="view-switch">
      <div className="segments" role="group" aria-label="view">
        {VIEWS.map((each) => (
          <button key={each} type="button" aria-pressed={each === view} title={`${each} (${KEYS[each]})`} onClick={() => onView(each)}>
            {each}
          </button>
        ))}
      </div>
      {children}
    </div>
  );
}
