import { type PointerEvent, type RefObject, useLayoutEffect, useRef, useState } from "react";
import { duration } from "../format/duration";
import { gapLabel, prepare } from "./draw";
import { paintOverview } from "./overview";
import type { Palette } from "./palette";
import { type Laid, scaleTicks } from "./scale";
import { clampWindow, type Window } from "./timeline";
import type { Tree } from "./tree";
import { useSize } from "./useSize";

const CLICK = 4; // pixels a pointer may move and still be a click

interface Props {
  tree: Tree;
  laid: Laid;
  window: Window;
  palette: Palette;
  zoomed: boolean;
  view: RefObject<HTMLDivElement | null>; // the band that shows which rows are on the screen; moved by the timeline
  onWindow: (window: Window | null) => void;
  onJump: (fraction: number) => void;
}

/** The whole trace above the waterfall. Drag: look at that time. Click: go to that place. Double click: the whole again. */
export function Minimap({ tree, laid, window: shown, palette, zoomed, view, onWindow, onJump }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(box);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  useLayoutEffect(() => {
    if (!canvas.current || width === 0) return;
    const context = prepare(canvas.current, width, height);
    if (context) paintOverview(context, tree, laid, palette);
  }, [tree, laid, palette, width, height]);
  const total = laid.scale.total;

  const place = (event: PointerEvent<HTMLDivElement>) => event.clientX - event.currentTarget.getBoundingClientRect().left;
  const onPointerUp = (event: PointerEvent<HTMLDivElement>) => {
    if (!drag) return;
    setDrag(null);
    if (Math.abs(drag.to - drag.from) < CLICK) {
      onJump((event.clientY - event.currentTarget.getBoundingClientRect().top) / Math.max(1, height));
      return;
    }
    onWindow(clampWindow({ from: (drag.from / width) * total, to: (drag.to / width) * total }, total));
  };
  const left = drag ? Math.min(drag.from, drag.to) : (shown.from / total) * width;
  const right = drag ? Math.max(drag.from, drag.to) : (shown.to / total) * width;

  return (
    <div className="overview">
      <div
        ref={box}
        className="minimap"
        title="drag to look closer, double click for the whole"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: place(event), to: place(event) });
        }}
        onPointerMove={(event) => drag && setDrag({ ...drag, to: place(event) })}
        onPointerUp={onPointerUp}
        onPointerCancel={() => setDrag(null)}
        onDoubleClick={() => onWindow(null)}
      >
        <canvas ref={canvas} aria-hidden="true" />
        <div ref={view} className="minimap-view" />
        {(zoomed || drag) && (
          <>
            <div className="minimap-out" style={{ left: 0, width: Math.max(0, left) }} />
            <div className="minimap-out" style={{ left: right, right: 0 }} />
          </>
        )}
      </div>
      <div className="axis" aria-hidden="true">
        {scaleTicks(laid.scale, shown, width)
          .map(({ ms, drawn }) => ({ ms, left: ((drawn - shown.from) / (shown.to - shown.from)) * width }))
          .map(({ ms, left }) => (
            <span key={ms} style={{ left }}>
              {width - left > 60 && duration(ms)}
            </span>
          ))}
        {laid.scale.gaps.map((gap) => {
          const [from, to] = [gap.left, gap.right].map((drawn) => ((drawn - shown.from) / (shown.to - shown.from)) * width) as [number, number];
          if (to < 0 || from > width) return null;
          return (
            <span key={gap.from} className="axis-gap" style={{ left: from, minWidth: to - from }} title={`${duration(gap.to - gap.from)} in which nothing ran, drawn short`}>
              {gapLabel(gap.to - gap.from)}
            </span>
          );
        })}
      </div>
    </div>
  );
}
