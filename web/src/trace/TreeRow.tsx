import { memo, type ReactNode } from "react";
import { duration } from "../format/duration";
import { count, short } from "../format/number";
import { ChevronIcon, ErrorIcon, OrphanIcon } from "../parts/icons";
import { type Figures, figuresOf, figuresTogether } from "./figures";
import { type Group, members } from "./groups";
import { at, type Tree } from "./tree";

const INDENT = 14;
const DEEPEST = 24; // levels drawn; below, the number says how deep

interface Place {
  top: number;
  index: number; // among the visible rows
  of: number;
  here: boolean;
}

interface Props extends Place {
  tree: Tree;
  row: number;
  folded: boolean;
  onFold: (spanId: string) => void;
  onSelect: (spanId: string) => void;
  onZoom: (row: number) => void;
}

const WHY = {
  orphan: "its parent span was not received",
  cycle: "its parents lead back to itself, so it is shown at the top",
};

/** One span of the tree: what it is on the left, its bar on the canvas to the right. */
export const TreeRow = memo(function TreeRow({ tree, row, top, index, of, folded, here, onFold, onSelect, onZoom }: Props) {
  const span = at(tree.spans, row);
  const depth = at(tree.depth, row);
  const below = at(tree.size, row) - 1;
  const failed = span.status.code === "error";
  const inside = at(tree.errors, row) - (failed ? 1 : 0);
  const misplaced = tree.misplaced.get(row);
  const detail = span.request_model ?? span.response_model ?? span.tool_name ?? span.agent_name;
  const kind = at(tree.kind, row);
  return (
    <div
      id={`span-${span.span_id}`}
      className={`span-row${here ? " is-here" : ""}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={here}
      aria-expanded={below > 0 ? !folded : undefined}
      aria-posinset={index + 1}
      aria-setsize={of}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onSelect(span.span_id)}
      onDoubleClick={() => onZoom(row)}
    >
      <div className="span-cell" style={{ paddingLeft: 8 + INDENT * Math.min(depth, DEEPEST) }}>
        {depth > DEEPEST && <span className="faint span-depth">{depth}</span>}
        <Twisty below={below} folded={folded} label={`${folded ? "unfold" : "fold"} ${count(below)} spans`} onFold={() => onFold(span.span_id)} />
        {failed ? (
          <span className="is-error span-mark" title={span.status.message ?? span.error_type ?? "error"}>
            <ErrorIcon size={12} />
          </span>
        ) : (
          <span className={`span-dot is-${kind}`} title={kind} />
        )}
        <span className="unseen">{failed ? `${kind}, failed: ` : `${kind}: `}</span>
        <span className="span-name" title={span.name}>
          {span.name || "(no name)"}
        </span>
        {misplaced && (
          <span className="span-misplaced" title={WHY[misplaced]}>
            <OrphanIcon />
          </span>
        )}
        {detail && !span.name.includes(detail) && <span className="faint span-detail">{detail}</span>}
        {folded && below > 0 && <span className="tag span-below">+{count(below)}</span>}
        {folded && inside > 0 && <ErrorsInside count={inside} />}
        <Columns figures={figuresOf(span, below)} ms={at(tree.duration, row)} />
      </div>
    </div>
  );
});

interface GroupProps extends Place {
  tree: Tree;
  group: Group;
  open: boolean;
  onToggle: (group: Group) => void;
}

/** A run of similar siblings as one row: `run_sql ×24 similar`, with what they add up to and how long they took together. */
export const GroupRow = memo(function GroupRow({ tree, group, top, index, of, here, open, onToggle }: GroupProps) {
  const { first, count: many } = group;
  const span = at(tree.spans, first);
  const kind = at(tree.kind, first);
  const rows = members(tree, group);
  const failed = rows.reduce((sum, row) => sum + at(tree.errors, row), 0);
  const longest = Math.max(...rows.map((row) => at(tree.duration, row)));
  const sum = rows.reduce((total, row) => total + at(tree.duration, row), 0);
  return (
    <div
      id={`group-${span.span_id}`}
      className={`span-row is-group${here ? " is-here" : ""}`}
      role="treeitem"
      aria-level={at(tree.depth, first) + 1}
      aria-selected={here}
      aria-expanded={open}
      aria-posinset={index + 1}
      aria-setsize={of}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onToggle(group)}
    >
      <div className="span-cell" style={{ paddingLeft: 8 + INDENT * Math.min(at(tree.depth, first), DEEPEST) }}>
        <Twisty below={many} folded={!open} label={`${open ? "fold" : "unfold"} ${count(many)} similar spans`} onFold={() => onToggle(group)} />
        <span className={`span-dot is-many is-${kind}`} title={kind} />
        <span className="span-name" title={span.name}>
          {span.name || "(no name)"}
        </span>
        <span className="tag span-below">×{count(many)} similar</span>
        {failed > 0 && <ErrorsInside count={failed} />}
        <Columns figures={figuresTogether(rows.map((row) => at(tree.spans, row)))} ms={sum} timeSays={`${duration(sum)} added up, the longest ${duration(longest)}`} />
      </div>
    </div>
  );
});

function Twisty({ below, folded, label, onFold }: { below: number; folded: boolean; label: string; onFold: () => void }) {
  if (below === 0) return <span className="twisty" />;
  return (
    <button
      type="button"
      className="twisty"
      tabIndex={-1}
      aria-label={label}
      onClick={(event) => {
        event.stopPropagation();
        onFold();
      }}
      onDoubleClick={(event) => event.stopPropagation()}
    >
      <ChevronIcon turn={folded ? 0 : 90} />
    </button>
  );
}

function ErrorsInside({ count: errors }: { count: number }) {
  return (
    <span className="is-error span-mark" title={`${count(errors)} ${errors === 1 ? "error" : "errors"} inside`}>
      <ErrorIcon size={12} />
    </span>
  );
}

/** Cost, tokens and time, each in its column. Sums of a subtree are marked; usage that is not added is struck through, with the reason. */
function Columns({ figures, ms, timeSays }: { figures: Figures | null; ms: number; timeSays?: string }) {
  return (
    <span className="span-end">
      {figures && (
        <span className={`span-figures${figures.sum ? " is-sum" : ""}`} title={figures.says}>
          {figures.sum && figures.repeats !== undefined && figures.own != null && (
            <s className="span-repeats faint" title={`it reports ${count(figures.own)} tokens of its own, which are not added: ${figures.repeats}`}>
              {short(figures.own)}
            </s>
          )}
          <Repeated when={!figures.sum && figures.repeats !== undefined}>
            <span className="number span-cost">
              {figures.cost ?? (figures.unpriced > 0 ? "—" : "")}
              {figures.unpriced > 0 && <span className="unpriced" title={`${count(figures.unpriced)} without a price`}>unpriced</span>}
            </span>
            <span className="number span-tokens">{figures.tokens === null ? "" : short(figures.tokens)}</span>
          </Repeated>
        </span>
      )}
      <span className={`number span-time${timeSays === undefined ? "" : " muted"}`} title={timeSays}>
        {timeSays === undefined ? "" : "Σ "}
        {duration(ms)}
      </span>
    </span>
  );
}

function Repeated({ when, children }: { when: boolean; children: ReactNode }) {
  return when ? <s className="faint">{children}</s> : children;
}
