import { taken } from "./ahead";
import { type Params, urlOf } from "./asked";
import type { paths } from "./schema";

/** The server answered, and the answer is no. `message` is its own sentence; `where` names the parameter it is about. */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly where: string | null,
  ) {
    super(message);
  }
}

/** Nothing answered: the server is down, restarting, or the network is. What was shown stays true as of then. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

/** `GET /api/v1/…` as JSON. Raises `ApiError` for a refusal, `Unreachable` when nothing answered, `AbortError` when `signal` said so. */
export async function get<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  return fetched<T>(urlOf(path, params), { headers: { accept: "application/json" }, ...(signal && { signal }) });
}

/** Sends JSON to `/api/v1/…` and gives the answer; errors as `get`. */
export async function send<T = unknown>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers = { accept: "application/json", "content-type": "application/json" };
  return fetched<T>(`/api/v1/${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }), ...(signal && { signal }) });
}

async function fetched<T>(url: string, request: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await ((request.method === undefined && taken(url)) || fetch(url, request));
    if (response.status === 204) return null as T;
    if (response.ok) return (await response.json()) as T;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    if (error instanceof SyntaxError) throw new ApiError(200, "cut_short", `the answer of ${url} was cut short`, null);
    throw new Unreachable(error instanceof Error ? error.message : String(error));
  }
  throw await refusal(response);
}

async function refusal(response: Response): Promise<Error> {
  // a proxy in between says 502 and 504 for a server that is not there
  if (response.status === 502 || response.status === 504) return new Unreachable(response.statusText);
  const said = (await response.json().catch(() => null)) as { error?: { code?: string; message?: string; where?: string } } | null;
  const { code, message, where } = said?.error ?? {};
  return new ApiError(response.status, code ?? "error", message ?? `${response.status} ${response.statusText}`, where ?? null);
}

type Gets = { [P in keyof paths as paths[P] extends { get: { responses: { 200: { content: { "application/json": unknown } } } } } ? P : never]: paths[P]["get"] };
/** The addresses that answer a GET with JSON, as the server's OpenAPI document has them. */
export type Path = keyof Gets & `/api/v1/${string}`;
/** What `ask(path)` answers. */
export type Answer<P extends Path> = Gets[P] extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : never;
/** The parameters of a path; null and undefined are left out. */
export type Query<P extends Path> = Gets[P] extends { parameters: { query?: infer Q } } ? { [K in keyof NonNullable<Q>]?: NonNullable<Q>[K] | null } : unknown;
type Places<P> = P extends `${string}{${infer Name}}${infer Rest}` ? Record<Name, string> & Places<Rest> : unknown;

/** A GET with its parameters and answer checked against the OpenAPI document; `places` fill the braces of the path. Raises as `get`. */
export function ask<P extends Path>(path: P, query: Query<P>, signal?: AbortSignal, ...places: Places<P> extends object ? [Places<P>] : []): Promise<Answer<P>> {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent((places[0] as Record<string, string> | undefined)?.[name] ?? ""));
  return get<Answer<P>>(filled.replace(/^\/api\/v1\//, ""), query as Params, signal);
}
