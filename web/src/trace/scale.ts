import { at, type Tree } from "./tree";
import { niceStep, type Window } from "./timeline";

/** A stretch in which nothing was measured, and where it is drawn. */
export interface Gap {
  from: number; // ms from the trace's origin
  to: number;
  left: number; // on the drawn axis
  right: number;
}

/** Time as it is drawn: as it was, or with long idle stretches drawn short. Both axes begin at 0 and never run back. */
export interface Scale {
  total: number; // length of the drawn axis
  gaps: readonly Gap[];
  of: (ms: number) => number;
  back: (drawn: number) => number;
}

const IDLE_SHARE = 0.6; // of the trace; below, there is more to see than to skip
const LEAST_GAP = 0.05; // of the trace
const LEAST_MS = 1000; // what passes in less is no wait
const DRAWN_GAP = 0.03; // of the time that is not idle
const MOST_GAPS = 64;

/** Time as it was. */
export function plainScale(total: number): Scale {
  return { total, gaps: [], of: (ms) => ms, back: (drawn) => drawn };
}

/**
 * Idle stretches drawn short: an agent that waits for an hour for its user is not an hour of blank. Idle is where no span runs but those that only
 * hold others (they go on inside it). A trace that is not mostly idle is drawn as it was.
 */
export function compressedScale(tree: Tree): Scale {
  const idle = idleStretches(tree);
  const idleMs = idle.reduce((sum, [from, to]) => sum + to - from, 0);
  if (idle.length === 0 || idleMs < IDLE_SHARE * tree.total) return plainScale(tree.total);
  const drawn = Math.max(DRAWN_GAP * (tree.total - idleMs), tree.total * 1e-6);
  const gaps: Gap[] = [];
  let saved = 0;
  for (const [from, to] of idle) {
    const left = from - saved;
    saved += to - from - drawn;
    gaps.push({ from, to, left, right: left + drawn });
  }
  return {
    total: tree.total - saved,
    gaps,
    of: (ms) => {
      let skipped = 0;
      for (const gap of gaps) {
        if (ms <= gap.from) break;
        if (ms < gap.to) return gap.left + ((ms - gap.from) / (gap.to - gap.from)) * drawn;
        skipped += gap.to - gap.from - drawn;
      }
      return ms - skipped;
    },
    back: (place) => {
      let skipped = 0;
      for (const gap of gaps) {
        if (place <= gap.left) break;
        if (place < gap.right) return gap.from + ((place - gap.left) / drawn) * (gap.to - gap.from);
        skipped += gap.to - gap.from - drawn;
      }
      return place + skipped;
    },
  };
}

/** Long stretches inside the trace without work, in order: the longest `MOST_GAPS` of them. */
function idleStretches(tree: Tree): [number, number][] {
  const n = tree.spans.length;
  const [starts, ends] = [new Float64Array(n), new Float64Array(n)];
  let busy = 0;
  for (let row = 0; row < n; row++) {
    if (at(tree.size, row) > 1 && !works(tree, row)) continue;
    starts[busy] = at(tree.start, row);
    ends[busy++] = at(tree.start, row) + at(tree.duration, row);
  }
  // sorted apart, as numbers: thirty times as fast as rows by their start, and as good to count how many run
  const [begin, end] = [starts.subarray(0, busy).sort(), ends.subarray(0, busy).sort()];
  const found: [number, number][] = [];
  const least = Math.max(LEAST_MS, LEAST_GAP * tree.total);
  for (let i = 0; i <= busy; i++) {
    // before the i-th start nothing runs when all i before it have ended
    const [since, until] = [i === 0 ? 0 : at(end, i - 1), i === busy ? tree.total : at(begin, i)];
    if (until - since > least) found.push([since, until]);
  }
  return found
    .sort((a, b) => b[1] - b[0] - (a[1] - a[0]))
    .slice(0, MOST_GAPS)
    .sort((a, b) => a[0] - b[0]);
}

/** A call of a model works also while a span of its own transport runs in it; agents, chains and requests only hold what works. */
function works(tree: Tree, row: number): boolean {
  const kind = at(tree.kind, row);
  return kind !== "agent" && kind !== "chain" && kind !== "other";
}

/** Every bar's place on the drawn axis. */
export interface Laid {
  scale: Scale;
  left: Float64Array;
  width: Float64Array;
}

/** The tree's bars on a scale. */
export function lay(tree: Tree, scale: Scale): Laid {
  if (scale.gaps.length === 0) return { scale, left: tree.start, width: tree.duration };
  const left = Float64Array.from(tree.start, (ms) => scale.of(ms));
  const width = Float64Array.from(tree.duration, (ms, row) => scale.of(at(tree.start, row) + ms) - at(left, row));
  return { scale, left, width };
}

/** Round times on the drawn axis of a window, at least `room` pixels apart; none inside a gap. */
export function scaleTicks(scale: Scale, window: Window, width: number, room = 90): { ms: number; drawn: number }[] {
  const span = window.to - window.from;
  if (!(span > 0) || width < room) return [];
  const step = niceStep((span * room) / width);
  const ticks: { ms: number; drawn: number }[] = [];
  let last = -Infinity;
  for (const [from, to] of stretches(scale)) {
    const [low, high] = [Math.max(from, scale.back(window.from)), Math.min(to, scale.back(window.to))];
    for (let n = Math.max(0, Math.ceil(low / step - 1e-9)); n * step <= high; n++) {
      const drawn = scale.of(n * step);
      if (((drawn - last) / span) * width < room * 0.9) continue;
      if (scale.gaps.some((gap) => gap.left >= drawn && ((gap.left - drawn) / span) * width < room * 0.6)) continue; // its label would run into the gap's
      last = drawn;
      ticks.push({ ms: n * step, drawn });
    }
  }
  return ticks;
}

/** The stretches between gaps. */
function stretches(scale: Scale): [number, number][] {
  const edges = [0, ...scale.gaps.flatMap((gap) => [gap.from, gap.to]), Infinity];
  return Array.from({ length: edges.length / 2 }, (_, i) => [at(edges, 2 * i), at(edges, 2 * i + 1)]);
}
