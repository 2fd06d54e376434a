import { createContext, type RefObject } from "react";
import type { TraceSearch } from "./search";

/** The search of the list the reader came from: where "back" goes, and what previous and next mean on a trace. */
export const LastSearch = createContext<RefObject<TraceSearch>>({ current: {} });
