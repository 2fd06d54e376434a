import type { Palette } from "./palette";
import type { Laid } from "./scale";
import { bar } from "./timeline";
import { at, type Tree } from "./tree";

const PAD = 3;

/**
 * The whole trace in a few device pixels: each span a line at the height of its place in the tree, errors last so that none is hidden. Pixels
 * are written, not drawn: 30,000 rectangles cost a canvas 100 ms, these 5. Colours are 32 bits as canvas memory has them; 0 is see-through.
 */
export function overviewPixels(tree: Tree, laid: Laid, colourOf: (row: number) => number, error: number, width: number, height: number): Uint32Array<ArrayBuffer> {
  const pixels = new Uint32Array(width * height);
  const n = tree.spans.length;
  const whole = { from: 0, to: laid.scale.total };
  const step = (height - 2 * PAD) / Math.max(n, 1);
  const thick = Math.max(1, Math.min(6, Math.floor(step > 3 ? step - 1 : step)));
  const line = (row: number, colour: number, least: number) => {
    const place = bar(at(laid.left, row), at(laid.width, row), whole, width, least);
    if (!place) return;
    const left = Math.floor(place.x);
    const right = Math.min(width, Math.max(left + 1, Math.round(place.x + place.w)));
    const top = Math.floor(PAD + row * step);
    for (let y = top; y < Math.min(height, top + thick); y++) pixels.fill(colour, y * width + left, y * width + right);
  };
  for (let row = 0; row < n; row++) line(row, colourOf(row), 1);
  for (let row = 0; row < n; row++) if (at(tree.spans, row).status.code === "error") line(row, error, 2);
  return pixels;
}

/** Paints the overview over a whole canvas of `width` × `height` device pixels. */
export function paintOverview(context: CanvasRenderingContext2D, tree: Tree, laid: Laid, palette: Palette): void {
  const { width, height } = context.canvas;
  const kinds = Object.fromEntries(Object.entries(palette.kinds).map(([kind, colour]) => [kind, packed(colour)]));
  const pixels = overviewPixels(tree, laid, (row) => kinds[at(tree.kind, row)] ?? 0, packed(palette.error), width, height);
  context.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0);
}

/** `rgb(0, 114, 178)` as the 32 bits of an opaque pixel, red first in memory. */
function packed(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map(Number);
  return new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0] ?? 0;
}
