import type { ReactNode } from "react";

/** A full-page sentence: what happened, what is still fine, what to do. */
export function Notice({ title, children, actions, code }: { title: string; children?: ReactNode; actions?: ReactNode; code?: string | undefined }) {
  return (
    <section className="notice" role="status">
      {code && <p className="notice-code">{code}</p>}
      <h2>{title}</h2>
      {children}
      {actions && <div className="notice-actions">{actions}</div>}
    </section>
  );
}
