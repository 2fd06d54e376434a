import { type Range, windowOf } from "./range";

const MINUTE = 60e3;
const HOUR = 3600e3;
const DAY = 24 * HOUR;

export type Bucket = "minute" | "5m" | "hour" | "6h" | "day" | "week" | "month";

/** How a window is parted for a chart: into 24 to 180 parts, whole minutes, hours or days of the reader's clock. */
export function bucketOf(length: number): Bucket {
  if (length <= 2 * HOUR) return "minute";
  if (length <= 12 * HOUR) return "5m";
  if (length <= 7.1 * DAY) return "hour";
  if (length <= 20 * DAY) return "6h";
  if (length <= 180 * DAY) return "day";
  return length <= 3 * 365 * DAY ? "week" : "month";
}

/** The length of a bucket in milliseconds, about, where the calendar decides. */
export const LENGTH: Record<Bucket, number> = { minute: MINUTE, "5m": 5 * MINUTE, hour: HOUR, "6h": 6 * HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY };

export interface Parted {
  from: number; // ms since 1970
  to: number;
  bucket: Bucket;
}

/**
 * The window of a search in whole buckets: sums of minutes answer it at once, and no chart begins with a part that is half empty.
 * `first` is where an open window begins.
 */
export function parted(search: Range, now: number, first = now - 30 * DAY): Parted {
  const { from, to } = windowOf(search, now);
  const end = Math.ceil((to ?? now) / MINUTE) * MINUTE;
  const start = from ?? Math.min(first, end - HOUR);
  const bucket = bucketOf(end - start);
  return { from: floor(start, bucket), to: end, bucket };
}

function floor(ms: number, bucket: Bucket): number {
  if (bucket === "minute" || bucket === "5m") return Math.floor(ms / LENGTH[bucket]) * LENGTH[bucket];
  const date = new Date(ms);
  if (bucket === "hour") date.setMinutes(0, 0, 0);
  else if (bucket === "6h") date.setHours(Math.floor(date.getHours() / 6) * 6, 0, 0, 0);
  else date.setHours(0, 0, 0, 0);
  return date.getTime();
}

/** The first moment of the reader's day. */
export function today(now: number): number {
  return floor(now, "day");
}

/** The reader's time zone, as the API takes it. */
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
