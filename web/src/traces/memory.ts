import { createContext, type RefObject, useContext } from "react";
import type { ExploreSearch } from "../explore/search";

/** Holds the search of the list the reader came from; given by the frame, which outlives the pages. */
export const LastSearch = createContext<RefObject<ExploreSearch> | null>(null);

/** The search of the list the reader came from: where "back" goes, and what previous and next mean on a trace. */
export function useLastSearch(): RefObject<ExploreSearch> {
  const lastRef = useContext(LastSearch);
  if (!lastRef) throw new Error("a page stands outside the frame");
  return lastRef;
}
