import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";
import { drawWaterfall, prepare, ROW } from "./draw";
import type { Palette } from "./palette";
import type { Window } from "./timeline";
import { at, type Tree } from "./tree";
import { TreeRow } from "./TreeRow";
import { useSize } from "./useSize";

interface Props {
  tree: Tree;
  rows: Int32Array;
  folded: ReadonlySet<string>;
  cursor: string | null;
  window: Window;
  palette: Palette;
  treeWidth: number;
  scroller: RefObject<HTMLDivElement | null>;
  onFold: (spanId: string) => void;
  onSelect: (spanId: string) => void;
  onZoom: (row: number) => void;
  onScroll: (part: { top: number; height: number }) => void; // of the whole list, 0 to 1
  onGutter: (pixels: number) => void; // width of the scrollbar
}

/**
 * Tree and waterfall in one scroll container. Rows are DOM and virtual; all bars are one canvas that lies in the scrolled content, half a
 * screen larger at both ends, so that it moves with the rows between two frames and is drawn again once a frame.
 */
export function Timeline({ tree, rows, folded, cursor, window: shown, palette, treeWidth, scroller, onFold, onSelect, onZoom, onScroll, onGutter }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(scroller);
  const width = Math.max(0, size.width - treeWidth);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
  });

  const draw = useCallback(() => {
    const [element, list] = [canvas.current, scroller.current];
    if (!element || !list || width <= 0) return;
    const spare = Math.round(size.height / 2);
    const whole = rows.length * ROW;
    const top = Math.max(0, list.scrollTop - spare);
    const height = Math.max(0, Math.min(size.height + 2 * spare, whole - top));
    const context = prepare(element, width, height);
    if (!context) return;
    element.style.transform = `translateY(${top}px)`;
    drawWaterfall(context, { tree, rows, window: shown, palette, width, height, top });
    onScroll({ top: list.scrollTop / Math.max(whole, 1), height: Math.min(1, size.height / Math.max(whole, 1)) });
  }, [tree, rows, shown, palette, width, size.height, scroller, onScroll]);

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
    const row = cursor === null ? undefined : tree.row.get(cursor);
    const index = row === undefined ? -1 : latest.current.indexOf(row);
    if (index >= 0) virtual.scrollToIndex(index, { align: "auto" });
    // a refreshed tree is no move
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [cursor, virtual]);

  return (
    <div
      ref={scroller}
      className="timeline"
      role="tree"
      aria-label="spans"
      aria-activedescendant={cursor === null ? undefined : `span-${cursor}`}
      tabIndex={0}
    >
      <div className="timeline-body" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = at(rows, item.index);
          const id = at(tree.spans, row).span_id;
          return (
            <TreeRow
              key={item.index}
              tree={tree}
              row={row}
              top={item.start}
              index={item.index}
              of={rows.length}
              folded={folded.has(id)}
              here={id === cursor}
              onFold={onFold}
              onSelect={onSelect}
              onZoom={onZoom}
            />
          );
        })}
        <canvas ref={canvas} className="waterfall" aria-hidden="true" />
      </div>
    </div>
  );
}
