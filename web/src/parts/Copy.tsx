import { useEffect, useState } from "react";
import { CheckIcon, CopyIcon } from "./icons";

/** Copies `text`, which may be made when it is asked for, and says that it did; also where the clipboard API is closed (plain HTTP to another machine). */
export function Copy({ text, label, wide = false }: { text: string | (() => string | Promise<string>); label: string; wide?: boolean }) {
  const [said, setSaid] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), 1500);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    void Promise.resolve(typeof text === "string" ? text : text()).then(write).then(
      () => setSaid("copied"),
      () => setSaid("failed"),
    );
  };
  return (
    <button type="button" className={wide ? "button" : "quiet"} onClick={copy} aria-label={label} title={label}>
      {said === "copied" ? <CheckIcon /> : <CopyIcon />}
      {wide && <span>{said ?? "copy"}</span>}
      <span className="unseen" role="status">
        {said}
      </span>
    </button>
  );
}

async function write(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  // the old way is the only one on plain HTTP
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser refused to copy");
}
