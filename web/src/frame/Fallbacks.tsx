import { useQuery } from "@tanstack/react-query";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { isUnreachable, statusQuery } from "../api/queries";
import { Notice } from "../parts/Notice";

/** In place of a page whose code has not come yet. */
export function Fetching() {
  const { error } = useQuery(statusQuery);
  if (isUnreachable(error)) {
    return (
      <Notice title="This page has not been loaded yet">
        <p>Its code comes from the observatory and opens by itself as soon as that answers.</p>
      </Notice>
    );
  }
  return (
    <div className="page-wait" aria-busy="true" aria-label="loading the page">
      {[30, 62, 48].map((width) => (
        <span key={width} className="skeleton" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

/** In place of a page that cannot be drawn: a mistake of ours. */
export function Broken({ error, reset }: ErrorComponentProps) {
  return (
    <Notice
      code="a mistake of this page"
      title="This page could not be shown"
      actions={
        <>
          <button type="button" className="button" onClick={reset}>
            try again
          </button>
          <button type="button" className="button" onClick={() => location.reload()}>
            load it anew
          </button>
        </>
      }
    >
      <p>What is stored is fine, and so are the other pages. A report of this helps:</p>
      <pre>{error instanceof Error ? error.message : String(error)}</pre>
    </Notice>
  );
}
