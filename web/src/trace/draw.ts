import { duration } from "../format/duration";
import type { Critical } from "./critical";
import { type Group, members } from "./groups";
import type { Palette } from "./palette";
import { type Laid, scaleTicks } from "./scale";
import { bar, type Window } from "./timeline";
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

/** What a canvas of bars draws on: the window of the drawn axis that it shows, and its size in CSS pixels. */
export interface Plane {
  tree: Tree;
  laid: Laid;
  window: Window;
  palette: Palette;
  width: number;
  height: number;
}

interface Waterfall extends Plane {
  rows: Int32Array; // visible rows of the tree, in order; `~index` is a group
  groups: readonly Group[];
  critical: Critical;
  top: number; // of the canvas, in the pixels of the whole list
}

/** The grid of time: a line at each tick, and a hatched band where idle time is drawn short. */
export function drawGrid(context: CanvasRenderingContext2D, { laid, window, palette, width, height }: Plane): void {
  const scale = width / (window.to - window.from);
  context.fillStyle = palette.grid;
  for (const { drawn } of scaleTicks(laid.scale, window, width)) context.fillRect(Math.round((drawn - window.from) * scale), 0, 1, height);
  for (const gap of laid.scale.gaps) {
    const [left, right] = [(gap.left - window.from) * scale, (gap.right - window.from) * scale];
    if (right < 0 || left > width) continue;
    hatch(context, left, 0, right - left, height, palette.grid, 6, 2);
  }
}

/** The bars of the rows the canvas covers. Cost grows with the rows on the screen, not with the trace. */
export function drawWaterfall(context: CanvasRenderingContext2D, waterfall: Waterfall): void {
  const { tree, rows, groups, top, height } = waterfall;
  drawGrid(context, waterfall);
  const first = Math.max(0, Math.floor(top / ROW));
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW));
  for (let index = first; index < last; index++) {
    const row = at(rows, index);
    const y = index * ROW - top + (ROW - BAR) / 2;
    const group = row < 0 ? groups[~row] : undefined;
    if (group) for (const member of members(tree, group)) drawBar(context, waterfall, member, y, false);
    else drawBar(context, waterfall, row, y, true);
  }
}

/** A span's bar: the wait for the first token pale, what streams after it hatched, a tick between; what all waited for underlined. */
function drawBar(context: CanvasRenderingContext2D, { tree, laid, window, palette, width, critical }: Waterfall, row: number, y: number, whole: boolean): void {
  const drawn = bar(at(laid.left, row), at(laid.width, row), window, width);
  if (!drawn) return;
  const span = at(tree.spans, row);
  const failed = span.status.code === "error";
  const scale = width / (window.to - window.from);
  const place = (ms: number) => Math.max(drawn.x, Math.min(drawn.x + drawn.w, (laid.scale.of(ms) - window.from) * scale));
  const firstToken = (span.time_to_first_token_s ?? 0) * 1e3;
  const colour = failed ? palette.error : palette.kinds[at(tree.kind, row)];
  context.fillStyle = colour;
  if (whole && firstToken > 0 && firstToken < at(tree.duration, row)) {
    const split = place(at(tree.start, row) + firstToken);
    context.globalAlpha = 0.4;
    context.fillRect(drawn.x, y, split - drawn.x, BAR);
    context.globalAlpha = 1;
    context.fillRect(split, y, drawn.x + drawn.w - split, BAR);
    context.globalAlpha = 0.45;
    hatch(context, split + 2, y, drawn.x + drawn.w - split - 2, BAR, palette.surface, 5, 1.5);
    context.globalAlpha = 1;
    context.fillStyle = colour;
    context.fillRect(split - 0.5, y - 3, 1.5, BAR + 6);
  } else {
    context.beginPath();
    context.roundRect(drawn.x, y, drawn.w, BAR, Math.min(2, drawn.w / 2));
    context.fill();
  }
  context.fillStyle = palette.text;
  for (const [from, to] of critical.get(row) ?? []) {
    const [left, right] = [place(from), place(to)];
    if (right - left >= 1) context.fillRect(left, y + BAR + 1, right - left, 2); // what is thinner is seen when one zooms
  }
  if (failed && whole) warn(context, drawn, y + BAR / 2, width, palette);
}

/** Slanted stripes inside a rectangle. */
function hatch(context: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, colour: string, step: number, thick: number): void {
  if (w <= 0) return;
  context.save();
  context.beginPath();
  context.rect(x, y, w, h);
  context.clip();
  context.beginPath();
  for (let left = x - h; left < x + w; left += step) {
    context.moveTo(left, y + h);
    context.lineTo(left + h, y);
  }
  context.strokeStyle = colour;
  context.lineWidth = thick;
  context.stroke();
  context.restore();
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

/** What an axis says of a gap. */
export function gapLabel(ms: number): string {
  return `⋯ ${duration(ms)}`;
}
