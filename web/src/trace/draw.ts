import type { Palette } from "./palette";
import { bar, ticks, type Window } from "./timeline";
import { at, type Tree } from "./tree";

export const ROW = 28;
const BAR = 12;

/** Sizes a canvas to CSS pixels at the screen's own resolution, clears it, and gives a context that draws in CSS pixels. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}

interface Waterfall {
  tree: Tree;
  rows: Int32Array; // visible rows of the tree, in order
  window: Window;
  palette: Palette;
  width: number;
  height: number;
  top: number; // of the canvas, in the pixels of the whole list
}

/** The bars of the rows the canvas covers, over a grid of time. Cost grows with the rows on the screen, not with the trace. */
export function drawWaterfall(context: CanvasRenderingContext2D, { tree, rows, window, palette, width, height, top }: Waterfall): void {
  context.fillStyle = palette.grid;
  const scale = width / (window.to - window.from);
  for (const tick of ticks(window, width)) context.fillRect(Math.round((tick - window.from) * scale), 0, 1, height);

  const first = Math.max(0, Math.floor(top / ROW));
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW));
  for (let index = first; index < last; index++) {
    const row = at(rows, index);
    const drawn = bar(at(tree.start, row), at(tree.duration, row), window, width);
    if (!drawn) continue;
    const span = at(tree.spans, row);
    const failed = span.status.code === "error";
    const y = index * ROW - top + (ROW - BAR) / 2;
    context.fillStyle = failed ? palette.error : palette.kinds[at(tree.kind, row)];
    const first_token = (span.time_to_first_token_s ?? 0) * 1e3;
    if (first_token > 0 && first_token < at(tree.duration, row)) {
      // waiting for the first token is pale, what streams after it is solid
      const split = Math.max(drawn.x, Math.min(drawn.x + drawn.w, (at(tree.start, row) + first_token - window.from) * scale));
      context.globalAlpha = 0.4;
      context.fillRect(drawn.x, y, split - drawn.x, BAR);
      context.globalAlpha = 1;
      context.fillRect(split, y, drawn.x + drawn.w - split, BAR);
      context.fillRect(split - 0.5, y - 3, 1.5, BAR + 6);
    } else {
      context.beginPath();
      context.roundRect(drawn.x, y, drawn.w, BAR, Math.min(2, drawn.w / 2));
      context.fill();
    }
    if (failed) warn(context, drawn, y + BAR / 2, width, palette);
  }
}

/** A small triangle at a failed bar, so that colour is not the only sign: behind it, else before it, else on it. */
function warn(context: CanvasRenderingContext2D, { x, w }: { x: number; w: number }, y: number, width: number, palette: Palette): void {
  const [behind, before] = [x + w + 6, x - 16];
  const on = behind + 10 > width && before < 0;
  const left = behind + 10 <= width ? behind : on ? x + w - 14 : before;
  context.fillStyle = on ? palette.surface : palette.error;
  context.beginPath();
  context.moveTo(left + 5, y - 5);
  context.lineTo(left + 10, y + 4);
  context.lineTo(left, y + 4);
  context.fill();
}
