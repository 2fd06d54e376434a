import { queryOptions } from "@tanstack/react-query";
import { get, send } from "./client";

/** A document that somebody saved on the server: `GET /api/v1/saved/{kind}`. */
export interface Saved<T> {
  kind: string;
  name: string;
  body: T;
  updated_at: string;
}

/** The saved documents of a kind, by name. */
export function savedQuery<T>(kind: string) {
  return queryOptions({
    queryKey: ["saved", kind],
    queryFn: async ({ signal }) => (await get<{ items: Saved<T>[] }>(`saved/${kind}`, {}, signal)).items,
    staleTime: 10_000,
  });
}

/** Keeps a document, in place of the one of that name. */
export function save(kind: string, name: string, body: unknown): Promise<unknown> {
  return send("PUT", `saved/${kind}/${encodeURIComponent(name)}`, body);
}

/** Forgets a document. */
export function forget(kind: string, name: string): Promise<unknown> {
  return send("DELETE", `saved/${kind}/${encodeURIComponent(name)}`);
}
