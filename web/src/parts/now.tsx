import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { absolute, ago } from "../format/time";

const Now = createContext(0);

/** Ticks once a second for everything below that says "ago"; not while the page is hidden. */
export function NowProvider({ children }: { children: ReactNode }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  return <Now value={now}>{children}</Now>;
}

/** Milliseconds since 1970, at most a second old. */
export function useNow(): number {
  return useContext(Now);
}

/** A time as `3 m ago`, with the absolute one and its zone on hover. */
export function Ago({ ms }: { ms: number }) {
  const now = useNow();
  const date = new Date(ms);
  return (
    <time dateTime={Number.isNaN(date.getTime()) ? undefined : date.toISOString()} title={absolute(ms)}>
      {ago(ms, now)}
    </time>
  );
}
