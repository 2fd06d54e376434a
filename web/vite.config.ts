import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` shows the page with hot reload on top of a server that runs: OBSERVATORY=http://127.0.0.1:4319
const server = process.env.OBSERVATORY ?? "http://127.0.0.1:4319";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../observatory/api/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows files of this origin only, no data: scripts or fonts
    modulePreload: { polyfill: false },
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"], // the first with light-dark()
  },
  server: { proxy: { "/api": server, "/healthz": server, "/readyz": server, "/metrics": server } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
