import { queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import { traceParams, type TraceSearch } from "./search";

export interface Service {
  name: string;
  traces: number;
}

/** Values of the service filter for the time range of a search, most traces first. */
export function servicesQuery({ range, from, to }: TraceSearch) {
  const when: TraceSearch = { ...(range && { range }), ...(from && { from }), ...(to && { to }) };
  return queryOptions({
    queryKey: ["services", when],
    queryFn: async ({ signal }) => {
      const { from, to } = traceParams(when, Date.now());
      return (await get<{ items: Service[] }>("services", { from, to }, signal)).items;
    },
    staleTime: 10_000,
  });
}
