import { useMemo } from "react";
import { count } from "../format/number";
import { kindCounts, type Tree } from "./tree";

interface Props {
  tree: Tree;
  zoomed: boolean;
  gaps: number;
  short: boolean; // whether they are drawn short
  critical: boolean;
  onWhole: () => void;
  onGaps: () => void;
}

/** What the colours mean, and what is not shown as it was. */
export function Legend({ tree, zoomed, gaps, short, critical, onWhole, onGaps }: Props) {
  const kinds = useMemo(() => kindCounts(tree), [tree]);
  return (
    <footer className="legend">
      {kinds.map(([kind, number]) => (
        <span key={kind}>
          <span className={`span-dot is-${kind}`} /> {kind} <span className="faint number">{count(number)}</span>
        </span>
      ))}
      {critical && (
        <span className="faint" title="what the end of the trace had to wait for: shortening anything else would not have made it shorter">
          <span className="legend-critical" /> critical path
        </span>
      )}
      {tree.misplaced.size > 0 && (
        <span className="faint" title="they are shown at the top, marked">
          {count(tree.misplaced.size)} without their parent
        </span>
      )}
      <span className="legend-end">
        {gaps > 0 && (
          <button type="button" className="link" onClick={onGaps}>
            {short ? `${count(gaps)} idle ${gaps === 1 ? "stretch" : "stretches"} drawn short: show in full` : "draw idle time short"}
          </button>
        )}
        {zoomed && (
          <button type="button" className="link" onClick={onWhole}>
            show the whole trace (0)
          </button>
        )}
      </span>
    </footer>
  );
}
