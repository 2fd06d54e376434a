import { useNavigate } from "@tanstack/react-router";
import { type CSSProperties, useCallback, useDeferredValue, useMemo, useRef, useState } from "react";
import type { TraceTree } from "../api/types";
import { useKeys } from "../frame/keys";
import { useNarrow } from "../frame/narrow";
import { useStored } from "../frame/stored";
import { count } from "../format/number";
import { Notice } from "../parts/Notice";
import { Splitter } from "../parts/Splitter";
import { useLastSearch } from "../traces/memory";
import { criticalPath } from "./critical";
import { Flame } from "./Flame";
import { findGroups, type Group } from "./groups";
import { Legend } from "./Legend";
import { Minimap } from "./Minimap";
import { usePalette } from "./palette";
import { compressedScale, lay, plainScale } from "./scale";
import { SpanPanel } from "./SpanPanel";
import { Summary } from "./Summary";
import { Timeline } from "./Timeline";
import { clampWindow, type Window } from "./timeline";
import { TraceTools, ViewSwitch } from "./TraceTools";
import { Transcript } from "./Transcript";
import { at, buildTree, type Tree, visibleRows } from "./tree";
import { readTraceView, type TraceView, type View } from "./view";

const LONGEST_TRANSCRIPT = 5000; // spans; a larger trace is first shown as a waterfall, which costs the same whatever its size

/** The trace once it is there: what is folded, found, selected and zoomed, and the keys that change it. */
export function TraceBody({ traceId, trace, view }: { traceId: string; trace: TraceTree; view: TraceView }) {
  const tree = useMemo(() => buildTree(trace.spans), [trace.spans]);
  const groups = useMemo(() => findGroups(tree), [tree]);
  const critical = useMemo(() => criticalPath(tree), [tree]);
  const short = useMemo(() => compressedScale(tree), [tree]);
  const laid = useMemo(() => lay(tree, view.gaps === "full" ? plainScale(tree.total) : short), [tree, short, view.gaps]);
  const palette = usePalette();
  const navigate = useNavigate();
  const lastRef = useLastSearch();
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [opened, setOpened] = useState<ReadonlySet<number>>(() => opening(tree, groups, view.span));
  const [cursor, setCursor] = useState<string | null>(view.span ?? null); // a span's id, or `~` and the id of a group's first span
  const [zoom, setZoom] = useState<Window | null>(null);
  const [storedWidth, setTreeWidth] = useStored<number>("tree-width", 540);
  const treeWidth = useNarrow() ? 200 : storedWidth;
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

  const [fitting] = useState(() => suits(tree)); // an agent's own span comes last: what is being read does not change for it
  const shownAs = view.view ?? fitting;
  const needle = useDeferredValue((view.find ?? "").trim().toLowerCase());
  const searching = needle !== "" || view.only !== undefined;
  const rows = useMemo(() => {
    if (!searching) return visibleRows(tree, folded, undefined, groups, opened);
    const failed = view.only === "errors";
    return visibleRows(tree, folded, (row) => {
      const span = at(tree.spans, row);
      return (!failed || span.status.code === "error") && (needle === "" || span.name.toLowerCase().includes(needle));
    });
  }, [tree, folded, groups, opened, searching, needle, view.only]);

  const total = Math.max(laid.scale.total, 1e-6);
  const shown = zoom && zoom.to <= total ? zoom : { from: 0, to: total };
  const selected = view.span === undefined ? undefined : tree.row.get(view.span);
  const here = useMemo(() => rowOf(tree, groups, cursor), [tree, groups, cursor]);

  const moveTo = useCallback((spanId: string) => setCursor(spanId), []);
  const select = useCallback(
    (spanId: string) => {
      setCursor(spanId);
      change({ span: spanId });
    },
    [change],
  );
  // beside a transcript a click moves it; details open on demand
  const onSelect = shownAs === "transcript" && view.span === undefined ? moveTo : select;
  const fold = useCallback((spanId: string) => setFolded((old) => toggled(old, spanId)), []);
  const onGroup = useCallback(
    (group: Group) => {
      setCursor(`~${at(tree.spans, group.first).span_id}`);
      setOpened((old) => toggled(old, group.first));
    },
    [tree],
  );
  const zoomTo = useCallback(
    (row: number) => {
      const [left, width] = [at(laid.left, row), at(laid.width, row)];
      setZoom(clampWindow({ from: left - width * 0.05, to: left + width * 1.05 }, total));
    },
    [laid, total],
  );
  const goTo = (row: number | undefined) => {
    if (row === undefined) return;
    const group = row < 0 ? groups[~row] : undefined;
    const id = group ? `~${at(tree.spans, group.first).span_id}` : at(tree.spans, row).span_id;
    if (view.span === undefined || group) setCursor(id);
    else select(id);
  };
  const step = (by: number) => {
    const index = here === undefined ? -1 : rows.indexOf(here);
    goTo(rows[index < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, index + by))]);
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
  const show = (next: View) => change({ view: next === fitting ? undefined : next });

  const hereGroup = here !== undefined && here < 0 ? groups[~here] : undefined;
  const hereSpan = here !== undefined && here >= 0 ? at(tree.spans, here) : undefined;
  useKeys({
    "/": () => find.current?.focus(),
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    ArrowLeft: () => {
      if (hereGroup) {
        if (opened.has(hereGroup.first)) onGroup(hereGroup);
      } else if (here !== undefined && hereSpan) {
        if (at(tree.size, here) > 1 && !folded.has(hereSpan.span_id)) fold(hereSpan.span_id);
        else if (at(tree.parent, here) >= 0) goTo(at(tree.parent, here));
      }
    },
    ArrowRight: () => {
      if (hereGroup) {
        if (!opened.has(hereGroup.first)) onGroup(hereGroup);
      } else if (here !== undefined && hereSpan && at(tree.size, here) > 1) {
        if (folded.has(hereSpan.span_id)) fold(hereSpan.span_id);
        else step(1);
      }
    },
    Enter: () => {
      if (hereGroup) onGroup(hereGroup);
      else if (hereSpan) change({ span: hereSpan.span_id });
    },
    z: () => {
      if (here !== undefined && here >= 0) zoomTo(here);
    },
    "0": () => setZoom(null),
    t: () => scroller.current?.focus(),
    w: () => show("waterfall"),
    f: () => show("flame"),
    m: () => show("transcript"),
    Escape: () => {
      if (view.span !== undefined) change({ span: undefined, tab: undefined });
      else if (searching) change({ find: undefined, only: undefined });
      else void navigate({ to: "/explore", search: lastRef.current });
    },
  });

  return (
    <div className={`trace is-${shownAs}`} style={{ "--tree": `${treeWidth}px`, "--gutter": `${shownAs === "waterfall" ? gutter : 0}px` } as CSSProperties}>
      <Summary trace={trace} />
      <div className="trace-head">
        <div className="trace-left">
          <TraceTools
            find={find}
            needle={view.find ?? ""}
            onFind={(text) => change({ find: text || undefined })}
            onlyErrors={view.only === "errors"}
            hasErrors={trace.error_count > 0}
            onOnlyErrors={() => change({ only: view.only ? undefined : "errors" })}
            folded={folded.size > 0}
            canFold={!searching}
            onFoldAll={() => setFolded(folded.size > 0 ? new Set() : foldable(tree))}
            said={searching ? `${count(rows.length)} shown` : ""}
          />
          <div className="trace-columns">
            <ViewSwitch view={shownAs} onView={show} />
            <span className="span-end" aria-hidden="true">
              <span className="span-figures">
                <span className="span-cost">cost</span>
                <span className="span-tokens">tokens</span>
              </span>
              <span className="span-time">time</span>
            </span>
          </div>
        </div>
        <Minimap tree={tree} laid={laid} window={shown} palette={palette} zoomed={zoom !== null} view={band} onWindow={setZoom} onJump={jump} />
      </div>
      <div className="trace-main">
        {rows.length === 0 ? (
          <Notice title="No span matches" actions={<button type="button" className="button" onClick={() => change({ find: undefined, only: undefined })}>show all spans</button>} />
        ) : (
          <Timeline
            tree={tree}
            laid={laid}
            critical={critical}
            groups={groups}
            rows={rows}
            folded={folded}
            opened={opened}
            here={here}
            window={shown}
            palette={palette}
            treeWidth={treeWidth}
            bars={shownAs === "waterfall"}
            scroller={scroller}
            onFold={fold}
            onGroup={onGroup}
            onSelect={onSelect}
            onZoom={zoomTo}
            onScroll={showBand}
            onGutter={setGutter}
          />
        )}
        {shownAs === "flame" && <Flame tree={tree} laid={laid} window={shown} palette={palette} here={here} onSelect={select} onZoom={zoomTo} />}
        {shownAs === "transcript" && <Transcript traceId={traceId} tree={tree} here={here} onHere={moveTo} onOpen={select} />}
        <Splitter label="width of the tree" axis="x" value={treeWidth} min={240} max={1100} onChange={setTreeWidth} />
      </div>
      {selected !== undefined && (
        <div className="trace-panel" style={{ height: panelHeight }}>
          <Splitter label="height of the details" axis="y" value={panelHeight} min={140} max={800} onChange={setPanelHeight} flip />
          <SpanPanel
            key={view.span}
            traceId={traceId}
            span={at(tree.spans, selected)}
            kind={at(tree.kind, selected)}
            offset={at(tree.start, selected)}
            origin={tree.origin}
            tab={view.tab}
            onTab={(tab) => change({ tab })}
            onClose={() => change({ span: undefined, tab: undefined })}
          />
        </div>
      )}
      <Legend
        tree={tree}
        zoomed={zoom !== null}
        gaps={short.gaps.length}
        short={view.gaps !== "full"}
        critical={shownAs === "waterfall"}
        onWhole={() => setZoom(null)}
        onGaps={() => {
          setZoom(null);
          change({ gaps: view.gaps === "full" ? undefined : "full" });
        }}
      />
    </div>
  );
}

/** A transcript where an agent works; else the waterfall. */
function suits(tree: Tree): View {
  return tree.spans.length <= LONGEST_TRANSCRIPT && tree.kind.includes("agent") ? "transcript" : "waterfall";
}

function toggled<T>(old: ReadonlySet<T>, each: T): ReadonlySet<T> {
  const next = new Set(old);
  if (!next.delete(each)) next.add(each);
  return next;
}

/** The row of a cursor: a span's, or `~index` of a group's. */
function rowOf(tree: Tree, groups: readonly Group[], cursor: string | null): number | undefined {
  if (cursor === null) return undefined;
  if (!cursor.startsWith("~")) return tree.row.get(cursor);
  const first = tree.row.get(cursor.slice(1));
  const index = groups.findIndex((group) => group.first === first);
  return index < 0 ? undefined : ~index;
}

/** The groups that must be open for a span to be seen. */
function opening(tree: Tree, groups: readonly Group[], spanId: string | undefined): ReadonlySet<number> {
  const row = spanId === undefined ? undefined : tree.row.get(spanId);
  return new Set(row === undefined ? [] : groups.filter((group) => group.first <= row && row < group.end).map((group) => group.first));
}

/** Everything below the top that has something below it. */
function foldable(tree: Tree): Set<string> {
  return new Set(tree.spans.filter((_, row) => at(tree.depth, row) > 0 && at(tree.size, row) > 1).map((span) => span.span_id));
}
