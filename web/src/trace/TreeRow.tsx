import { memo } from "react";
import { duration } from "../format/duration";
import { count, tokens } from "../format/number";
import { ChevronIcon, ErrorIcon, OrphanIcon } from "../parts/icons";
import { at, type Tree } from "./tree";

const INDENT = 14;
const DEEPEST = 24; // levels drawn; below, the number says how deep

interface Props {
  tree: Tree;
  row: number;
  top: number;
  index: number; // among the visible rows
  of: number;
  folded: boolean;
  here: boolean;
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
  const used = tokens(span.input_tokens, span.output_tokens, span.cache_read_tokens);
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
      aria-label={`${span.name}, ${kind}, ${duration(at(tree.duration, row))}${failed ? ", error" : ""}`}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onSelect(span.span_id)}
      onDoubleClick={() => onZoom(row)}
    >
      <div className="span-cell" style={{ paddingLeft: 8 + INDENT * Math.min(depth, DEEPEST) }}>
        {depth > DEEPEST && <span className="faint span-depth">{depth}</span>}
        {below > 0 ? (
          <button
            type="button"
            className="twisty"
            tabIndex={-1}
            aria-label={`${folded ? "unfold" : "fold"} ${count(below)} spans`}
            onClick={(event) => {
              event.stopPropagation();
              onFold(span.span_id);
            }}
            onDoubleClick={(event) => event.stopPropagation()}
          >
            <ChevronIcon turn={folded ? 0 : 90} />
          </button>
        ) : (
          <span className="twisty" />
        )}
        {failed ? (
          <span className="is-error span-mark" title={span.status.message ?? span.error_type ?? "error"}>
            <ErrorIcon size={12} />
          </span>
        ) : (
          <span className={`span-dot is-${kind}`} title={kind} />
        )}
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
        {folded && inside > 0 && (
          <span className="is-error span-mark" title={`${count(inside)} errors inside`}>
            <ErrorIcon size={12} />
          </span>
        )}
        <span className="span-end">
          {used && <span className="faint span-tokens">{used}</span>}
          <span className="number">{duration(at(tree.duration, row))}</span>
        </span>
      </div>
    </div>
  );
});
