import { useNavigate } from "@tanstack/react-router";
import { type CSSProperties, useCallback, useDeferredValue, useMemo, useRef, useState } from "react";
import type { TraceTree } from "../api/types";
import { useKeys } from "../frame/keys";
import { useStored } from "../frame/stored";
import { count } from "../format/number";
import { ErrorIcon, SearchIcon } from "../parts/icons";
import { Notice } from "../parts/Notice";
import { Splitter } from "../parts/Splitter";
import { useLastSearch } from "../traces/memory";
import { Minimap } from "./Minimap";
import { usePalette } from "./palette";
import { SpanPanel } from "./SpanPanel";
import { Summary } from "./Summary";
import { Timeline } from "./Timeline";
import { clampWindow, type Window } from "./timeline";
import { at, buildTree, kindCounts, type Tree, visibleRows } from "./tree";
import { readTraceView, type TraceView } from "./view";

/** The trace once it is there: what is folded, found, selected and zoomed, and the keys that change it. */
export function TraceBody({ traceId, trace, view }: { traceId: string; trace: TraceTree; view: TraceView }) {
  const tree = useMemo(() => buildTree(trace.spans), [trace.spans]);
  const palette = usePalette();
  const navigate = useNavigate();
  const lastRef = useLastSearch();
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<string | null>(view.span ?? null);
  const [zoom, setZoom] = useState<Window | null>(null);
  const [treeWidth, setTreeWidth] = useStored<number>("tree-width", 540);
  const [panelHeight, setPanelHeight] = useStored<number>("panel-height", 320);
  const [gutter, setGutter] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const band = useRef<HTMLDivElement>(null);
  const find = useRef<HTMLInputElement>(null);

  const change = useCallback(
    (part: Partial<Record<keyof TraceView, string | undefined>>, replace = true) => {
      void navigate({ to: "/traces/$traceId", params: { traceId }, search: (old) => readTraceView({ ...old, ...part }), replace });
    },
    [navigate, traceId],
  );

  const needle = useDeferredValue((view.find ?? "").trim().toLowerCase());
  const searching = needle !== "" || view.only !== undefined;
  const rows = useMemo(() => {
    if (!searching) return visibleRows(tree, folded);
    const failed = view.only === "errors";
    return visibleRows(tree, folded, (row) => {
      const span = at(tree.spans, row);
      return (!failed || span.status.code === "error") && (needle === "" || span.name.toLowerCase().includes(needle));
    });
  }, [tree, folded, searching, needle, view.only]);

  const total = Math.max(tree.total, 1e-6);
  const shown = zoom ?? { from: 0, to: total };
  const selected = view.span === undefined ? undefined : tree.row.get(view.span);

  const select = useCallback(
    (spanId: string) => {
      setCursor(spanId);
      change({ span: spanId });
    },
    [change],
  );
  const fold = useCallback((spanId: string) => {
    setFolded((old) => {
      const next = new Set(old);
      if (!next.delete(spanId)) next.add(spanId);
      return next;
    });
  }, []);
  const zoomTo = useCallback(
    (row: number) => {
      const [start, length] = [at(tree.start, row), at(tree.duration, row)];
      setZoom(clampWindow({ from: start - length * 0.05, to: start + length * 1.05 }, total));
    },
    [tree, total],
  );
  const moveTo = (row: number | undefined) => {
    if (row === undefined) return;
    const id = at(tree.spans, row).span_id;
    if (view.span === undefined) setCursor(id);
    else select(id);
  };
  const here = cursor === null ? undefined : tree.row.get(cursor);
  const step = (by: number) => {
    const index = here === undefined ? -1 : rows.indexOf(here);
    moveTo(rows[index < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, index + by))]);
  };
  const showBand = useCallback(({ top, height }: { top: number; height: number }) => {
    if (!band.current) return;
    band.current.style.top = `${100 * top}%`;
    band.current.style.height = `${100 * height}%`;
    band.current.style.visibility = height < 1 ? "visible" : "hidden";
  }, []);
  const jump = useCallback((fraction: number) => {
    const list = scroller.current;
    if (list) list.scrollTop = fraction * list.scrollHeight - list.clientHeight / 2;
  }, []);

  useKeys({
    "/": () => find.current?.focus(),
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    ArrowLeft: () => {
      if (here === undefined || cursor === null) return;
      if (at(tree.size, here) > 1 && !folded.has(cursor)) fold(cursor);
      else if (at(tree.parent, here) >= 0) moveTo(at(tree.parent, here));
    },
    ArrowRight: () => {
      if (here === undefined || cursor === null || at(tree.size, here) === 1) return;
      if (folded.has(cursor)) fold(cursor);
      else moveTo(here + 1);
    },
    Enter: () => {
      if (cursor !== null) change({ span: cursor });
    },
    z: () => {
      if (here !== undefined) zoomTo(here);
    },
    "0": () => setZoom(null),
    Escape: () => {
      if (view.span !== undefined) change({ span: undefined });
      else if (searching) change({ find: undefined, only: undefined });
      else void navigate({ to: "/explore", search: lastRef.current });
    },
  });

  return (
    <div className="trace" style={{ "--tree": `${treeWidth}px`, "--gutter": `${gutter}px` } as CSSProperties}>
      <Summary trace={trace} />
      <div className="trace-head">
        <div className="trace-tools">
          <div className="find">
            <SearchIcon />
            <input
              ref={find}
              className="field"
              placeholder="find a span"
              aria-label="find a span by name"
              value={view.find ?? ""}
              onChange={(event) => change({ find: event.target.value || undefined })}
              onKeyDown={(event) => {
                if (event.key === "Escape" || event.key === "Enter") event.currentTarget.blur();
              }}
            />
          </div>
          <button
            type="button"
            className="button"
            aria-pressed={view.only === "errors"}
            disabled={trace.error_count === 0 && view.only === undefined}
            onClick={() => change({ only: view.only ? undefined : "errors" })}
          >
            <ErrorIcon /> errors
          </button>
          <button type="button" className="button" disabled={searching} onClick={() => setFolded(folded.size > 0 ? new Set() : foldable(tree))}>
            {folded.size > 0 ? "unfold all" : "fold all"}
          </button>
          <span className="faint" role="status">
            {searching ? `${count(rows.length)} shown` : ""}
          </span>
        </div>
        <Minimap tree={tree} window={shown} palette={palette} zoomed={zoom !== null} view={band} onWindow={setZoom} onJump={jump} />
      </div>
      <div className="trace-main">
        {rows.length === 0 ? (
          <Notice title="No span matches" actions={<button type="button" className="button" onClick={() => change({ find: undefined, only: undefined })}>show all spans</button>} />
        ) : (
          <Timeline
            tree={tree}
            rows={rows}
            folded={folded}
            cursor={cursor}
            window={shown}
            palette={palette}
            treeWidth={treeWidth}
            scroller={scroller}
            onFold={fold}
            onSelect={select}
            onZoom={zoomTo}
            onScroll={showBand}
            onGutter={setGutter}
          />
        )}
        <Splitter label="width of the tree" axis="x" value={treeWidth} min={240} max={1100} onChange={setTreeWidth} />
      </div>
      {selected !== undefined && (
        <div className="trace-panel" style={{ height: panelHeight }}>
          <Splitter label="height of the details" axis="y" value={panelHeight} min={140} max={800} onChange={setPanelHeight} flip />
          <SpanPanel
            key={view.span}
            traceId={traceId}
            span={at(tree.spans, selected)}
            offset={at(tree.start, selected)}
            origin={tree.origin}
            tab={view.tab ?? "attributes"}
            onTab={(tab) => change({ tab })}
            onClose={() => change({ span: undefined })}
          />
        </div>
      )}
      <Legend tree={tree} zoomed={zoom !== null} onWhole={() => setZoom(null)} />
    </div>
  );
}

/** Everything below the top that has something below it. */
function foldable(tree: Tree): Set<string> {
  return new Set(tree.spans.filter((_, row) => at(tree.depth, row) > 0 && at(tree.size, row) > 1).map((span) => span.span_id));
}

function Legend({ tree, zoomed, onWhole }: { tree: Tree; zoomed: boolean; onWhole: () => void }) {
  const kinds = useMemo(() => kindCounts(tree), [tree]);
  return (
    <footer className="legend">
      {kinds.map(([kind, number]) => (
        <span key={kind}>
          <span className={`span-dot is-${kind}`} /> {kind} <span className="faint number">{count(number)}</span>
        </span>
      ))}
      {tree.misplaced.size > 0 && (
        <span className="faint" title="they are shown at the top, marked">
          {count(tree.misplaced.size)} without their parent
        </span>
      )}
      {zoomed && (
        <button type="button" className="link" onClick={onWhole}>
          show the whole trace (0)
        </button>
      )}
    </footer>
  );
}
