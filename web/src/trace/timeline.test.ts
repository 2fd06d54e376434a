import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainScale, scaleTicks } from "./scale";
import { bar, clampWindow, type Window } from "./timeline";

const ticks = (window: Window, width: number) => scaleTicks(plainScale(window.to), window, width).map(({ ms }) => ms);

const amount = fc.double({ min: 0, max: 1e7, noNaN: true });

describe("a bar", () => {
  it("lies inside the canvas and is never thinner than two pixels", () => {
    fc.assert(
      fc.property(amount, amount, amount, fc.double({ min: 1e-3, max: 1e7, noNaN: true }), (start, duration, from, width) => {
        const drawn = bar(start, duration, { from, to: from + width }, 800);
        if (!drawn) {
          expect(start + duration < from || start > from + width).toBe(true);
          return;
        }
        expect(drawn.x).toBeGreaterThanOrEqual(0);
        expect(drawn.w).toBeGreaterThanOrEqual(2);
        expect(drawn.x + drawn.w).toBeLessThanOrEqual(800 + 1e-6);
      }),
    );
  });

  it("is proportional", () => {
    expect(bar(250, 500, { from: 0, to: 1000 }, 800)).toEqual({ x: 200, w: 400 });
  });

  it("of a trace without extent is seen", () => {
    expect(bar(0, 0, { from: 0, to: 0 }, 800)).toEqual({ x: 0, w: 2 });
  });
});

describe("ticks", () => {
  it("are inside the window, in order and not crowded", () => {
    fc.assert(
      fc.property(amount, fc.double({ min: 1e-3, max: 1e8, noNaN: true }), (from, width) => {
        const window = { from, to: from + width };
        const all = ticks(window, 900);
        const rounding = 1e-9 * window.to; // far below a pixel
        expect(all.length).toBeLessThanOrEqual(12);
        all.forEach((tick, i) => {
          expect(tick).toBeGreaterThanOrEqual(from - rounding);
          expect(tick).toBeLessThanOrEqual(window.to + rounding);
          const before = all[i - 1];
          if (before !== undefined) expect(((tick - before) / width) * 900).toBeGreaterThanOrEqual(89.9);
        });
      }),
    );
  });

  it("are round", () => {
    expect(ticks({ from: 0, to: 1000 }, 500)).toEqual([0, 200, 400, 600, 800, 1000]);
    expect(ticks({ from: 0, to: 600_000 }, 500)).toEqual([0, 120_000, 240_000, 360_000, 480_000, 600_000]);
  });
});

it("a window stays inside the whole whichever way it was dragged", () => {
  fc.assert(
    fc.property(fc.double({ min: -10, max: 2000, noNaN: true }), fc.double({ min: -10, max: 2000, noNaN: true }), (a, b) => {
      const window = clampWindow({ from: a, to: b }, 1000);
      expect(window.from).toBeGreaterThanOrEqual(0);
      expect(window.to).toBeLessThanOrEqual(1000);
      expect(window.to).toBeGreaterThan(window.from);
    }),
  );
});
