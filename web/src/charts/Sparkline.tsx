import { sparkLines } from "./spark";

/** The last values as a line, oldest left; the scale begins at zero. Decoration: the figure beside it is what is said. */
export function Sparkline({ values, width = 120, height = 28 }: { values: readonly (number | null)[]; width?: number; height?: number }) {
  const lines = values.length > 1 ? sparkLines(values, width, height) : [];
  return (
    <svg className="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {/* a line from a point to itself is a dot, by its round ends */}
      {lines.map((points) => (
        <polyline key={points[0]} points={(points.length > 1 ? points : [...points, ...points]).join(" ")} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" strokeLinecap="round" vectorEffect="non-scaling-stroke" />
      ))}
    </svg>
  );
}
