import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { tracePage } from "../api/queries";
import { FirstRun } from "./FirstRun";
import "./firstrun.css";

/** What is inside, or how to send a first trace where none ever was; the first trace that comes turns the page by itself. */
export function AnyTrace({ children }: { children: ReactNode }) {
  const ever = useQuery({
    queryKey: ["any-trace"],
    queryFn: async ({ signal }) => (await tracePage({ limit: 1 }, signal)).items.length > 0,
    staleTime: 60_000,
    refetchInterval: ({ state }) => (state.data === false ? 1500 : false),
  });
  return ever.data === false ? <FirstRun /> : children;
}
