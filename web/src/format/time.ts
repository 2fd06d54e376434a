/** `just now`, `12 s ago`, `3 m ago`, `5 h ago`, `6 d ago`; later than now (a clock that runs ahead) is `in 12 s`. */
export function ago(ms: number, now: number): string {
  const seconds = Math.round((now - ms) / 1000);
  if (Math.abs(seconds) < 2) return "just now";
  const text = span(Math.abs(seconds));
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

function span(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Epoch nanoseconds as text to milliseconds; fractions of a millisecond stay, to about a microsecond. */
export function milliseconds(ns: string): number {
  return Number(BigInt(ns)) / 1e6;
}

/** `2026-11-23 11:27:38.788 +01:00 Europe/Berlin`: the reader's zone, named. */
export function absolute(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "no such time";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${day(date)} ${clock(date)}.${date.getMilliseconds().toString().padStart(3, "0")} ${offset(date)} ${zone}`;
}

/** `11:27:38`, in the reader's zone. */
export function clock(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `2026-11-23T11:27` in the reader's zone: what `<input type="datetime-local">` holds. */
export function localInput(ms: number): string {
  const date = new Date(ms);
  return `${day(date)}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `Nov 23, 11:27`, in the reader's zone: for labels of absolute ranges. */
export function label(ms: number): string {
  const date = new Date(ms);
  return `${date.toLocaleString("en-US", { month: "short", day: "numeric" })}, ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function day(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function two(value: number): string {
  return value.toString().padStart(2, "0");
}
