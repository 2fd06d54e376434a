import { type PointerEvent, type RefObject, useLayoutEffect, useRef, useState } from "react";
import { duration } from "../format/duration";
import { prepare } from "./draw";
import { paintOverview } from "./overview";
import type { Palette } from "./palette";
import { clampWindow, ticks, type Window } from "./timeline";
import type { Tree } from "./tree";
import { useSize } from "./useSize";

const CLICK = 4; // pixels a pointer may move and still be a click

interface Props {
  tree: Tree;
  window: Window;
  palette: Palette;
  zoomed: boolean;
  view: RefObject<HTMLDivElement | null>; // the band that shows which rows are on the screen; moved by the timeline
  onWindow: (window: Window | null) => void;
  onJump: (fraction: number) => void;
}

/** The whole trace above the waterfall. Drag: look at that time. Click: go to that place. Double click: the whole again. */
export function Minimap({ tree, window: shown, palette, zoomed, view, onWindow, onJump }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(box);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  useLayoutEffect(() => {
    if (!canvas.current || width === 0) return;
    const context = prepare(canvas.current, width, height);
    if (context) paintOverview(context, tree, palette);
  }, [tree, palette, width, height]);

  const place = (event: PointerEvent<HTMLDivElement>) => event.clientX - event.currentTarget.getBoundingClientRect().left;
  const onPointerUp = (event: PointerEvent<HTMLDivElement>) => {
    if (!drag) return;
    setDrag(null);
    if (Math.abs(drag.to - drag.from) < CLICK) {
      onJump((event.clientY - event.currentTarget.getBoundingClientRect().top) / Math.max(1, height));
      return;
    }
    onWindow(clampWindow({ from: (drag.from / width) * tree.total, to: (drag.to / width) * tree.total }, tree.total));
  };
  const left = drag ? Math.min(drag.from, drag.to) : (shown.from / tree.total) * width;
  const right = drag ? Math.max(drag.from, drag.to) : (shown.to / tree.total) * width;

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
        {ticks(shown, width)
          .map((tick) => ({ tick, left: ((tick - shown.from) / (shown.to - shown.from)) * width }))
          .map(({ tick, left }) => (
            <span key={tick} style={{ left }}>
              {width - left > 60 && duration(tick)}
            </span>
          ))}
      </div>
    </div>
  );
}
