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

/** A trace that somebody pinned; its id is the document's name. */
export interface Pinned {
  root_name: string;
  service_name: string | null;
  start_ns: string;
}

/** The pinned traces. */
export const pinsQuery = savedQuery<Pinned>("pin");

/** Keeps a document, in place of the one of that name. */
export function save(kind: string, name: string, body: unknown): Promise<unknown> {
  return send("PUT", `saved/${kind}/${encodeURIComponent(name)}`, body);
}

/** Forgets a document. */
export function forget(kind: string, name: string): Promise<unknown> {
  return send("DELETE", `saved/${kind}/${encodeURIComponent(name)}`);
}
