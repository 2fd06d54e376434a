import { type Range, readRange, textOf } from "../frame/range";

/** The state of the users page. */
export interface UsersSearch extends Range {
  sort?: string;
  user?: string; // the one that is open
}

/** Reads the address bar; what is not understood is left out. */
export function readUsers(raw: Record<string, unknown>): UsersSearch {
  const search: UsersSearch = readRange(raw);
  for (const key of ["sort", "user"] as const) {
    const text = textOf(raw, key);
    if (text !== undefined) search[key] = text;
  }
  return search;
}
