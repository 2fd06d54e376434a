import { type MouseEvent, type PointerEvent, useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { duration } from "../format/duration";
import { drawGrid, type Plane, prepare } from "./draw";
import { firstFrom, type Lanes, lanesOf } from "./flame";
import type { Palette } from "./palette";
import type { Laid } from "./scale";
import type { Window } from "./timeline";
import { at, type Tree } from "./tree";
import { useSize } from "./useSize";

const LANE = 20;
const BAR = 18;
const LEAST_TEXT = 36; // pixels a name needs to be worth writing

interface Props {
  tree: Tree;
  laid: Laid;
  window: Window;
  palette: Palette;
  here: number | undefined;
  onSelect: (spanId: string) => void;
  onZoom: (row: number) => void;
}

/** The trace as a flame: time to the right, what is inside a span below it. The tree beside it says the same to a screen reader. */
export function Flame({ tree, laid, window: shown, palette, here, onSelect, onZoom }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(box);
  const lanes = useMemo(() => lanesOf(tree, laid), [tree, laid]);
  const [hover, setHover] = useState<{ row: number; x: number; y: number } | null>(null);

  const draw = useCallback(() => {
    if (!canvas.current || !box.current || width === 0) return;
    const context = prepare(canvas.current, width, height);
    if (context) drawFlame(context, { tree, laid, window: shown, palette, width, height }, lanes, box.current.scrollTop, here);
  }, [tree, laid, shown, palette, width, height, lanes, here]);
  useLayoutEffect(draw, [draw]);
  useLayoutEffect(() => {
    const list = box.current;
    if (!list || here === undefined || here < 0) return;
    const top = at(lanes.lane, here) * LANE;
    if (top < list.scrollTop || top + LANE > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 3;
  }, [here, lanes]);

  const rowAt = (event: PointerEvent | MouseEvent): number | undefined => {
    const area = box.current?.getBoundingClientRect();
    if (!area || !box.current) return undefined;
    const lane = lanes.rows[Math.floor((event.clientY - area.top + box.current.scrollTop) / LANE)];
    if (!lane) return undefined;
    const perPixel = (shown.to - shown.from) / Math.max(width, 1);
    const place = shown.from + (event.clientX - area.left) * perPixel;
    const index = firstFrom(lane, laid, place - 2 * perPixel);
    const row = lane[index];
    return row !== undefined && at(laid.left, row) <= place + 2 * perPixel ? row : undefined;
  };
  const hovered = hover && tree.spans[hover.row];

  return (
    <div className="flame">
      <div
        ref={box}
        className="flame-scroll"
        onScroll={draw}
        onPointerMove={(event) => {
          const row = rowAt(event);
          setHover(row === undefined ? null : { row, x: event.nativeEvent.offsetX, y: event.clientY - event.currentTarget.getBoundingClientRect().top });
        }}
        onPointerLeave={() => setHover(null)}
        onClick={(event) => {
          const row = rowAt(event);
          if (row !== undefined) onSelect(at(tree.spans, row).span_id);
        }}
        onDoubleClick={(event) => {
          const row = rowAt(event);
          if (row !== undefined) onZoom(row);
        }}
      >
        <canvas ref={canvas} className="flame-canvas" role="img" aria-label="flame view of the trace; the tree beside it holds the same spans" />
        <div style={{ height: Math.max(0, lanes.rows.length * LANE - height), width: 1 }} />
      </div>
      {hover && hovered && (
        <div className="popup flame-tip" style={{ left: Math.min(hover.x + 12, Math.max(0, width - 280)), top: Math.min(hover.y + 14, Math.max(0, height - 52)) }}>
          <strong>{hovered.name || "(no name)"}</strong>
          <span className="faint">
            {at(tree.kind, hover.row)} · {duration(at(tree.duration, hover.row))} · from +{duration(at(tree.start, hover.row))}
          </span>
        </div>
      )}
    </div>
  );
}

/** Only what the window and the scroll show; of spans thinner than a pixel one for each pixel. */
function drawFlame(context: CanvasRenderingContext2D, plane: Plane, lanes: Lanes, top: number, here: number | undefined): void {
  const { tree, laid, window, palette, width, height } = plane;
  drawGrid(context, plane);
  const scale = width / (window.to - window.from);
  const last = Math.min(lanes.rows.length, Math.ceil((top + height) / LANE));
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (let index = Math.floor(top / LANE); index < last; index++) {
    const lane = lanes.rows[index] ?? new Int32Array();
    let painted = -1;
    for (let i = firstFrom(lane, laid, window.from); i < lane.length; i++) {
      const row = at(lane, i);
      const left = Math.max(0, (at(laid.left, row) - window.from) * scale);
      if (left > width) break;
      const right = Math.min(width, (at(laid.left, row) + at(laid.width, row) - window.from) * scale);
      if (right - left < 1 && Math.floor(left) === painted) continue;
      painted = Math.floor(right);
      const failed = at(tree.spans, row).status.code === "error";
      const y = index * LANE - top;
      const w = Math.max(1, right - left - (right - left > 3 ? 1 : 0));
      context.fillStyle = failed ? palette.error : palette.kinds[at(tree.kind, row)];
      context.globalAlpha = 0.3;
      context.fillRect(left, y, w, BAR);
      context.globalAlpha = 1;
      context.fillRect(left, y, Math.min(3, w), BAR);
      if (row === here) {
        context.strokeStyle = palette.text;
        context.lineWidth = 1.5;
        context.strokeRect(left + 0.75, y + 0.75, Math.max(1, w - 1.5), BAR - 1.5);
      }
      if (w > LEAST_TEXT) label(context, `${failed ? "⚠ " : ""}${at(tree.spans, row).name}`, left + 8, y + BAR / 2 + 0.5, w - 12, palette.text);
    }
  }
}

/** As much of a name as fits. */
function label(context: CanvasRenderingContext2D, name: string, x: number, y: number, room: number, colour: string): void {
  const fits = Math.floor(room / 6.2);
  context.fillStyle = colour;
  context.fillText(name.length <= fits ? name : `${name.slice(0, Math.max(1, fits - 1))}…`, x, y, room);
}
