import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { makeQueryClient } from "./api/queries";
import { NowProvider } from "./parts/now";
import { router } from "./router";
import "./theme/tokens.css";
import "./theme/base.css";
import "./frame/frame.css";

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no #root");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={makeQueryClient()}>
      <NowProvider>
        <RouterProvider router={router} />
      </NowProvider>
    </QueryClientProvider>
  </StrictMode>,
);
