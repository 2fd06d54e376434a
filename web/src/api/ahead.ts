/**
 * Questions that the address alone decides are asked before the page's own code is there: the server answers while the browser reads 0.5 MB of
 * scripts. Who asks the same a moment later is given that answer.
 */

const BEGAN = Date.now();
const MOMENT_MS = 5000;

const begun = new Map<string, Promise<Response>>();

/** Now; while the page is young the moment it began, so that the same question is the same address. */
export function moment(): number {
  const now = Date.now();
  return now - BEGAN < MOMENT_MS ? BEGAN : now;
}

/** Ask this address now. */
export function begin(url: string): void {
  const answer = fetch(url, { headers: { accept: "application/json" } });
  answer.catch(() => undefined); // it is said by whoever takes it
  begun.set(url, answer);
  setTimeout(() => begun.delete(url), MOMENT_MS);
}

/** The answer that was begun for this address; it is given once. */
export function taken(url: string): Promise<Response> | undefined {
  const answer = begun.get(url);
  begun.delete(url);
  return answer;
}
