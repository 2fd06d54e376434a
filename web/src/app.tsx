import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { makeQueryClient, statusQuery, traceQuery } from "./api/queries";
import { PAGES } from "./pages";
import { NowProvider } from "./parts/now";
import { router } from "./router";
import "./theme/tokens.css";
import "./theme/base.css";
import "./frame/frame.css";

const client = makeQueryClient();
begin();

/** What the address asks for, before anything is drawn: answers, the page's own code and the frame come side by side. */
function begin(): void {
  const asked: Promise<unknown>[] = [client.query(statusQuery)];
  const page = PAGES.find(({ path }) => path === location.pathname);
  if (page) asked.push(page.load(), ...("ask" in page ? page.ask(client, Object.fromEntries(new URLSearchParams(location.search))) : []));
  const traceId = /^\/traces\/([0-9a-f]{32})$/.exec(location.pathname)?.[1];
  if (traceId !== undefined) asked.push(import("./trace/TracePage"), client.query(traceQuery(traceId)));
  // what goes wrong is said where it is shown
  for (const one of asked) one.catch(() => undefined);
}

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no #root");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <NowProvider>
        <RouterProvider router={router} />
      </NowProvider>
    </QueryClientProvider>
  </StrictMode>,
);
