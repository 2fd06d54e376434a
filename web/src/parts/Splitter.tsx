import type { KeyboardEvent, PointerEvent } from "react";

interface Props {
  label: string;
  axis: "x" | "y";
  value: number; // pixels
  min: number;
  max: number;
  onChange: (value: number) => void;
  flip?: boolean; // the pane that grows lies after the splitter
}

/** A border that can be dragged, or moved with the arrow keys (WAI-ARIA window splitter). */
export function Splitter({ label, axis, value, min, max, onChange, flip = false }: Props) {
  const clamp = (next: number) => onChange(Math.round(Math.max(min, Math.min(max, next))));
  const sign = flip ? -1 : 1;
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const element = event.currentTarget;
    element.setPointerCapture(event.pointerId);
    const start = axis === "x" ? event.clientX : event.clientY;
    const move = (moved: globalThis.PointerEvent) => clamp(value + sign * ((axis === "x" ? moved.clientX : moved.clientY) - start));
    element.addEventListener("pointermove", move);
    element.addEventListener("lostpointercapture", () => element.removeEventListener("pointermove", move), { once: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -16, ArrowUp: -16, ArrowRight: 16, ArrowDown: 16 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    clamp(value + sign * step);
  };
  return (
    <div
      role="separator"
      tabIndex={0}
      className={`splitter is-${axis}`}
      aria-label={label}
      aria-orientation={axis === "x" ? "vertical" : "horizontal"}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}
