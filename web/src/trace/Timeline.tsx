import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";
import type { Critical } from "./critical";
import { drawWaterfall, prepare, ROW } from "./draw";
import type { Group } from "./groups";
import type { Palette } from "./palette";
import type { Laid } from "./scale";
import type { Window } from "./timeline";
import { at, type Tree } from "./tree";
import { GroupRow, TreeRow } from "./TreeRow";
import { useSize } from "./useSize";

interface Props {
  tree: Tree;
  laid: Laid;
  critical: Critical;
  groups: readonly Group[];
  rows: Int32Array; // of the tree; `~index` is a group
  folded: ReadonlySet<string>;
  opened: ReadonlySet<number>; // groups, by their first row
  here: number | undefined; // the row the keyboard is on
  window: Window;
  palette: Palette;
  treeWidth: number;
  bars: boolean; // whether there is a waterfall beside the tree
  scroller: RefObject<HTMLDivElement | null>;
  onFold: (spanId: string) => void;
  onGroup: (group: Group) => void;
  onSelect: (spanId: string) => void;
  onZoom: (row: number) => void;
  onScroll: (part: { top: number; height: number }) => void; // of the whole list, 0 to 1
  onGutter: (pixels: number) => void; // width of the scrollbar
}

/**
 * Tree and waterfall in one scroll container. Rows are DOM and virtual; all bars are one canvas that lies in the scrolled content, half a
 * screen larger at both ends, so that it moves with the rows between two frames and is drawn again once a frame.
 */
export function Timeline(props: Props) {
  const { tree, laid, critical, groups, rows, folded, opened, here, window: shown, palette, treeWidth, bars, scroller } = props;
  const { onFold, onGroup, onSelect, onZoom, onScroll, onGutter } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(scroller);
  const width = bars ? Math.max(0, size.width - treeWidth) : 0;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
  });

  const draw = useCallback(() => {
    const [element, list] = [canvas.current, scroller.current];
    if (!list) return;
    const whole = rows.length * ROW;
    onScroll({ top: list.scrollTop / Math.max(whole, 1), height: Math.min(1, size.height / Math.max(whole, 1)) });
    if (!element || width <= 0) return;
    const spare = Math.round(size.height / 2);
    const top = Math.max(0, list.scrollTop - spare);
    const height = Math.max(0, Math.min(size.height + 2 * spare, whole - top));
    const context = prepare(element, width, height);
    if (!context) return;
    element.style.transform = `translateY(${top}px)`;
    drawWaterfall(context, { tree, laid, critical, groups, rows, window: shown, palette, width, height, top });
  }, [tree, laid, critical, groups, rows, shown, palette, width, size.height, scroller, onScroll]);

  useLayoutEffect(draw, [draw]);
  useLayoutEffect(() => {
    if (scroller.current && size.width > 0) onGutter(scroller.current.offsetWidth - size.width);
  }, [size.width, scroller, onGutter]);
  useEffect(() => {
    const list = scroller.current;
    if (!list) return;
    let frame = 0;
    const onMove = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw();
      });
    };
    list.addEventListener("scroll", onMove, { passive: true });
    return () => {
      list.removeEventListener("scroll", onMove);
      cancelAnimationFrame(frame);
    };
  }, [draw, scroller]);

  // the row the keyboard is on is brought into view when it moves, not when rows come or go
  const latest = useRef(rows);
  useEffect(() => {
    latest.current = rows;
  }, [rows]);
  useEffect(() => {
    const index = here === undefined ? -1 : latest.current.indexOf(here);
    if (index >= 0) virtual.scrollToIndex(index, { align: "auto" });
  }, [here, virtual]);

  return (
    <div
      ref={scroller}
      className="timeline"
      role="tree"
      aria-label="spans"
      aria-activedescendant={activeId(tree, groups, here)}
      tabIndex={0}
    >
      <div className="timeline-body" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = at(rows, item.index);
          const place = { top: item.start, index: item.index, of: rows.length, here: row === here };
          const group = row < 0 ? groups[~row] : undefined;
          if (group) return <GroupRow key={item.index} {...place} tree={tree} group={group} open={opened.has(group.first)} onToggle={onGroup} />;
          const id = at(tree.spans, row).span_id;
          return <TreeRow key={item.index} {...place} tree={tree} row={row} folded={folded.has(id)} onFold={onFold} onSelect={onSelect} onZoom={onZoom} />;
        })}
        {bars && <canvas ref={canvas} className="waterfall" aria-hidden="true" />}
      </div>
    </div>
  );
}

function activeId(tree: Tree, groups: readonly Group[], here: number | undefined): string | undefined {
  if (here === undefined) return undefined;
  const group = here < 0 ? groups[~here] : undefined;
  return group ? `group-${at(tree.spans, group.first).span_id}` : `span-${at(tree.spans, here).span_id}`;
}
