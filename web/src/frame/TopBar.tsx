import type { ReactNode } from "react";

/** The 48 px bar of a page: where one is, and the controls that hold for the whole page. */
export function TopBar({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <header className="topbar">
      <h1>{title}</h1>
      <div className="topbar-controls">{children}</div>
    </header>
  );
}
