import { get } from "../api/client";
import { isUnreachable } from "../api/queries";

const PAUSE_MS = 500;

/**
 * The code of the page at `path`. When it cannot be fetched because nothing answers, this waits until something does and the page is open (a
 * link that was only pointed at fetches too), and loads the document anew: what failed once, such as a style sheet, is not fetched a second
 * time. When the server answers, but not with this (another version of it runs by now), the document is loaded anew once, and then the error
 * is the caller's.
 */
export async function arriving<T>(path: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const mark = `reloaded for ${String(error)}`;
    if (sessionStorage.getItem(mark) !== null) {
      sessionStorage.removeItem(mark);
      throw error;
    }
    while (!isOpen(path) || !(await answers())) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    sessionStorage.setItem(mark, "");
    location.reload();
    return new Promise(() => {}); // until the document is gone
  }
}

/** Whether the address is at this path, which may end in a parameter: `/traces/$traceId`. */
function isOpen(path: string): boolean {
  const parameter = path.indexOf("$");
  return parameter < 0 ? location.pathname === path : location.pathname.startsWith(path.slice(0, parameter));
}

function answers(): Promise<boolean> {
  return get("status").then(
    () => true,
    (error: unknown) => !isUnreachable(error),
  );
}
